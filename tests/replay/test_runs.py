"""A tape's client side against a simulator in this process, with a store: also a whole call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from calling import hold
from tapes import SECRETS
from vapi_client import Client

from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.events import Event
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.store.base import ChannelKind, Store
from recorder.store.memory import MemoryStore
from recorder.verify import verify
from replay.digest import tape_digest
from replay.match.rulebook import Rulebook
from replay.runs import Runner, load_part
from replay.simulators.vapi import Options, VapiSimulator

VAPI = PROVIDERS["vapi"]
WALL_NS = 1_790_000_000_000_000_000
OPTIONS = Options(
    transcripts=("The weather in Oslo?", "Tell me something long.", "Stop."),
    replies=("It rains.", "Once upon a time there was a story without an end at all.", "Bye."),
)


@pytest.fixture
def store() -> Iterator[Store]:
    with closing(MemoryStore()) as made:
        yield made


def keep(store: Store, events: Sequence[Event]) -> str:
    """Put a call into a store."""
    clock = VirtualClock(wall_ns=WALL_NS)
    writer = Writer(store, clock, SECRETS)
    writer.start()
    tape = writer.open("vapi", "calls")
    kinds: dict[str, ChannelKind] = {"ws": "ws", "http": "http", "webhook": "webhook"}
    numbers: dict[int, int] = {}
    for event in events:
        kind = kinds[event.kind.partition(".")[0]]
        if event.channel not in numbers:
            numbers[event.channel] = tape.channel(kind, event.type)
        clock.advance_to(event.at_ns)
        type_ = "" if event.kind.startswith("ws.") and event.kind != "ws.open" else event.type
        tape.record(numbers[event.channel], event.sender, event.kind, type_, event.body)
    writer.close()
    return tape.session


def digest(store: Store, session: str) -> str:
    return tape_digest(Recording(store, session).events(), VAPI, Rulebook(VAPI.RULES)).digest


def test_a_call_is_made_again_and_recorded_with_its_webhooks(store: Store) -> None:
    session = keep(store, hold(Client(), VapiSimulator(3, WALL_NS, OPTIONS), 0, VAPI))
    row = store.session(session)
    assert row is not None
    part = load_part(store, row)
    assert part.seed == 3
    runner = Runner(part, store, SECRETS, limit_s=120)
    same = runner.against_machine(lambda wall_ns: VapiSimulator(3, wall_ns, OPTIONS))
    assert str(same.verdict).startswith("PASS steps=7/7 audio=")
    assert same.verdict.notes == ()
    assert same.session is not None
    assert digest(store, same.session) == digest(store, session)
    recorded = store.session(same.session)
    assert recorded is not None
    assert (recorded.parent, recorded.origin, recorded.status) == (session, "replay", "complete")
    kinds = {channel.kind for channel in Recording(store, same.session).channels()}
    assert kinds == {"ws", "http", "webhook"}
    assert verify(store, recorded).fault is None
    other = runner.against_machine(lambda wall_ns: VapiSimulator(4, wall_ns, OPTIONS))
    assert other.verdict.outcome == "pass"
    assert other.session is not None
    assert digest(store, other.session) != digest(store, session)
