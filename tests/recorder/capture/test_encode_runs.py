"""Events that are taken many at once are stored as if each had been taken by itself, and looked at
by itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.capture.encode import Draft, Encoder, SecretLeft
from recorder.capture.ledger import Ledger
from recorder.capture.runs import this_run
from recorder.capture.tap import Happened, Order
from recorder.chain import SCHEME
from recorder.clock import SystemClock
from recorder.errors import RecorderError
from recorder.events import Sender
from recorder.providers.openai_realtime.capture import RealtimeTracker
from recorder.recording import Recording
from recorder.redact import Redactor, Secrets
from recorder.store.base import SessionRow
from recorder.store.memory import MemoryStore

KNOWN = "Xv7-quartz/Brim_42-Ohm"
SECRETS = Secrets(b"key", (KNOWN,))
KEY = "sk-proj-Qw8zRt5yUo2pAs9dFg"
ROW = SessionRow("s", "t", "openai", 1, SCHEME, "r")
KINDS = ("response.output_text.delta", "response.audio_transcript.delta")


class Patient(Redactor):
    """Looks at every event, and at the whole of it."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__(secrets)
        self._plain.deltas.passing = lambda *_: 0  # type: ignore[method-assign]
        self._plain.deltas.belongs = lambda *_: False  # type: ignore[method-assign]

    def passing(self, *_: object) -> int:
        return 0


def delta(
    text: str, event: str = "event_1", item: str = "item_1", type_: str = KINDS[0], more: str = ""
) -> bytes:
    """A text delta; `event` and `more` (what follows the text) stand in it as they are."""
    shown = json.dumps(text)
    head = f'{{"type":"{type_}","event_id":"{event}","response_id":"resp_1","item_id":"{item}"'
    return f'{head},"output_index":0,"delta":{shown}{more}}}'.encode()


AUDIO = base64.b64encode(bytes(range(96))).decode()
OTHERS = [
    f'{{"type":"response.output_audio.delta","item_id":"item_1","delta":"{AUDIO}"}}',
    '{"type":"response.output_audio.done","item_id":"item_1"}',
    '{"type":"response.output_text.done","text":"words"}',
    '{"type":"session.updated","session":{"id":"sess_1","model":"gpt"}}',
    f'{{"type":"response.output_text.done","text":"{KEY}"}}',
    json.dumps({"type": KINDS[0], "event_id": "e", "item_id": "item_1", "delta": "sk-pr"}),
    json.dumps({"event_id": "e", "type": KINDS[0], "item_id": "item_1", "delta": "oj-Qw8z"}),
    json.dumps({"type": KINDS[0], "delta": "no id", "item_id": "item_1"}),
    f'{{"type":"{KINDS[0]}","event_id":"e","delta":null}}',
    f'{{"type":"{KINDS[0]}","event_id":"e","delta":"cut',
    f'{{"type":"{KINDS[0]}","event_id":"e","delta":{{"delta":"deep"}}}}',
    "no JSON",
]
SAID = (f"use {KEY} now", f"it is {KNOWN}, yes", "the password is easy: Bearer abcd1234efgh5678ij")


def pieces(text: str, sizes: Sequence[int]) -> list[str]:
    """`text` cut into pieces of these sizes, and what is left."""
    cut, at = [], 0
    for size in sizes:
        cut.append(text[at : at + size])
        at += size
    return [*cut, text[at:]]


texts = st.one_of(
    st.text("abc kth.,'é\\\"\n", max_size=9).map(lambda text: [text]),
    st.lists(st.sampled_from([" word", " and", " token", " a=b", " 50%"]), max_size=6),
    st.builds(pieces, st.sampled_from(SAID), st.lists(st.integers(1, 9), max_size=6)),
)
event_ids = st.one_of(
    st.integers(0, 10**9).map(lambda number: f"event_{number}"),
    st.sampled_from(["", "delta", "event_id", f"event_{KEY}", KNOWN, 'a\\"b', "key"]),
)
mores = st.sampled_from(
    ["", "", "", ',"obfuscation":"ab3"', f',"note":"{KEY}"', ',"delta":"again"', ',"token":"x"']
)
deltas = st.builds(
    lambda said, item, type_, ids, more: [
        delta(text, ids[at % len(ids)], item, type_, more) for at, text in enumerate(said)
    ],
    texts,
    st.sampled_from(["item_1", "item_2", f"item_{KEY}"]),
    st.sampled_from(KINDS),
    st.lists(event_ids, min_size=1, max_size=3),
    mores,
)
others = st.sampled_from(OTHERS).map(lambda text: [text.encode()])
senders = st.sampled_from([(1, "provider"), (1, "provider"), (2, "provider"), (1, "client")])
stretches = st.tuples(senders, deltas | deltas | others)


