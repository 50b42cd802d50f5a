"""What the tracker finds in Realtime events, and in what only looks like them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.events import Sender
from recorder.providers.base import Insight
from recorder.providers.openai_realtime.capture import RealtimeTracker, event_type

AUDIO = base64.b64encode(bytes(range(96))).decode()


def see(tracker: RealtimeTracker, sender: Sender, message: Any, **style: Any) -> Insight:
    body = message if isinstance(message, bytes) else json.dumps(message, **style).encode()
    return tracker.inspect(1, sender, "ws.text", "", body)


def texts(body: bytes, insight: Insight) -> list[str]:
    return [body[field.start : field.end].decode() for field in insight.audio]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"type":"session.update","session":{"type":"realtime"}}', "session.update"),
        (b'{"session":{"type":"realtime"},"type":"session.update"}', "session.update"),
        (b'{\n  "event_id": "e",\n  "type": "response.create"\n}', "response.create"),
        (b'{"type":"a","type":"b"}', "a"),
        (b'{"type":"\\u0061bc"}', "abc"),
        (b'{"type":17}', ""),
        (b'{"type":"\\ud800"}', ""),
        (b'{"type":"line\\nbreak"}', ""),
        (b"[1]", ""),
        (b"not json", ""),
        (b"\xff\xfe", ""),
        (b"", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_the_type_of_a_message(body: bytes, expected: str) -> None:
    assert event_type(body) == expected


@pytest.mark.parametrize(
    ("sender", "message"),
    [
        ("client", {"type": "input_audio_buffer.append", "audio": AUDIO}),
        ("provider", {"type": "response.output_audio.delta", "item_id": "item_1", "delta": AUDIO}),
        ("provider", {"type": "response.audio.delta", "item_id": "item_1", "delta": AUDIO}),
        ("client", {"audio": AUDIO, "type": "input_audio_buffer.append"}),
        (
            "client",
            {
                "type": "conversation.item.create",
                "item": {"content": [{"type": "input_audio", "audio": AUDIO}]},
            },
        ),
        (
            "provider",
            {
                "type": "conversation.item.retrieved",
                "item": {"id": "item_1", "content": [{"audio": AUDIO}, {"audio": AUDIO}]},
            },
        ),
    ],
)
@pytest.mark.parametrize("style", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_audio_is_found_in_every_style(
    sender: Sender, message: dict[str, Any], style: dict[str, Any]
) -> None:
    body = json.dumps(message, **style).encode()
    found = texts(body, see(RealtimeTracker(), sender, body))
    assert found
    assert set(found) == {AUDIO}
    assert len(found) == json.dumps(message).count(AUDIO)


def test_a_key_quoted_inside_a_string_is_no_audio() -> None:
    said = json.dumps({"audio": AUDIO})
    message = {"type": "conversation.item.create", "item": {"content": [{"text": said}]}}
    assert not see(RealtimeTracker(), "client", message).audio


def test_words_under_an_audio_key_are_no_audio() -> None:
    message = {"type": "response.create", "response": {"audio": "none"}}
    assert not see(RealtimeTracker(), "client", message).audio


def test_other_types_are_left_alone() -> None:
    message = {"type": "response.output_text.delta", "delta": AUDIO}
    assert not see(RealtimeTracker(), "provider", message).audio


@pytest.mark.parametrize(
    ("session", "heard", "spoken"),
    [
        (
            {"audio": {"input": {"format": {"type": "audio/pcmu"}}}},
            ("pcmu", 8_000),
            ("pcm16", 24_000),
        ),
        (
            {"audio": {"output": {"format": {"type": "audio/pcma"}}}},
            ("pcm16", 24_000),
            ("pcma", 8_000),
        ),
        (
            {"input_audio_format": "g711_alaw", "output_audio_format": "g711_ulaw"},
            ("pcma", 8_000),
            ("pcmu", 8_000),
        ),
        (
            {"input_audio_format": "pcm16", "input_audio_sampling_rate": 16_000},
            ("pcm16", 16_000),
            ("pcm16", 24_000),
        ),
        (
            {"audio": {"input": {"format": {"type": "audio/new"}}}},
            ("pcm16", 24_000),
            ("pcm16", 24_000),
        ),
    ],
)
def test_the_formats_in_force(
    session: dict[str, Any], heard: tuple[str, int], spoken: tuple[str, int]
) -> None:
    tracker = RealtimeTracker()
    see(tracker, "provider", {"type": "session.updated", "session": session})
    (mine,) = see(tracker, "client", {"type": "input_audio_buffer.append", "audio": AUDIO}).audio
    delta = {"type": "response.output_audio.delta", "item_id": "i", "delta": AUDIO}
    (theirs,) = see(tracker, "provider", delta).audio
    assert (mine.codec, mine.rate) == heard
    assert (theirs.codec, theirs.rate) == spoken


def test_a_response_may_have_a_format_of_its_own() -> None:
    tracker = RealtimeTracker()
    own = {"output": {"format": {"type": "audio/pcmu"}}}
    see(tracker, "provider", {"type": "response.created", "response": {"id": "r1", "audio": own}})
    delta = {"type": "response.output_audio.delta", "response_id": "r1", "delta": AUDIO}
    assert see(tracker, "provider", delta).audio[0].codec == "pcmu"
    assert see(tracker, "provider", delta | {"response_id": "r2"}).audio[0].codec == "pcm16"


def test_streams_are_items_and_their_parts() -> None:
    tracker = RealtimeTracker()
    delta = {"type": "response.output_audio.delta", "item_id": "i", "content_index": 0}
    first = see(tracker, "provider", delta | {"delta": AUDIO}, separators=(",", ":"))
    second = see(tracker, "provider", delta | {"content_index": 2, "delta": AUDIO})
    assert (first.audio[0].stream, second.audio[0].stream) == ("i", "i/2")
    done = {"type": "response.output_audio.done", "item_id": "i", "content_index": 0}
    assert see(tracker, "provider", done).ended == ("i",)
    assert see(tracker, "client", {"type": "input_audio_buffer.commit"}).ended == ("",)


def test_facts_of_the_session() -> None:
    session = {"id": "sess_1", "model": "gpt-realtime"}
    facts = see(
        RealtimeTracker(), "provider", {"type": "session.created", "session": session}
    ).facts
    assert facts == {"external_id": "sess_1", "model": "gpt-realtime"}


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_makes_it_fail(body: bytes) -> None:
    for sender in ("client", "provider"):
        insight = RealtimeTracker().inspect(1, sender, "ws.text", "", body)  # type: ignore[arg-type]
        for field in insight.audio:
            assert 0 <= field.start <= field.end <= len(body)


@given(
    st.sampled_from(["session.created", "response.created"]),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["session", "response", "audio", "input", "output", "format", "type", "id"]
            ),
            inner,
        ),
    ),
)
def test_odd_shapes_do_not_make_it_fail(type_: str, value: object) -> None:
    see(RealtimeTracker(), "provider", {"type": type_, "session": value, "response": value})
