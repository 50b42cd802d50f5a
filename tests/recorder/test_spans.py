"""Lift and restore is the identity, whatever the text, the base64 and the chunks are."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.spans import AudioField, lift, restore

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def field(body: bytes, text: bytes, start: int = 0) -> AudioField:
    at = body.index(text, start)
    return AudioField(at, at + len(text), "base64", "item", "pcm16", 24_000)


@given(st.lists(st.tuples(st.binary(max_size=60), st.binary(max_size=200)), min_size=1, max_size=6))
def test_audio_anywhere_comes_back(parts: list[tuple[bytes, bytes]]) -> None:
    body, fields = b"", []
    for around, audio in parts:
        text = base64.b64encode(audio)
        body += around
        fields.append(AudioField(len(body), len(body) + len(text), "base64", "", "pcm16", 8_000))
        body += text
    lifted, audio = lift(body, fields)
    assert restore(lifted, [span for _, span in audio]) == body
    assert [span.data for _, span in audio] == [data for _, data in parts if data]
    assert len(lifted) == sum(len(around) for around, _ in parts)


@given(JSON, st.binary(min_size=1, max_size=300), st.sampled_from([None, 1, 2]), st.booleans())
@settings(max_examples=examples(300))
def test_any_json_text_comes_back(
    value: object, audio: bytes, indent: int | None, ascii_only: bool
) -> None:
    text = base64.b64encode(audio).decode()
    message = {"type": "x", "before": value, "audio": text, "after": value}
    body = json.dumps(message, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    )
    at = body.rindex(f'"{text}"'.encode()) + 1
    place = AudioField(at, at + len(text), "base64", "", "pcm16", 24_000)
    lifted, spans = lift(body, [place])
    assert restore(lifted, [span for _, span in spans]) == body


@given(st.text(alphabet='AQgw+/=- \n"\\', max_size=24))
@settings(max_examples=examples(500))
def test_what_is_not_canonical_base64_stays_whole(text: str) -> None:
    raw = text.encode()
    body = b'{"audio":"' + raw + b'"}'
    lifted, audio = lift(body, [AudioField(10, 10 + len(raw), "base64", "", "pcm16", 24_000)])
    assert restore(lifted, [span for _, span in audio]) == body
    if audio:
        assert base64.b64encode(audio[0][1].data) == raw


@pytest.mark.parametrize(
    "text", [b"QQ", b"QR==", b"QUJD\n", b"QU-_", b"====", b"Q===", b"QUI=QUI="]
)
def test_near_misses_stay_whole(text: bytes) -> None:
    assert lift(text, [AudioField(0, len(text), "base64", "", "pcm16", 24_000)]) == (text, ())


def test_raw_audio_is_the_body() -> None:
    body = bytes(range(256))
    lifted, audio = lift(body, [AudioField(0, 256, "raw", "", "pcmu", 8_000)])
    assert lifted == b""
    assert restore(lifted, [span for _, span in audio]) == body


def test_a_lifted_body_is_still_json() -> None:
    body = b'{"type": "response.output_audio.delta", "delta" : "QUJDRA==", "n":1.0}'
    lifted, _ = lift(body, [field(body, b"QUJDRA==")])
    assert json.loads(lifted) == {"type": "response.output_audio.delta", "delta": "", "n": 1.0}
