"""A provider that speaks in real time waits for the sound that came before what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
from vapi_replaying import ASKED, CALL, REPLY, SPEECH, Parties, Tape, call, player

from recorder.audio import g711
from recorder.audio.pcm import samples
from recorder.heads import Close

SILENCE = bytes(12_800)  # 400 ms


def mute_call() -> Tape:
    """A call whose client has asked for no messages: sound is all there is."""
    tape = Tape().create().open().wait(100).stream("provider", REPLY).stream("client", SILENCE)
    tape.stream("client", SPEECH).stream("client", SILENCE)
    return tape.stream("provider", REPLY).wait(300).close()


def frames(parties: Parties) -> int:
    return sum(message.kind == "ws.binary" for message in parties.got)


def begun(tape: Tape, speed: float | None = None, **options: Any) -> Parties:
    parties = Parties(player(tape, speed, **options))
    parties.ask("POST", "/call", ASKED, ms=10 if speed else 0)
    return parties.open()


def test_the_answer_waits_for_the_speech_and_the_silence_after_it() -> None:
    parties = begun(mute_call())
    assert frames(parties) == 5
    parties.stream(SILENCE).stream(SILENCE)
    assert frames(parties) == 5
    parties.stream(SPEECH)
    assert frames(parties) == 5
    parties.stream(SILENCE)
    assert frames(parties) == 10
    parties.give(2, "ws.close", Close(1000).encode())
    assert parties.machine.finished
    assert parties.machine.failure is None


def test_it_does_not_matter_how_the_sound_is_cut() -> None:
    parties = begun(mute_call())
    parties.stream(SILENCE, 100).stream(SPEECH, 60).stream(SILENCE, 10)
    assert frames(parties) == 10


def test_a_client_that_falls_silent_ends_the_replay() -> None:
    machine = begun(mute_call(), patience_s=3).stream(SPEECH[:6400]).run(60_000).machine
    assert machine.failure
    assert "waits for" in machine.failure.headline
    assert "bytes of audio that are not silence" in machine.report()


def test_frames_keep_their_pace_though_the_client_streams_on() -> None:
    tape = Tape().create().open().wait(100)
    for at in range(0, len(REPLY), 640):  # the client's frames lie between those of the provider
        tape.script.add("provider", "ws.binary", REPLY[at : at + 640])
        tape.wait(13).script.add("client", "ws.binary", bytes(640))
        tape.wait(7)
    parties = begun(tape.wait(100).close(), 1.0).run(120).stream(bytes(640 * 10))
    times = [ms for ms, name in parties.log if name == "audio"]
    steps = np.diff(times)
    assert np.allclose(steps, 20, atol=0.1), steps


def test_silence_is_told_by_the_call_s_own_coding() -> None:
    """µ-law: its zeros are 0xFF, which are loud if taken for PCM."""
    coded = g711.encode_ulaw(samples(SPEECH)[::2])
    quiet = b"\xff" * 3200
    form = {"format": "mulaw", "container": "raw", "sampleRate": 8000}
    answer = call()
    answer["transport"]["audioFormat"] = form
    tape = Tape().ask("POST", "/call", ASKED, answer, 201).open()
    for data in (quiet, coded, quiet):
        for at in range(0, len(data), 160):
            tape.script.add("client", "ws.binary", data[at : at + 160])
            tape.wait(20)
    tape.stream("provider", REPLY).wait(100).close()
    parties = begun(tape)
    for at in range(0, 16_000, 160):  # two seconds of silence
        parties.give(2, "ws.binary", (b"\xff" * 16_000)[at : at + 160]).run(20)
    assert frames(parties) == 0
    for data in (coded, quiet):
        for at in range(0, len(data), 160):
            parties.give(2, "ws.binary", data[at : at + 160]).run(20)
    assert frames(parties) == 5


def test_a_listening_socket_is_played_on_its_own() -> None:
    tape = Tape().create()
    tape.script.open(f"/{CALL}/listen", "")
    parties = Parties(player(tape.wait(50).stream("provider", REPLY).close()))
    parties.ask("POST", "/call", ASKED)
    parties.open(f"/{CALL}/listen")
    assert frames(parties) == 5
    parties.give(2, "ws.close", Close(1000).encode())
    assert parties.machine.finished
