"""A trial of 10 x 5 paired runs against simulators that are seeded to differ, on virtual time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest
from declared_criteria import FAILING_CALLS, WAIT, criteria_file, primary
from tapes import SECRETS

from recorder.audio.pcm import to_bytes
from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.comparison.comparing import compare
from recorder.comparison.criteria import read_criteria
from recorder.comparison.gather import gather
from recorder.derive import derive
from recorder.events import Message
from recorder.heads import RequestHead
from recorder.pricing import PriceBook
from recorder.store.memory import MemoryStore
from recorder.trial.doubles import Doubles
from recorder.trial.record import END, RUN, TURN, Notes
from recorder.trial.rendering import Clip
from recorder.trial.scenario import Scenario, read_scenario
from recorder.trial.sides import side
from recorder.trial.sides.base import Party, script
from replay.loopback import Loopback
from replay.simulators.common.voice import synthesise
from replay.simulators.openai import OpenAISimulator, Options

WALL_NS = 1_790_000_000_000_000_000
MINUTE_NS = 60_000_000_000
SCENARIOS, REPEATS, CALLS = 10, 5, 3
CRITERIA = criteria_file(
    WAIT,
    FAILING_CALLS,
    primary("cost", "usd_per_run", 10),
    primary("end of speech", "eos_delay_ms", 80, "p50"),
    baseline="plain",
)
TEXT = """schema = 1
id = "scenario-{number}"
title = "Three bookings"
[agent]
instructions = "You book tables."
[[agent.tools]]
name = "book_table"
description = "Book a table"
{answers}
{turns}
[end]
quiet_ms = 300
max_s = 60
"""
ANSWER = '[[tool]]\nname = "book_table"\ntimes = 1\ndelay_ms = 50\n{with_}\n'


class Arm(NamedTuple):
    """A simulator: its latency, which a turn with a call waits for twice; how often a call fails;
    and what it costs, times the listed price."""

    name: str
    latency_ms: int = 250
    failing: float = 0.0
    usd: str = "1"


class Keyed:
    """A party whose connection has a key."""

    def __init__(self, party: Party) -> None:
        self._party = party
        self.receive, self.next_deadline = party.receive, party.next_deadline

    def due(self, now: int) -> list[Message]:
        return [self._keyed(message) for message in self._party.due(now)]

    def _keyed(self, message: Message) -> Message:
        if message.kind != "ws.open":
            return message
        head = RequestHead.decode(message.body)
        head = replace(head, headers=(*head.headers, ("Authorization", "Bearer made-up")))
        return message._replace(body=head.encode())


def scenario(number: int, failing: float, chance: random.Random) -> Scenario:
    """Three turns that each have the tool called, longer from scenario to scenario."""
    say = " ".join(["Book a table", *["please"] * (number % 4)])
    turns = "".join(f'[[turn]]\nsay = "{say}, number {each}."\n' for each in range(1, CALLS + 1))
    answers = "".join(
        ANSWER.format(
            with_='error = "down"' if chance.random() < failing else 'result = { state = "okay" }'
        )
        for _ in range(CALLS)
    )
    return read_scenario(TEXT.format(number=number, answers=answers, turns=turns), "s.toml")


def clips(of: Scenario) -> Iterator[tuple[int, Clip]]:
    for turn in of.turns:
        sound = synthesise(turn.say or "")
        yield turn.number, Clip(to_bytes(sound) + b"\0\0" * 12_000, len(sound) // 24, "made-up")


def hold(store: MemoryStore, arm: Arm, number: int, repeat: int, place: int) -> None:
    """One run on the store, with its read models."""
    chance = random.Random(f"{arm.name}/{number}/{repeat}")
    found, sound = side("openai"), scenario(number, arm.failing, chance)
    party = found.party(
        sound, script(sound, dict(clips(sound)), found.RATE), Doubles(sound.doubles)
    )
    says = tuple(turn.say or "" for turn in sound.turns)
    options = Options(transcripts=says, replies=("Done.",) * 6, latency_ms=arm.latency_ms)
    machine = OpenAISimulator(chance.randrange(1 << 30), 0, options)
    clock = VirtualClock(0, WALL_NS + place * MINUTE_NS)
    writer = Writer(store, clock, SECRETS)
    writer.start()
    tape = writer.open("openai", "seeded", model="gpt-realtime")
    notes = Notes(tape)
    facts = {"scenario": f"scenario-{number}", "sha256": "", "file": "s.toml", "repeat": repeat}
    notes.add(RUN, {**facts, "provider": arm.name, "target": "simulator", "turns": CALLS})
    line = tape.channel("ws", "/v1/realtime")
    for at_ns, sender, message in Loopback(Keyed(party), machine, limit_ns=2 * MINUTE_NS):
        clock.advance_to(at_ns)
        name = "GET /v1/realtime" if message.kind == "ws.open" else ""
        tape.record(line, sender, message.kind, name, message.body)
        if party.finished:
            break
    for moment in party.moments:
        if moment.cue.number:
            notes.add(TURN, {"turn": moment.cue.number, "mode": "respond", "trigger": "anchor"})
    notes.add(END, {"outcome": "failed" if party.failed else "finished", "stall_ms": 0.0})
    notes.end()
    tape.end("complete")
    writer.close()
    priced(store, tape.session, Decimal(arm.usd))


def priced(store: MemoryStore, session: str, times: Decimal) -> None:
    """Make the read models, by prices that are so many times those listed."""
    row = store.session(session)
    assert row
    tables = derive(store, row, PriceBook.shipped().then(row.wall_ns))
    costs = [line._replace(usd=f"{Decimal(line.usd) * times:f}") for line in tables["cost_line"]]  # type: ignore[attr-defined]
    store.put_models(session, {**tables, "cost_line": costs})


@pytest.mark.slow
def test_seeded_differences_are_found_and_the_absent_one_is_not() -> None:
    store = MemoryStore()
    arms = (Arm("plain"), Arm("seeded", latency_ms=350, failing=0.1, usd="1.3"))
    place = 0
    for number in range(SCENARIOS):
        for repeat in range(1, REPEATS + 1):
            for arm in arms:
                hold(store, arm, number, repeat, place)
                place += 1
    criteria = read_criteria(CRITERIA, "criteria.toml")
    found = compare(gather(store, "seeded", lambda kept: True), criteria, "before")
    assert [arm.valid for arm in found.arms] == [SCENARIOS * REPEATS] * 2
    told = {each.criterion.name: each for each in found.pairs[0].findings}
    for name, truth in (("wait", 200), ("failing calls", 10), ("cost", 30)):
        effect = told[name].effect
        assert effect
        assert told[name].verdict in ("worse", "worse-size-uncertain"), effect
        assert effect.low <= truth <= effect.high, effect
    assert told["end of speech"].verdict == "equivalent"
