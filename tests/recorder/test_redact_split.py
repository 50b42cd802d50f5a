"""Secrets that are split over messages: a piece is stored before the next is seen."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.redact import Redactor, Secrets, marker

KNOWN = "Xv7-quartz/Brim_42-Ohm"
SECRETS = Secrets(b"key", (KNOWN,))
MARKS = re.compile(r"\[redacted(?::[0-9a-f]{12})?\]")
PAYLOAD = "Qw8zRt5yUo2pAs9dFg"
STORED = 3  # characters that may be stored before a secret can be told

# id -> what is sent, the part of it that nobody may read
SPLIT = {
    "provider key": (f"use sk-proj-{PAYLOAD} now", PAYLOAD),
    "client secret": (f"use ek_{PAYLOAD} now", PAYLOAD),
    "live key": (f"use sk_live_{PAYLOAD} now", PAYLOAD),
    "grok key": (f"use xai-{PAYLOAD} now", PAYLOAD),
    "slack token": (f"use xoxb-12-{PAYLOAD} now", PAYLOAD),
    "google key": (f"use AIzaSy{PAYLOAD}{PAYLOAD[:15]} now", PAYLOAD),
    "aws key": ("use AKIAQW8ZRT5YUO2PAS9D now", "QW8ZRT5YUO2PAS9D"),
    "jwt": (f"use eyJ{PAYLOAD}.{PAYLOAD[::-1]}.{PAYLOAD} now", PAYLOAD),
    "bearer": (f"say Bearer {PAYLOAD} now", PAYLOAD),
    "basic": ("say Basic dXNlcjpvcGVuIHNlc2FtZQ== now", "dXNlcjpvcGVuIHNlc2FtZQ=="),
    "known value": (f"it is {KNOWN} now", KNOWN),
    "known value in a word": (f"it is{KNOWN}now", KNOWN[6:]),
    "userinfo": (f"at wss://user:{PAYLOAD}@host/x now", PAYLOAD),
    "query": (f"at wss://host/x?api_key={PAYLOAD} now", PAYLOAD),
    "assignment": (f"set PASSWORD={PAYLOAD} now", PAYLOAD),
    "field": (f'{{"user": "u", "password": "{PAYLOAD}", "n": 1}}', PAYLOAD),
    "field after others": (f'{{"a": "{"b c " * 40}", "token": "{PAYLOAD}"}}', PAYLOAD),
    "private key": (
        f"see -----BEGIN PRIVATE KEY-----\n{PAYLOAD}\n{PAYLOAD}=\n-----END PRIVATE KEY----- (end)",
        PAYLOAD,
    ),
}
IN_BODIES = {
    **SPLIT,
    "sdp": (f"v=0\r\na=ice-ufrag:Ab\r\na=ice-pwd:{PAYLOAD}\r\na=mid:0\r\n", PAYLOAD),
    "JSON": (f'{{"client_secret":{{"value":"{PAYLOAD}","expires_at":1}}}}', PAYLOAD),
    "JSON with escapes": (f'{{"t":"sk\\u002d{PAYLOAD}","n":1}}', PAYLOAD),
    "form": (f"a=b&client_secret={PAYLOAD}&c=d", PAYLOAD),
}


def delta(text: str, item: str = "item_1", number: int = 1) -> bytes:
    event = {
        "type": "response.output_text.delta",
        "event_id": f"event_{number}",
        "response_id": "resp_1",
        "item_id": item,
        "output_index": 0,
        "content_index": 0,
        "delta": text,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def send(redactor: Redactor, pieces: list[str], item: str = "item_1") -> list[str]:
    """What is stored of a text that arrives in `pieces`."""
    stored = []
    for number, piece in enumerate(pieces):
        body = delta(piece, item, number)
        result = redactor.redact(1, "provider", "ws.text", "response.output_text.delta", body)
        assert redactor.leftover(result) is None
        event = json.loads(result)
        stored.append(event.pop("delta"))
        assert event == {k: v for k, v in json.loads(body).items() if k != "delta"}
    return stored


def send_body(pieces: list[str]) -> list[str]:
    redactor = Redactor(SECRETS)
    return [
        redactor.redact(1, "client", "http.chunk", "", piece.encode()).decode()
        for piece in pieces
        if piece
    ]


def check(stored: list[str], text: str, payload: str) -> None:
    """No more than the first few characters of the payload are left, and the rest is there."""
    left = MARKS.sub("", "".join(stored))
    grams = {payload[at : at + STORED + 1] for at in range(len(payload) - STORED)}
    assert not [gram for gram in grams if gram in left]
    before, _, after = text.partition(payload)
    assert left.startswith(before[:4])
    after = after.rpartition(payload)[2]
    assert left.endswith(after[-3:])


@pytest.mark.parametrize("name", SPLIT)
def test_split_over_two_deltas_at_every_border(name: str) -> None:
    text, payload = SPLIT[name]
    for border in range(1, len(text)):
        check(send(Redactor(SECRETS), [text[:border], text[border:]]), text, payload)


@pytest.mark.parametrize("name", IN_BODIES)
def test_split_over_two_chunks_at_every_border(name: str) -> None:
    text, payload = IN_BODIES[name]
    for border in range(1, len(text)):
        check(send_body([text[:border], text[border:]]), text, payload)


@pytest.mark.parametrize("name", SPLIT)
def test_split_into_single_characters(name: str) -> None:
    text, payload = SPLIT[name]
    check(send(Redactor(SECRETS), list(text)), text, payload)
    check(send_body(list(text)), text, payload)


def heard(text: str, number: int) -> dict[str, Any]:
    """A piece of a transcript of GPT-Live: its place in time differs from piece to piece."""
    place = {"start_ms": 200 * number, "end_ms": 200 * number + 200}
    kind = "session.output_transcript.delta"
    return {"type": kind, **place, "delta": text, "event_id": f"event_{number}"}


def carried(text: str, number: int, item: str = "fc_1") -> dict[str, Any]:
    """A piece of a function's arguments, as GPT-Live carries the events of its backend."""
    kind = "response.function_call_arguments.delta"
    told = {"type": kind, "sequence_number": number, "item_id": item, "delta": text}
    return {"event_id": f"event_{number}", "type": "response.event", "event": told}


