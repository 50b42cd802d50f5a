"""A party under watch hangs up when it costs too much or takes too long."""

from __future__ import annotations

import json
from decimal import Decimal

from recorder.events import Message
from recorder.pricing import Meter, PriceBook
from recorder.providers import provider
from recorder.trial.cues import Moment
from recorder.trial.steps import Cue
from recorder.trial.watch import Watched

NS = 1_000_000_000
MOMENT = Moment(Cue("session_ready", number=1), 5, "anchor")


class Party:
    """Ends when told to."""

    def __init__(self) -> None:
        self.failed: str | None = None
        self.finished = False
        self.moments: list[Moment] = []
        self.got: list[Message] = []

    def receive(self, message: Message, now: int) -> None:
        self.got.append(message)

    def due(self, now: int) -> list[Message]:
        return []

    def next_deadline(self) -> int | None:
        return None

    def give_up(self, why: str, now: int) -> None:
        self.failed, self.finished = why, True


def watched(party: Party, cap: str | None = None, max_s: float = 60.0) -> Watched:
    meter = Meter(provider("openai"), PriceBook.shipped())
    return Watched(party, meter, Decimal(cap) if cap else None, max_s, told.append)


told: list[Moment] = []


def done(tokens: int) -> Message:
    """The end of a reply of so many tokens of audio."""
    usage = {
        "input_tokens": 0,
        "output_tokens": tokens,
        "output_token_details": {"audio_tokens": tokens, "text_tokens": 0},
    }
    reply = {"id": f"resp_{tokens}", "status": "completed", "usage": usage}
    created = {"type": "response.done", "response": reply}
    return Message(1, "ws.text", json.dumps(created).encode())


def session() -> Message:
    created = {"type": "session.created", "session": {"model": "gpt-realtime"}}
    return Message(1, "ws.text", json.dumps(created).encode())


def test_a_run_ends_when_its_cap_is_passed_and_not_before() -> None:
    party = Party()
    watch = watched(party, "0.02")
    watch.receive(session(), 0)
    watch.receive(done(100), 1)
    assert Decimal(0) < watch.known_usd < Decimal("0.02")
    assert party.failed is None
    watch.receive(done(1000), 2)
    assert party.failed == "more than $0.02 is spent"
    assert watch.over_budget
    assert len(party.got) == 3


def test_without_a_cap_nothing_is_too_much() -> None:
    party = Party()
    watch = watched(party)
    watch.receive(session(), 0)
    watch.receive(done(1_000_000), 1)
    assert party.failed is None


def test_a_run_ends_after_its_time() -> None:
    party = Party()
    watch = watched(party, max_s=30)
    watch.due(5 * NS)
    assert watch.next_deadline() == 35 * NS
    watch.due(35 * NS - 1)
    assert party.failed is None
    watch.due(35 * NS)
    assert party.failed == "it took longer than 30 s"
    assert watch.next_deadline() is None


def test_moments_are_told_once() -> None:
    party = Party()
    watch = watched(party)
    told.clear()
    party.moments.append(MOMENT)
    watch.due(10)
    watch.due(20)
    assert told == [MOMENT]
