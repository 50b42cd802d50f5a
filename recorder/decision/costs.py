"""The section on money: measured, projected, and where two providers would cost the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from recorder.comparison.result import Finding, Pair
from recorder.comparison.sentences import quantity
from recorder.decision.breakeven import Curve, Kind, months_to_pay_back
from recorder.decision.material import Material
from recorder.decision.page import Page, Row
from recorder.pricing.conversation import Assumptions
from recorder.pricing.plan import Offer, Plan, Setting, offers

_TRANSCRIBER = "gpt-4o-mini-transcribe"  # as `record estimate` takes it
_UNKNOWN = "unpriced"


def section(page: Page, made: Material) -> None:
    """All of it."""
    page.title("Cost")
    page.simulated(made.comparison)
    minutes = _minutes(made)
    rows = [_arm(page, made, arm.name) for arm in made.comparison.arms]
    head = ["arm", "dollars", "minutes", "runs", "a minute", "a successful task"]
    page.table([*head, f"{minutes} minutes a month"], rows)
    page.say(
        "The last column is the cost of a minute times the minutes: what it would be if every call "
        "were like those of the trial."
    )
    page.say("What a minute is made of:")
    page.list(_parts(page, made, arm.name) for arm in made.comparison.arms)
    for pair in made.comparison.pairs:
        page.list([*_even(page, made, pair), *_pays(page, made, pair)])
    _offers(page, made)


def _minutes(made: Material) -> str:
    return f"{made.wanted.minutes:f}"


def _arm(page: Page, made: Material, arm: str) -> Row:
    money = made.money[arm]
    rate = money.per_minute
    month = None if rate is None else rate * float(made.wanted.minutes)
    marks = page.notes.query(money.told.sql, money.told.given)
    success, mark = _success(page, made, arm)
    cells = [
        arm,
        _UNKNOWN if money.usd is None else f"${money.usd:.4f}",
        f"{money.minutes:.2f}",
        str(money.runs),
        _UNKNOWN if rate is None else f"${rate:.4f}",
        success,
        _UNKNOWN if month is None else f"${month:,.2f}",
    ]
    return Row(cells, marks + mark)


def _parts(page: Page, made: Material, arm: str) -> tuple[str, str]:
    """A minute of an arm by component, and whether it is charged for time."""
    found, minutes = made.asking.parts(arm), made.money[arm].minutes
    parts = [
        f"{component} " + (_UNKNOWN if unpriced or not minutes else f"${float(usd) / minutes:.4f}")
        for component, usd, unpriced, _ in found.rows
    ]
    nothing = "nothing was charged" if made.money[arm].runs else "no run that counts"
    text = f"{arm}: {', '.join(parts) or nothing}."
    for component, _, _, seconds in found.rows:
        if component == "session" and seconds is not None:
            text += f" The open session is charged by the second, silence too: {float(seconds):g} s"
            text += " in all."
    return text, page.notes.query(found.sql, found.given)


def _success(page: Page, made: Material, arm: str) -> tuple[str, str]:
    """Dollars for a task that was done, as the comparison has it."""
    for finding in _findings(made):
        for each in (finding.baseline, finding.challenger):
            if finding.criterion.metric == "usd_per_success" and each.arm == arm:
                mark = page.notes.query(finding.query, {})
                if each.value is None:
                    return "no evidence", mark
                return quantity(each.value, finding.criterion.unit), mark
    return "no criterion counts it", ""


def _findings(made: Material) -> Iterator[Finding]:
    for pair in made.comparison.pairs:
        yield from pair.findings


def _even(page: Page, made: Material, pair: Pair) -> Iterator[tuple[str, str]]:
    """At which share of cached input both cost the same."""
    for name, other in ((pair.challenger, pair.baseline), (pair.baseline, pair.challenger)):
        found = made.asking.meters(name)
        curve = _curve(made, name, found.rows)
        rate = made.money[other].per_minute
        if curve is None or rate is None or curve.measured is None:
            continue
        marks = page.notes.query(found.sql, found.given)
        marks += page.notes.query(made.money[other].told.sql, made.money[other].told.given)
        share = curve.even_at(rate)
        begin = f"{name} had {_percent(curve.measured)} of its input cached"
        if share is None:
            cheaper = name if curve.per_minute(0.0) < rate else other
            yield f"{begin}; {cheaper} costs less a minute whatever is cached.", marks
        else:
            yield f"{begin}; at {_percent(share)} a minute costs as much as on {other}.", marks


def _curve(made: Material, arm: str, rows: list[tuple[object, ...]]) -> Curve | None:
    """None for an arm whose bill does not count cached tokens, or has lines without a price."""
    money = made.money[arm]
    if money.usd is None or not money.minutes or any(row[4] for row in rows):
        return None
    kinds = []
    paid = Decimal(0)
    by_meter = {(str(row[0]), str(row[1])): (row[2], row[3]) for row in rows}
    for model in sorted({model for _, model in by_meter}):
        for kind in ("audio", "text"):
            found = _kind(made, arm, model, kind, by_meter)
            if found:
                kinds.append(found[0])
                paid += found[1]
    return Curve(float(money.usd - paid), kinds, money.minutes) if kinds else None


def _kind(
    made: Material,
    arm: str,
    model: str,
    kind: str,
    by_meter: dict[tuple[str, str], tuple[object, object]],
) -> tuple[Kind, Decimal] | None:
    """Input of a kind, and what was paid for it, by the prices of the book."""
    fresh, cached = (
        made.book.price(arm, "model", model, f"{kind}_{which}") for which in ("in", "cached")
    )
    if fresh is None or cached is None:
        return None
    used = [by_meter.get((f"{kind}_{which}", model), (0, 0)) for which in ("in", "cached")]
    tokens = [Decimal(str(each[0])) for each in used]
    if not sum(tokens):
        return None
    prices = [float(each.of(Decimal(1), "token") or 0) for each in (fresh, cached)]
    paid = sum((Decimal(str(each[1])) for each in used), Decimal(0))
    return Kind(float(sum(tokens)), float(tokens[1]), prices[0], prices[1]), paid


def _pays(page: Page, made: Material, pair: Pair) -> Iterator[tuple[str, str]]:
    """When the effort of a migration has paid."""
    old, new = made.money[pair.baseline], made.money[pair.challenger]
    marks = page.notes.query(old.told.sql, old.told.given)
    marks += page.notes.query(new.told.sql, new.told.given)
    if old.per_minute is None or new.per_minute is None:
        yield "What a switch would save is not known: a price is missing.", marks
        return
    saved = (old.per_minute - new.per_minute) * float(made.wanted.minutes)
    word = "save" if saved >= 0 else "cost"
    begin = f"At {_minutes(made)} minutes a month a switch to {pair.challenger} would {word}"
    text = f"{begin} ${abs(saved):,.2f} a month"
    effort = made.wanted.effort_usd
    if effort is None:
        yield f"{text}; what the migration costs was not given (`--effort`).", marks
        return
    months = months_to_pay_back(float(effort), saved)
    after = "never pays for" if months is None else f"pays after {months:.1f} months for"
    yield f"{text}, which {after} a migration at ${effort:,}.", marks


def _offers(page: Page, made: Material) -> None:
    """What the book says of the models of the trial, and of those that are charged by time, for
    calls as `record estimate` assumes them."""
    setting = Setting(Assumptions(), made.book, _TRANSCRIBER)
    mark = page.notes.command(f"record estimate --minutes {_minutes(made)}")
    used = {each.model for each in made.endings}
    names = [
        each.model
        for each in made.book.entries
        if each.component == "session" or any(each.goes_by(model) for model in used)
    ]
    rows = [
        Row([each.bill.provider, each.bill.model, *_offer(each)], mark)
        for each in offers(Plan(made.wanted.minutes), setting, names)
    ]
    page.say(
        "Estimates for the models of the trial and for those that are charged by time, of calls as "
        "`record estimate` assumes them, which tells all models. They rest on no tape; ~ marks "
        "rough prices."
    )
    page.table(["provider", "model", "a minute", "a month"], rows)


def _offer(each: Offer) -> list[str]:
    rough = "~" if each.bill.is_rough else ""
    rate, month = each.usd_per_minute, each.usd
    return [
        _UNKNOWN if rate is None else f"{rough}${rate:.4f}",
        _UNKNOWN if month is None else f"{rough}${month:,.2f}",
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