def send_events(redactor: Redactor, events: list[dict[str, Any]]) -> list[str]:
    stored = []
    for event in events:
        body = json.dumps(event).encode()
        result = json.loads(redactor.redact(1, "provider", "ws.text", event["type"], body))
        piece = result.get("event", result).pop("delta")
        event.get("event", event).pop("delta")
        assert result == event
        stored.append(piece)
    return stored


@pytest.mark.parametrize("name", SPLIT)
@pytest.mark.parametrize("layout", [heard, carried])
def test_split_over_the_pieces_of_gpt_live(layout: Any, name: str) -> None:
    text, payload = SPLIT[name]
    for size in (1, 7):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        events = [layout(piece, number) for number, piece in enumerate(pieces)]
        check(send_events(Redactor(SECRETS), events), text, payload)


def test_carried_streams_do_not_mix() -> None:
    redactor = Redactor(SECRETS)
    first, second = [], []
    for number, piece in enumerate(["use sk-proj-", PAYLOAD[:9], f"{PAYLOAD[9:]} now"]):
        first += send_events(redactor, [carried(piece, number)])
        second += send_events(redactor, [carried("just words ", number, "fc_2")])
    assert second == ["just words "] * 3
    assert MARKS.sub("", "".join(first)) == "use  now"


@settings(max_examples=examples(60), deadline=None)
@given(st.sampled_from(sorted(SPLIT)), st.lists(st.integers(1, 12), max_size=12))
def test_split_anyhow(name: str, sizes: list[int]) -> None:
    text, payload = SPLIT[name]
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    pieces.append(text[at:])
    check(send(Redactor(SECRETS), [piece for piece in pieces if piece]), text, payload)


def test_a_clean_stream_is_not_touched() -> None:
    redactor = Redactor(SECRETS)
    for number, piece in enumerate(["Hel", "lo, ", "a \n", "task", "-based ", "idea", "\u00e9 \\"]):
        body = delta(piece, number=number)
        assert redactor.redact(1, "provider", "ws.text", "x.delta", body) is body


