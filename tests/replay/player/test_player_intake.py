"""Audio that is what was recorded, byte for byte, is not decoded: nothing else differs by that."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replaying import MS, Client, player
from tapes import Script, Take, session_object, tone
from thoroughness import examples

from recorder.heads import Close
from replay.player.modes import ModeName

STEP = 48 * 100  # 100 ms
SPEECH = tone(700, 300)
REST = tone(500, 500)
ITEM = {"id": "item_1"}


def tape() -> list[Take]:
    """Speech that is heard, a silence, more speech, a commit, and speech after it."""
    script = Script().open().provider("session.created", session=session_object())
    script.append(SPEECH[: STEP * 4]).provider("input_audio_buffer.speech_started", **ITEM)
    script.append(SPEECH[STEP * 4 :]).append(bytes(STEP * 3))
    script.provider("input_audio_buffer.speech_stopped", **ITEM)
    script.append(SPEECH).client("input_audio_buffer.commit")
    script.wait(30).provider("input_audio_buffer.committed", **ITEM)
    return script.append(REST).close().takes


TAPE = tape()
SAID = [json.loads(take.body) for take in TAPE if (take.sender, take.kind) == ("client", "ws.text")]


def result(said: Sequence[dict[str, Any]], *, spaced: bool, mode: ModeName = "causal") -> list[Any]:
    """What a replay does to a client that says this, 100 ms a message; `spaced` JSON is other than
    that of the tape, so that each message is decoded."""
    client = Client(player(TAPE, 1.0, patience_s=0.5, mode=mode)).open().run(20)
    for message in said:
        text = json.dumps(message, indent=1 if spaced else None)
        client.give("ws.text", text.encode()).run(100)
    client.give("ws.close", Close(1000).encode())
    machine = client.machine
    return [client.at, client.types(), machine.used, machine.failure, machine.report()]


def changed(message: dict[str, Any], how: str) -> list[dict[str, Any]]:
    """One message of audio, otherwise."""
    if "audio" not in message or how == "as it was":
        return [message]
    pcm = base64.b64decode(message["audio"])
    parts = {
        "split": [pcm[:1000], pcm[1000:]],
        "twice": [pcm, pcm],
        "left out": [],
        "another sample": [pcm[:500] + bytes([pcm[500] ^ 64]) + pcm[501:]],
        "silence before": [bytes(STEP), pcm],
    }[how]
    return [{**message, "audio": base64.b64encode(part).decode()} for part in parts]


WAYS = ["as it was", "split", "twice", "left out", "another sample", "silence before"]


@pytest.mark.parametrize("mode", ["causal", "strict", "timed"])
def test_the_recorded_audio_passes_and_opens_gates_at_the_same_time(mode: ModeName) -> None:
    quick, slow = result(SAID, spaced=False, mode=mode), result(SAID, spaced=True, mode=mode)
    assert quick == slow
    assert quick[3] is None
    assert quick[2] == 4


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.integers(0, len(SAID) - 1), st.sampled_from(WAYS), max_size=3))
def test_it_makes_no_difference_to_what_is_right_or_wrong(edits: dict[int, str]) -> None:
    said = [
        part for at, message in enumerate(SAID) for part in changed(message, edits.get(at, WAYS[0]))
    ]
    assert result(said, spaced=False) == result(said, spaced=True)


@pytest.mark.parametrize("at", [0, 5, 12, 20])
def test_another_sample_is_found_at_its_step(at: int) -> None:
    said = [
        part for index, each in enumerate(SAID) for part in changed(each, WAYS[4 * (index == at)])
    ]
    failure = result(said, spaced=False)[3]
    steps = [
        seq for seq, take in enumerate(TAPE, 1) if (take.sender, take.kind) == ("client", "ws.text")
    ]
    assert failure.headline.startswith(f"step {steps[at]} audio differs at ")


def test_the_last_piece_may_not_be_missing() -> None:
    assert "audio is missing from" in result(SAID[:-1], spaced=False)[3].headline


def test_a_report_counts_what_was_not_decoded() -> None:
    client = Client(player(TAPE, 1.0)).open().run(20)
    for message in SAID[:3]:
        client.give("ws.text", json.dumps(message).encode())
    client.send("response.create")
    assert "audio: the client sent 0.30 s (14400 bytes)" in client.machine.report()


def test_a_message_of_the_tape_is_no_audio_on_another_opcode() -> None:
    client = Client(player(TAPE, 1.0)).open().run(20)
    client.give("ws.binary", json.dumps(SAID[0]).encode())
    assert client.machine.failure


def test_a_wait_goes_on_while_audio_comes() -> None:
    client = Client(player(TAPE, 1.0, patience_s=1.0)).open().run(20)
    for message in SAID[:2]:
        client.give("ws.text", json.dumps(message).encode()).run(100)
    client.run(10_000)
    assert client.machine.failure
    assert "waits for audio that did not come" in client.machine.failure.headline
    assert client.at[-1] - 220 * MS < 2_000 * MS
