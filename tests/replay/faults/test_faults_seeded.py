"""Equal seeds have equal faults, whatever runs beside; and simulators can have faults."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence

from faulting import plan, replay, whole_conversation
from hypothesis import given, settings
from hypothesis import strategies as st
from replaying import MS, OPENAI, Client
from tapes import conversation
from thoroughness import examples

from recorder.heads import RequestHead, ResponseHead
from replay.faults import Faulty
from replay.faults.grammar import parse_fault
from replay.faults.selection import Crossing, Selection
from replay.simulators.openai import OpenAISimulator

CHANCES = ["chaos@type=* p=0.4", "corrupt@type=response.* p=0.5", "truncate@type=*done p=0.5"]


def outcome(seed: int, speed: float | None, faults: Sequence[str]) -> list[tuple[str, bytes]]:
    """What came of a whole conversation, without the closes of the replay itself."""
    client = whole_conversation(replay(conversation(), *faults, seed=seed, speed=speed))
    client.run(20_000)
    return [(each.kind, each.body) for each in client.got if each.kind in ("note", "ws.text")]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000), st.lists(st.sampled_from(CHANCES), min_size=1, max_size=3))
def test_equal_seeds_have_equal_faults(seed: int, faults: list[str]) -> None:
    assert outcome(seed, None, faults) == outcome(seed, None, faults)


def test_other_seeds_have_other_faults() -> None:
    assert len({json.dumps(str(outcome(seed, None, CHANCES[:1]))) for seed in range(8)}) == 8


def chosen(crossings: Sequence[Crossing], seed: int) -> Counter[tuple[int, str, float]]:
    """Which crossings of which channel are hit, and what is left to chance of them."""
    selection = Selection(plan(CHANCES), seed)
    seen: Counter[int] = Counter()
    hits: Counter[tuple[int, str, float]] = Counter()
    for crossing in crossings:
        seen[crossing.channel] += 1
        found = selection.choose(crossing)
        if found:
            place = f"{seen[crossing.channel]} {found.fault.name}"
            hits[crossing.channel, place, found.random.random()] += 1
    return hits


@settings(max_examples=examples(100))
@given(st.integers(0, 1_000), st.randoms(use_true_random=False))
def test_faults_do_not_depend_on_what_runs_beside(seed: int, chance: random.Random) -> None:
    types = ["response.created", "response.output_text.delta", "response.done", "session.updated"]
    lines = [[Crossing("type", at, name) for name in types * 3] for at in (1, 2, 3)]
    one_by_one = [crossing for line in lines for crossing in line]
    order = [at for at, line in enumerate(lines) for _ in line]
    chance.shuffle(order)
    mixed = [lines[at].pop(0) for at in order]
    assert chosen(mixed, seed) == chosen(one_by_one, seed)


HEADERS = (("Authorization", "Bearer sk-test"),)


def test_a_probability_is_how_often_it_happens() -> None:
    selection = Selection([parse_fault("drop@type=* p=0.1")], 5)
    hits = sum(selection.choose(Crossing("type", 1, "x")) is not None for _ in range(5_000))
    assert 430 < hits < 570


class Talk(Client):
    """A typed turn with a simulator."""

    def __init__(self, *faults: str, seed: int = 1) -> None:
        simulator = OpenAISimulator(7, 1_790_000_000 * 1_000 * MS)
        machine = Faulty(simulator, plan(faults), OPENAI, seed=seed)
        super().__init__(machine)  # type: ignore[arg-type]
        head = RequestHead("GET", "/v1/realtime", "model=gpt-realtime", HEADERS)
        self.give("ws.open", head.encode())
        self.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        self.send("response.create").run(20_000)


def test_a_simulator_with_faults_is_the_simulator_but_for_them() -> None:
    plain = Talk().types()
    assert plain[0] == "session.created"
    assert "response.done" in plain
    faulty = Talk("drop@type=response.done", "duplicate@type=session.created").types()
    assert faulty == ["session.created", *(each for each in plain if each != "response.done")]


def test_a_step_of_a_simulator_is_its_message_on_the_connection() -> None:
    talk = Talk("close@step=3 code=1013")
    assert talk.types() == Talk().types()[:2]
    assert talk.got[-1].kind == "ws.close"
    assert str(talk.machine.applied[0]) == f"close@step=3 code=1013: {Talk().types()[2]}"  # type: ignore[attr-defined]


def test_a_simulator_sees_a_connection_that_a_fault_ends_as_lost() -> None:
    talk = Talk("break@type=response.created")
    assert talk.machine.next_deadline() is None
    assert talk.run(60_000).got[-1].kind == "ws.close"


def test_a_refused_connection_does_not_reach_a_simulator() -> None:
    talk = Talk("refuse@open status=502")
    assert ResponseHead.decode(talk.got[-1].body).status == 502
    assert talk.types() == []
    assert talk.machine.next_deadline() is None