def test_a_false_beginning_costs_no_more_than_the_piece() -> None:
    assert send(Redactor(SECRETS), ["about sk-", "learn and more"]) == [
        "about [redacted]",
        "learn and more",
    ]


def test_streams_do_not_mix() -> None:
    redactor = Redactor(SECRETS)
    pieces = ["use sk-proj-", PAYLOAD[:9], f"{PAYLOAD[9:]} now"]
    first, second = [], []
    for piece in pieces:
        first += send(redactor, [piece], "item_1")
        second += send(redactor, ["just words "], "item_2")
    assert second == ["just words "] * 3
    assert MARKS.sub("", "".join(first)) == "use  now"


def test_a_secret_in_an_id_is_found_in_every_delta() -> None:
    redactor = Redactor(SECRETS)
    for number in range(3):
        body = delta("words", f"item {KNOWN}", number)
        result = redactor.redact(1, "provider", "ws.text", "response.output_text.delta", body)
        assert KNOWN.encode() not in result


def test_the_piece_that_ends_a_secret_names_it() -> None:
    key = f"sk-proj-{PAYLOAD}"
    assert send(Redactor(SECRETS), ["use sk-pr", f"oj-{PAYLOAD} now"]) == [
        "use [redacted]",
        f"{marker(SECRETS, key)} now",
    ]
    assert send(Redactor(SECRETS), [f"use {key}", " now"]) == [
        f"use {marker(SECRETS, key)}",
        " now",
    ]


def test_a_secret_without_end_stays_out_with_bounded_memory() -> None:
    redactor = Redactor(SECRETS)
    stored = send(redactor, ["-----BEGIN PRIVATE KEY-----\n", *[PAYLOAD * 20] * 60, "=\n"])
    assert PAYLOAD[:4] not in "".join(stored)
    assert set(stored[2:-1]) == {"[redacted]"}
    (tail,) = redactor._plain._streams._tails.values()
    assert len(tail.text) < 8192


def test_bodies_of_other_exchanges_do_not_continue_each_other() -> None:
    redactor = Redactor(SECRETS)
    redactor.redact(1, "client", "http.chunk", "", b"see sk-")
    redactor.redact(1, "client", "http.chunk", "", b"")
    rest = PAYLOAD.encode()
    assert redactor.redact(1, "client", "http.chunk", "", rest) is rest
    redactor.redact(1, "client", "http.chunk", "", b"see sk-")
    assert redactor.redact(2, "client", "http.chunk", "", rest) is rest
    assert redactor.redact(1, "provider", "http.chunk", "", rest) is rest


def test_ends_are_forgotten_from_the_oldest() -> None:
    redactor = Redactor(SECRETS)
    send(redactor, ["use sk-"], "item_first")
    for number in range(300):
        send(redactor, ["words"], f"item_{number}")
    assert send(redactor, [PAYLOAD], "item_first") == [PAYLOAD]


def test_a_whole_secret_within_a_delta_beside_its_text() -> None:
    redactor = Redactor(SECRETS)
    body = delta("words").replace(b"}", b',"obfuscation":"sk-proj-%s"}' % PAYLOAD.encode())
    for _ in range(3):
        result = redactor.redact(1, "provider", "ws.text", "response.output_text.delta", body)
        assert PAYLOAD.encode() not in result
        assert json.loads(result)["delta"] == "words"


def test_deltas_without_ids_or_in_another_layout_are_streams_too() -> None:
    redactor = Redactor(SECRETS)
    kind = "session.output_transcript.delta"
    for text in ("use sk-pr", f"oj-{PAYLOAD}", " now"):
        body = json.dumps({"delta": text, "type": kind}).encode()
        result = redactor.redact(1, "provider", "ws.text", kind, body)
        assert PAYLOAD[:4].encode() not in result


@pytest.mark.parametrize("body", [b"", b"not JSON", b'{"delta":null}', b'{"delta":', b'["delta"]'])
def test_a_delta_without_text_is_no_stream(body: bytes) -> None:
    assert Redactor(SECRETS).redact(1, "provider", "ws.text", "x.delta", body) is body