def happened(said: Sequence[tuple[tuple[int, Sender], Sequence[bytes]]]) -> list[Happened]:
    """Events at moments of their own."""
    sent = [(place, body) for place, bodies in said for body in bodies]
    return [
        (1, number, channel, sender, "ws.text", "", body)
        for number, ((channel, sender), body) in enumerate(sent)
    ]


def one_by_one(events: Sequence[Happened]) -> Draft:
    encoder, draft = Encoder(ROW, RealtimeTracker(), Patient(SECRETS)), Draft()
    for event in events:
        encoder.add(*event[1:], draft)
    encoder.flush(draft)
    return draft


def at_once(events: Sequence[Happened], size: int) -> Draft:
    encoder, draft = Encoder(ROW, RealtimeTracker(), Redactor(SECRETS)), Draft()
    for at in range(0, len(events), size):
        encoder.take(events[at : at + size], draft)
    encoder.flush(draft)
    return draft


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(stretches, max_size=9), st.sampled_from([1, 3, 1000]))
def test_what_is_taken_at_once_is_stored_as_if_each_had_been_looked_at(
    said: list[tuple[tuple[int, Sender], list[bytes]]], size: int
) -> None:
    events = happened(said)
    assert at_once(events, size) == one_by_one(events)


def test_secrets_are_found_at_every_border_of_a_long_run() -> None:
    """A run has 64 events; the secret begins before, at and after its end."""
    words = [delta(f" word {number}", f"event_{number}") for number in range(62)]
    for plain in range(58, 62):
        for text in SAID:
            cut = [delta(text[at : at + 3], f"event_{at}") for at in range(0, len(text), 3)]
            events = happened([((1, "provider"), [*words[:plain], *cut, *words])])
            draft = at_once(events, 1000)
            assert draft == one_by_one(events)
            stored = "".join(json.loads(row.body or "")["delta"] for row in draft.batch.events)
            assert KEY[8:] not in stored
            assert KNOWN[4:] not in stored


def test_a_stream_that_was_forgotten_is_looked_at_again() -> None:
    """The last delta of a type is known after its stream was pushed out by those of others."""
    before = [delta(" words", f"event_{number}") for number in range(5)]
    pushing = [delta(" words", item=f"item_{number}") for number in range(300)]
    split = [delta(text) for text in (" use sk-pr", "oj-Qw8zRt5yUo", "2pAs9dFg", " now")]
    events = happened([((2, "provider"), before), ((1, "provider"), pushing)])
    events += happened([((2, "provider"), split)])
    draft = at_once(events, 1000)
    assert draft == one_by_one(events)
    assert "Qw8z" not in "".join(row.body or "" for row in draft.batch.events)


def test_most_deltas_pass_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way for the many is the one that is taken, also when the item changes."""
    looked_at: list[bytes] = []
    redact = Redactor.redact

    def counted(self: Redactor, *event: object) -> bytes:
        looked_at.append(event[-1])  # type: ignore[arg-type]
        return redact(self, *event)  # type: ignore[arg-type]

    monkeypatch.setattr(Redactor, "redact", counted)
    said = [" words", *[" more"] * 19, " caf\u00e9"]  # json.dumps escapes the last
    bodies = [delta(said[n % 21], f"event_{n}", f"item_{n // 50}") for n in range(315)]
    assert len(at_once(happened([((1, "provider"), bodies)]), 1000).batch.events) == 315
    assert len(looked_at) < 45


def test_events_after_one_that_cannot_be_stored_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Redactor, "leftover", lambda *_: "$.delta")
    store, clock = MemoryStore(), SystemClock()
    told: list[RecorderError] = []
    ledger = Ledger(store, clock, SECRETS, "pass", lambda _, error: told.append(error))
    run = this_run(clock)
    ledger.start(run)
    bodies = [delta(" words", f"event_{number}") for number in range(10)]
    bodies[6] = delta(KEY)
    events = happened([((1, "provider"), bodies)])
    orders = [Order(1, "begin", ROW._replace(run=run.id)), Order(1, "channel", (1, "ws", "/"))]
    ledger.write([*orders, *events], more=False)
    assert [type(error) for error in told] == [SecretLeft]
    ledger.finish()
    *kept, hole = Recording(store, "s").events()
    assert (len(kept), hole.at_ns) == (6, 9)
    assert json.loads(hole.body)["lost_events"] == 3
