"""What a run costs while it goes on, and when it has to stop."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from recorder.events import Event
from replay.caller.acts import Plan, SocketPlan


class Meter(Protocol):
    """Adds up what a provider's messages cost."""

    def take(self, type_: str, message: Mapping[str, Any], /) -> object:
        """The next message of the provider."""
        ...

    @property
    def usd(self) -> Decimal | None:
        """What all of it cost; None where a price is not known."""
        ...


class Budget:
    """Follows the costs of a run; without a `meter` there are none. `cap` is what may be spent, in
    dollars; `turns` is what each turn cost on the tape, the first is what belongs to none."""

    def __init__(
        self, meter: Meter | None = None, cap: Decimal | None = None, turns: Sequence[Decimal] = ()
    ) -> None:
        self._meter, self._cap, self._turns = meter, cap, tuple(turns)
        self._spent = Decimal(0)  # as far as it is known: a reply under way has no price yet

    def take(self, type_: str, body: bytes) -> None:
        """The next message of the provider."""
        if self._meter is not None:
            _tell(self._meter, type_, body)
            usd = self._meter.usd if self._cap is not None else None
            self._spent = self._spent if usd is None else usd

    @property
    def usd(self) -> Decimal | None:
        """What was spent, None if that is not known."""
        return self._meter.usd if self._meter else None

    def refuses(self, turn: int) -> str | None:
        """Why a turn is not begun: with what it cost on the tape, more than the cap is spent."""
        coming = self._turns[turn] if turn < len(self._turns) else Decimal(0)
        if self._cap is None or self._spent + coming <= self._cap:
            return None
        return (
            f"the budget of ${self._cap} would be passed: ${self._spent:.4f} spent, "
            f"${coming:.4f} for this turn on the tape"
        )

    @property
    def exceeded(self) -> str | None:
        """Why a run has to stop at once."""
        if self._cap is None or self._spent <= self._cap:
            return None
        return f"the budget of ${self._cap} is passed: ${self._spent:.4f} spent"


def cost_by_turn(events: Iterable[Event], plan: Plan, meter: Meter) -> list[Decimal] | None:
    """What each turn of a tape cost, beginning with what belongs to none: a bill that comes by HTTP
    is for the whole conversation. None if a price is not known."""
    starts = [
        (act.seq, act.turn)
        for entry in plan.entries
        if isinstance(entry.what, SocketPlan)
        for act in entry.what.acts
    ]
    costs = [Decimal(0)] * (max((turn for _, turn in starts), default=0) + 1)
    before = Decimal(0)
    bodies: dict[int, bytes] = {}
    for event in events:
        if event.sender != "provider" or event.kind not in ("ws.text", "http.chunk"):
            continue
        body = event.body
        if event.kind == "http.chunk" and body:
            bodies[event.channel] = bodies.get(event.channel, b"") + body
            continue
        if event.kind == "http.chunk":
            body = bodies.pop(event.channel, b"")
        _tell(meter, event.type, body)
        after = meter.usd
        if after is None:
            continue  # a reply under way has no price yet
        at = bisect_right(starts, (event.seq, len(costs))) - 1
        turn = starts[at][1] if at >= 0 and event.kind == "ws.text" else 0
        costs[turn] += after - before
        before = after
    return None if meter.usd is None else costs


def _tell(meter: Meter, type_: str, body: bytes) -> None:
    if type_.endswith(".delta"):
        return  # a piece of something says nothing of costs, and need not be read
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return  # not JSON: it says nothing of costs
    if isinstance(message, dict):
        meter.take(type_, message)
