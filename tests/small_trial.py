"""A trial of two scenarios at both providers on virtual time, for tests of what is told of trials.

fill(store)     # trial "switch": four runs that count, read models made
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from library import vapi_call
from tapes import SECRETS, WALL_NS, Take, conversation

from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.derive import refresh
from recorder.store.base import ChannelKind, Store
from recorder.trial.record import END, RUN, TURN, Notes

TRIAL = "switch"
SCENARIOS = ("book-a-table", "barge-in")
_KINDS: dict[str, ChannelKind] = {"ws": "ws", "http": "http", "webhook": "webhook"}
_MINUTE = 60_000_000_000


class Cue(NamedTuple):
    """When the caller came to a turn."""

    at_ms: float
    mode: str = "respond"
    trigger: str = "anchor"


def fill(store: Store, target: str = "simulator") -> list[str]:
    """Record the trial; the sessions, in order."""
    found = []
    for number, scenario in enumerate(SCENARIOS):
        cues = (Cue(60), Cue(4_000, "yield" if number else "ignore"))
        spoken = [_priced(take) for take in conversation(interrupted=bool(number))]
        pairs = (("openai", spoken), ("vapi", vapi_call()))
        for order, (provider, takes) in enumerate(pairs):
            run = {"scenario": scenario, "provider": provider, "repeat": 1, "target": target}
            wall_ns = WALL_NS + (2 * number + order) * _MINUTE
            found.append(keep(store, run, takes, cues, wall_ns))
    refresh(store)
    return found


def _priced(take: Take) -> Take:
    """With a transcriber that has a price."""
    named = b'"input":{"transcription":{"model":"gpt-realtime-whisper"},"format"'
    return take._replace(body=take.body.replace(b'"input":{"format"', named))


def keep(
    store: Store,
    run: dict[str, Any],
    takes: Sequence[Take],
    cues: Sequence[Cue] = (),
    wall_ns: int = WALL_NS,
) -> str:
    """One run as a trial records it."""
    facts = {"trial": TRIAL, "sha256": "5c" * 32, "file": f"{run['scenario']}.toml"}
    told = {**facts, "lacking": ["dtmf: tones"], "turns": len(cues), **run}
    return _recorded(store, run["provider"], takes, told, cues, wall_ns)


def replay(store: Store, of: str, provider: str, takes: Sequence[Take]) -> str:
    """A tape that was played again, in the trial of its tape and with the notes of none."""
    return _recorded(store, provider, takes, None, (), WALL_NS + 60 * _MINUTE, of)


def _recorded(
    store: Store,
    provider: str,
    takes: Sequence[Take],
    run: dict[str, Any] | None,
    cues: Sequence[Cue],
    wall_ns: int,
    parent: str | None = None,
) -> str:
    clock = VirtualClock(0, wall_ns)
    writer = Writer(store, clock, SECRETS)
    writer.start()
    model = "gpt-realtime" if provider == "openai" else None
    origin = "replay" if parent else "proxy"
    tape = writer.open(provider, TRIAL, model=model, parent=parent, origin=origin)
    notes = Notes(tape) if run else None
    if notes and run:
        notes.add(RUN, run)
    kinds = {take.channel: take.kind for take in reversed(takes)}
    numbers = {
        channel: tape.channel(_KINDS[kind.partition(".")[0]], "/v1/realtime")
        for channel, kind in sorted(kinds.items())
    }
    moments = [(take.at_ms, take) for take in takes]
    told = [
        (cue.at_ms, {"turn": number, "mode": cue.mode, "trigger": cue.trigger})
        for number, cue in enumerate(cues, 1)
    ]
    for at_ms, each in sorted([*moments, *told], key=lambda pair: pair[0]):
        clock.advance_to(int(at_ms * 1_000_000))
        if isinstance(each, dict) and notes:
            notes.add(TURN, {**each, "after": "agent_speech_start", "ms": 300})
        elif isinstance(each, Take):
            number = numbers[each.channel]
            tape.record(number, each.sender, each.kind, each.type, each.body)
    if notes:
        notes.add(END, {"outcome": "finished", "reason": None, "stall_ms": 1.0})
        notes.end()
    tape.end("complete")
    writer.close()
    return tape.session
