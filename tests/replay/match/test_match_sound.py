"""Audio in messages, counted."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replaying import OPENAI
from tapes import session_object

from recorder.audio.silence import Form
from replay.match.sound import Sound, measure


def append(audio: bytes) -> bytes:
    text = base64.b64encode(audio).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": text}).encode()


def heard(audio: bytes, form: str = "audio/pcm") -> Sound:
    tracker = OPENAI.tracker()
    session = session_object(audio={"input": {"format": {"type": form}}})
    created = json.dumps({"type": "session.created", "session": session}).encode()
    tracker.inspect(1, "provider", "ws.text", "", created)
    body = append(audio)
    return measure(body, tracker.inspect(1, "client", "ws.text", "", body).audio)


def test_sound_is_what_is_not_silence() -> None:
    data = bytes(6) + b"\x01\x02\x00\x03" + bytes(4)
    assert heard(data) == Sound(14, 3, 4, 48_000, data, Form("pcm16", 24_000))


@pytest.mark.parametrize(
    ("form", "silence"), [("audio/pcmu", b"\xff\x7f"), ("audio/pcma", b"\xd5U")]
)
def test_silence_of_telephones(form: str, silence: bytes) -> None:
    assert heard(silence * 10 + b"\x01" + silence * 4, form)[:4] == (29, 1, 8, 8_000)


def test_live_audio_is_taken_for_what_the_tape_has() -> None:
    body = append(b"\xff\x7f\x01" * 4)
    fields = OPENAI.tracker().inspect(1, "client", "ws.text", "", body).audio
    assert measure(body, fields).loud == 12
    assert measure(body, fields, Form("pcmu", 8_000))[:4] == (12, 4, 0, 8_000)


@given(st.lists(st.binary(min_size=6, max_size=40), min_size=1))
def test_the_amount_does_not_depend_on_the_cuts(pieces: list[bytes]) -> None:
    whole = heard(b"".join(pieces))
    assert whole.size == sum(heard(piece).size for piece in pieces)
    assert whole.loud == sum(heard(piece).loud for piece in pieces)


def test_what_is_not_base64_is_no_audio() -> None:
    body = b'{"type":"input_audio_buffer.append","audio":"not base64 at all"}'
    fields = OPENAI.tracker().inspect(1, "client", "ws.text", "", body).audio
    assert measure(body, fields).size == 0


@pytest.mark.parametrize("data", [b"\1", b"\1\2", b"\1\2\3"])
def test_the_rest_of_a_file_is_audio_though_it_is_short(data: bytes) -> None:
    assert not OPENAI.tracker().inspect(1, "client", "ws.text", "", append(data)).audio
    assert measure(append(data), (), Form("pcmu", 8_000), "audio").data == data
    assert measure(append(data), ()).size == 0


def test_a_short_text_that_is_no_base64_is_no_audio() -> None:
    for body in (b'{"audio":"a!"}', b'{"audio":7}', b'{"audio":""}', b"{", b"[]"):
        assert measure(body, (), None, "audio").size == 0
