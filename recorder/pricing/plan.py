"""What so many minutes of conversations would cost, on every model of the book."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from recorder.pricing.conversation import Assumptions, planned
from recorder.pricing.estimate import Bill, Chain, by_second, chain, realtime
from recorder.pricing.prices import PriceBook

MARKS: tuple[int, ...] = (1, 2, 5, 10, 20, 30, 60)
"""Minutes of one conversation at which the curve is told."""


class Plan(NamedTuple):
    """So many minutes in conversations of equal length. `talk_ratio` is the share of the time in
    which somebody speaks, `agent_share` the agent's part of that."""

    minutes: Decimal
    talk_ratio: Decimal = Decimal("0.6")
    turns_per_minute: Decimal = Decimal(6)
    call_minutes: Decimal = Decimal(5)
    agent_share: Decimal = Decimal("0.5")


class Point(NamedTuple):
    """What one conversation has cost after so many minutes: as assumed, and with nothing cached."""

    minutes: int
    usd: Decimal | None
    uncached_usd: Decimal | None


class Offer(NamedTuple):
    """One way to have the planned conversations. `bill` is of one of them."""

    bill: Bill
    usd: Decimal | None
    uncached_usd: Decimal | None
    usd_per_minute: Decimal | None
    curve: tuple[Point, ...]


class Setting(NamedTuple):
    """What a plan is priced with."""

    assumed: Assumptions
    book: PriceBook
    transcriber: str | None
    parts: Chain = Chain()


def offers(plan: Plan, setting: Setting, models: Sequence[str] = ()) -> list[Offer]:
    """Every model of the book, or those of `models`, the cheapest first."""
    found = [
        _offer(plan, setting, each.provider, each.component, each.model)
        for each in setting.book.entries
        if (each.provider, each.component)
        in (("openai", "model"), ("openai-live", "session"), ("vapi", "model"))
        and (not models or each.model in models)
    ]
    unknown = Decimal("Infinity")
    return sorted(found, key=lambda offer: unknown if offer.usd is None else offer.usd)


def _offer(plan: Plan, setting: Setting, provider: str, component: str, model: str) -> Offer:
    def bill(minutes: Decimal, assumed: Assumptions) -> Bill:
        talk = planned(
            minutes, plan.turns_per_minute, plan.talk_ratio, plan.agent_share, setting.assumed
        )
        if component == "session":
            return by_second(talk, model, setting.book)
        if provider == "vapi":
            return chain(talk, model, assumed, setting.book, setting.parts)
        return realtime(talk, model, assumed, setting.book, setting.transcriber)

    uncached = setting.assumed._replace(cached_ratio=Decimal(0))
    one = bill(plan.call_minutes, setting.assumed)
    calls = plan.minutes / plan.call_minutes
    curve = tuple(
        Point(mark, bill(Decimal(mark), setting.assumed).usd, bill(Decimal(mark), uncached).usd)
        for mark in MARKS
    )
    return Offer(
        one,
        _times(one.usd, calls),
        _times(bill(plan.call_minutes, uncached).usd, calls),
        _times(one.usd, 1 / plan.call_minutes),
        curve,
    )


def _times(usd: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if usd is None else usd * factor
