"""Pieces of a stream of audio are understood by the first of them, and only these."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pybase64 import b64encode
from replaying import OPENAI
from tapes import session_object

from recorder.events import Event, Sender
from recorder.providers import PROVIDERS
from recorder.providers.neutral import UserSpeech, Voiced
from replay.caller.perception import Perception, Seen

MS = 1_000_000
DELTA = "response.output_audio.delta"


def piece(data: bytes, event: str = "event_1", item: str = "item_1") -> dict[str, Any]:
    place = {"response_id": "resp_1", "item_id": item}
    return {"type": DELTA, "event_id": event, **place, "delta": b64encode(data).decode()}


def session(form: str) -> dict[str, Any]:
    kind = {"format": {"type": form}}
    given = session_object(audio={"input": kind, "output": kind})
    return {"type": "session.updated", "session": given}


def take(perception: Perception, message: dict[str, Any], sender: Sender = "provider") -> Seen:
    body = json.dumps(message, separators=(",", ":")).encode()
    return perception.take(1, sender, "ws.text", body, 0)


def lengths(seen: Seen) -> list[int]:
    return [heard.length_ns for heard in seen.heard]


@pytest.mark.parametrize("event", ["event_2", "event_1000", "", 'a\\"b'])
@pytest.mark.parametrize("size", [960, 962, 480])
def test_a_piece_means_what_it_would_alone(event: str, size: int) -> None:
    perception = Perception(OPENAI)
    take(perception, piece(bytes(960)))
    message = piece(b"\1\2" * (size // 2), event)
    seen, alone = take(perception, message), take(Perception(OPENAI), message)
    assert (seen.type, seen.told, seen.cue) == (DELTA, (Voiced("item_1", "resp_1"),), "play")
    assert seen[:4] == alone[:4]


def test_another_item_is_another_stream() -> None:
    perception = Perception(OPENAI)
    take(perception, piece(bytes(960)))
    assert take(perception, piece(bytes(960), item="item_2")).told == (Voiced("item_2", "resp_1"),)


@pytest.mark.parametrize("text", ["AAAA*AAA", "AAA", "AB==", ""])
def test_what_is_no_base64_is_no_piece(text: str) -> None:
    perception = Perception(OPENAI)
    take(perception, piece(bytes(960)))
    assert take(perception, {**piece(b""), "delta": text}).heard == ()


def test_what_is_said_between_may_change_what_audio_is() -> None:
    perception = Perception(OPENAI)
    take(perception, session("audio/pcm"))
    assert lengths(take(perception, piece(bytes(960)))) == [20 * MS]
    take(perception, session("audio/pcmu"))
    assert lengths(take(perception, piece(bytes(960)))) == [120 * MS]


def test_both_sides_may_stream_at_once() -> None:
    perception = Perception(OPENAI)
    append = {"type": "input_audio_buffer.append", "audio": b64encode(bytes(480)).decode()}
    for number in range(3):
        assert take(perception, append, "client").cue == "capture"
        assert lengths(take(perception, piece(bytes(960), f"event_{number}"))) == [20 * MS]


def test_frames_without_json_are_audio_as_they_stand() -> None:
    perception = Perception(PROVIDERS["vapi"])
    for data in (b"\1\2" * 320, b'""' * 160):
        (heard,) = perception.take(2, "provider", "ws.binary", data, 0).heard
        assert (heard.data, heard.length_ns) == (data, len(data) * 1_000_000_000 // 32_000)


def test_when_a_user_speaks_is_not_guessed_from_words() -> None:
    """A decoder that hears tells it by sound, which nobody hears here: nothing may wait for it."""
    live = PROVIDERS["openai-live"]
    words = {"start_ms": 0, "end_ms": 200, "delta": " Hello", "event_id": "event_1"}
    message = {"type": "session.input_transcript.delta", **words}
    body = json.dumps(message).encode()
    event = Event("", 0, 0, 1, "provider", "ws.text", str(message["type"]), body)
    guessed, told = live.decoder().decode(event), take(Perception(live), message).told
    assert any(isinstance(each, UserSpeech) for each in guessed)
    assert list(told) == [each for each in guessed if not isinstance(each, UserSpeech)]
