"""What sessions cost and what plans would cost, put together for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from recorder.counting import counted
from recorder.derive import seen
from recorder.errors import RecorderError
from recorder.pricing import CostLine, Meter, PriceBook, cost_of
from recorder.pricing.compare import cached_ratio, compared, growth
from recorder.pricing.conversation import Assumptions
from recorder.pricing.estimate import Chain
from recorder.pricing.heard import Heard, heard
from recorder.pricing.plan import Plan, Setting, offers
from recorder.projections import project
from recorder.providers import provider
from recorder.recording import find_session
from recorder.report import bills
from recorder.report.elsewhere import elsewhere_facts, elsewhere_table, other_bills
from recorder.report.tables import Column, table
from recorder.store.base import SessionRow, Store


class Asked(NamedTuple):
    """How to price: the day of the prices and a book, where they were asked for; what is assumed;
    which models, all where none is named; and who transcribes on Realtime."""

    prices: date | None
    book: Path | None
    assumed: Assumptions
    models: tuple[str, ...]
    transcriber: str | None
    parts: Chain

    def price_book(self, wall_ns: int | None = None) -> PriceBook:
        """The book, with the prices of the day that was asked for, else of that of a session."""
        on = self.prices
        book = PriceBook.load(self.book, on) if self.book else PriceBook.shipped(on)
        return book if on is not None or wall_ns is None else book.then(wall_ns)


class Estimate(NamedTuple):
    """What is told: lines for people, facts for machines, and what of it has no price."""

    lines: list[str]
    facts: dict[str, Any]
    unpriced: list[str]


def of_plan(plan: Plan, asked: Asked, width: int | None) -> Estimate:
    """A plan on all models, or on those that are asked for."""
    setting = Setting(asked.assumed, asked.price_book(), asked.transcriber, asked.parts)
    found = offers(plan, setting, asked.models)
    missing = set(asked.models) - {offer.bill.model for offer in found}
    if missing:
        names = ", ".join(sorted(missing))
        raise RecorderError(f"{setting.book.label} has no model {names}: leave --model out for all")
    unpriced = _unpriced(line for offer in found for line in offer.bill.lines)
    assumed = _plan_assumptions(plan, setting)
    lines = [
        f"{counted(plan.minutes, 'minute')} in conversations of {plan.call_minutes}; "
        f"{setting.book.label}",
        "",
        *bills.offer_table(found, width),
        "",
        "one conversation after so many minutes, as assumed/with nothing cached, in dollars:",
        *bills.curve_table(found, width),
        "",
        *(f"assumed: {each}" for each in assumed),
        *bills.remarks((), unpriced),
    ]
    facts = {
        "plan": {name: bills.plain(value) for name, value in plan._asdict().items()},
        "price_book": setting.book.label,
        "assumptions": assumed,
        "offers": [bills.offer_facts(offer) for offer in found],
        "unpriced": unpriced,
    }
    return Estimate(lines, facts, unpriced)


def _plan_assumptions(plan: Plan, setting: Setting) -> list[str]:
    return [
        f"somebody speaks in {bills.percent(plan.talk_ratio)} of the time, the agent in "
        f"{bills.percent(plan.agent_share)} of that",
        f"{counted(plan.turns_per_minute, 'turn')} a minute, one answer a turn, no calls of "
        "functions",
        *setting.assumed.told(),
        f"Realtime with {setting.transcriber or 'no transcriber'}; of GPT-Live the open session "
        "alone, what works behind it is extra",
        f"Vapi with {setting.parts.transcriber}, {setting.parts.voice}, "
        f"{setting.parts.transport or 'no carrier'}, all under Vapi's keys; ~ marks rough prices",
    ]


def _unpriced(lines: Iterable[CostLine]) -> list[str]:
    found = (
        f"no price for {line.provider} {line.component} {line.model} {line.meter} ({line.unit}) "
        f"in {line.price_book}"
        for line in lines
        if line.usd is None
    )
    return list(dict.fromkeys(found))


def _metered(store: Store, row: SessionRow, book: PriceBook) -> Meter:
    return cost_of((each.event for each in seen(store, row.id)), provider(row.provider), book)


def of_session(store: Store, session: str, asked: Asked, width: int | None) -> Estimate:
    """What a session cost, and what the others would have cost."""
    row = find_session(store, session)
    book = asked.price_book(row.wall_ns)
    meter = _metered(store, row, book)
    points, ratio = growth(meter.lines, book), cached_ratio(meter.lines)
    unpriced = meter.unpriced
    lines = [f"session {row.id} ({row.provider}): {bills.dollars(meter.usd)}; {book.label}", ""]
    lines += bills.bill_table(meter.beside, width) or ["it tells of nothing that was used"]
    facts: dict[str, Any] = {"session": row.id, "provider": row.provider, "price_book": book.label}
    facts |= bills.bill_facts(meter.beside, points)
    if len(points) > 1:
        share = f"cached: {bills.percent(ratio)} of the model's input; "
        lines += ["", f"{'' if ratio is None else share}how it grew:"]
        lines += bills.growth_table(points, width)
    if row.provider == "vapi":
        other = _on_realtime(store, row, meter, asked, width)
        lines += ["", *other.lines]
        facts["realtime"] = other.facts
        unpriced = [*unpriced, *other.unpriced]
    other = _elsewhere(store, row, meter, asked, width)
    lines += other.lines
    facts["elsewhere"] = other.facts
    lines += ["", *bills.remarks(meter.notes, unpriced)]
    facts |= {"unpriced": unpriced, "notes": meter.notes}
    return Estimate(lines if lines[-1] else lines[:-1], facts, unpriced)


def _on_realtime(
    store: Store, row: SessionRow, meter: Meter, asked: Asked, width: int | None
) -> Estimate:
    """The conversation of a call on each Realtime model; the bill is that of the first."""
    said, book = _heard(store, row, meter, asked), asked.price_book(row.wall_ns)
    if not said.talk.turns or not said.talk.seconds:
        line = "nothing that was said is on the tape: there is no telling what Realtime would cost"
        return Estimate([line], {}, [])
    listed = [each for each in book.entries if each.provider == "openai"]
    names = asked.models or tuple(each.model for each in listed if each.component == "model")
    found = [
        compared(meter.lines, said.talk, name, asked.assumed, book, asked.transcriber)
        for name in names
    ]
    assumed = _heard_assumptions(said, asked)
    bill = [(line, line.usd) for line in found[0].bill.lines]
    lines = [
        f"the same conversation on Realtime ({bills.dollars(meter.usd)} on Vapi):",
        *bills.comparison_table(found, width),
        "",
        f"on {names[0]}, by component:",
        *bills.bill_table(bill, width),
        "",
        *(f"assumed: {each}" for each in assumed),
    ]
    facts = {
        "assumptions": assumed,
        "turns": len(said.talk.turns),
        "seconds": bills.plain(said.talk.seconds),
        "talk_ratio": bills.plain(said.talk.talk_ratio),
        "models": [bills.comparison_facts(each) for each in found],
    }
    return Estimate(lines, facts, _unpriced(line for each in found for line in each.bill.lines))


def _elsewhere(
    store: Store, row: SessionRow, meter: Meter, asked: Asked, width: int | None
) -> Estimate:
    """The conversation with the other providers; how it would be with Realtime stands apart for a
    call on Vapi."""
    talk, book = _heard(store, row, meter, asked).talk, asked.price_book(row.wall_ns)
    if not talk.turns or not talk.seconds:
        return Estimate([], {"models": []}, [])
    own = frozenset({row.provider, "openai"} if row.provider == "vapi" else {row.provider})
    given = (asked.assumed, asked.transcriber, asked.parts)
    found = [
        bill
        for bill in other_bills(talk, own, book, *given)
        if not asked.models or bill.model in asked.models
    ]
    if not found:
        return Estimate([], {"models": []}, [])
    has_live = any(line.component == "session" for bill in found for line in bill.lines)
    alone = ", of GPT-Live the session alone" if has_live else ""
    lines = [
        "",
        f"the same conversation elsewhere: {talk.seconds:.1f} s{alone}",
        *elsewhere_table(found, width),
    ]
    return Estimate(lines, {"models": elsewhere_facts(found)}, [])


def _heard(store: Store, row: SessionRow, meter: Meter, asked: Asked) -> Heard:
    """The conversation of a call: it lasted as long as the provider charged for, else as its
    tape."""
    models = project(row.id, seen(store, row.id), provider(row.provider))
    timed = (("vapi", "minute"), ("session", "second"))
    charged = [
        line._replace(quantity=line.quantity / 60) if line.unit == "second" else line
        for line in meter.lines
        if (line.component, line.unit) in timed
    ]
    taped = Decimal(row.ended_ns or 0) / 1_000_000_000
    seconds = sum((line.quantity * 60 for line in charged), Decimal(0)) or taped
    return heard(models, seconds, asked.assumed)


def _heard_assumptions(said: Heard, asked: Asked) -> list[str]:
    return [
        f"{counted(len(said.talk.turns), 'turn')} in {said.talk.seconds:.1f} s, somebody speaks in "
        f"{bills.percent(said.talk.talk_ratio)} of it",
        f"{said.measured} of {counted(said.utterances, 'utterance')} as long as Vapi says, the "
        "others as their characters",
        *asked.assumed.told(),
        f"the user is transcribed by {asked.transcriber or 'nothing'}",
        "even at: where both cost the same, if only the part that is cached, or in which somebody "
        "speaks, were another; – where Realtime costs less, or more, at any; what Vapi charges by "
        "time stays as it is, all else grows with the speech",
    ]


def of_trial(store: Store, trial: str, asked: Asked, width: int | None) -> Estimate:
    """What each session of a trial cost, and all of them."""
    rows = [row for row in store.sessions() if row.trial == trial]
    if not rows:
        raise RecorderError(f"no sessions of trial {trial!r}: `record sessions` lists all")
    metered = [(row, _metered(store, row, asked.price_book(row.wall_ns))) for row in rows]
    known = sum((meter.known_usd for _, meter in metered), Decimal(0))
    is_known = all(meter.usd is not None for _, meter in metered)
    columns = (
        Column("SESSION"),
        Column("PROVIDER"),
        Column("USD", right=True),
        Column("KNOWN", right=True),
        Column("CACHED", right=True),
    )
    cells = [
        (
            row.id,
            row.provider,
            bills.dollars(meter.usd),
            bills.dollars(meter.known_usd),
            bills.percent(cached_ratio(meter.lines)),
        )
        for row, meter in metered
    ]
    unpriced = [each for _, meter in metered for each in meter.unpriced]
    notes = [each for _, meter in metered for each in meter.notes]
    total = bills.dollars(known) if is_known else f"unpriced, {bills.dollars(known)} of it known"
    lines = [
        f"trial {trial}: {counted(len(rows), 'session')}, {total}",
        "",
        *table(columns, cells, width),
        *bills.remarks(notes, unpriced),
    ]
    facts = {
        "trial": trial,
        "usd": bills.plain(known) if is_known else None,
        "known_usd": bills.plain(known),
        "sessions": [
            {"session": row.id, "provider": row.provider, **bills.bill_facts(meter.beside, ())}
            for row, meter in metered
        ],
        "unpriced": unpriced,
        "notes": notes,
    }
    return Estimate(lines, facts, unpriced)
