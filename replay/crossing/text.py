"""The result of crossing for people: both tapes turn by turn, both bills, what differs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from textwrap import wrap

from recorder.report.bills import dollars
from recorder.report.tables import Column, table
from recorder.report.wording import printable
from replay.crossing.result import Result, arguments
from replay.crossing.views import Call, Told, View

_NONE = "–"
_NARROWEST = 20
_NOTHING = View("", "", None, (), None)


def lines(result: Result, width: int | None) -> Iterator[str]:
    """Lines without their ends, at most `width` wide if that is given."""
    yield from _simulated(result, width)
    for turn, old in enumerate(result.before.views):
        if turn == 0 and old == _NOTHING == result.now.views[0]:
            continue
        new = result.now.views[turn] if turn < len(result.now.views) else None
        yield from _turn(result, turn, old, new, width)
        yield ""
    yield from _bills(result, width)
    yield ""
    if result.differences:
        yield "what differs:"
    for each in result.differences:
        where = f"turn {each.turn}" if each.turn else "before turn 1"
        yield from folded(f"  {where}, {each.kind}: ", each.text, width)
    if not result.differences:
        yield "nothing differs but the words of the agent and short waits"


def _simulated(result: Result, width: int | None) -> Iterator[str]:
    """Said before anything else: no number of a simulator says anything of a provider."""
    told = {"the tape": result.before, "this conversation": result.now}
    made = [name for name, each in told.items() if each.is_simulated]
    if made:
        what = f"{' and '.join(made)}. What follows says nothing about a live service."
        yield from folded("SIMULATED: ", what, width)
        yield ""


def folded(label: str, text: str, width: int | None) -> list[str]:
    """A label and a text in lines, the further ones indented as far as the text."""
    room = max(_NARROWEST, (width or 0) - len(label))
    safe = printable(text)
    pieces = [safe] if width is None else wrap(safe, room) or [""]
    return [f"{label}{pieces[0]}", *(f"{' ' * len(label)}{piece}" for piece in pieces[1:])]


def verdict(result: Result) -> str:
    """One line."""
    told = f"{result.outcome.upper()} turns={result.given}/{len(result.tape.turns)}"
    tools = sum(len(view.calls) for view in result.now.views)
    told += f" tools={tools}"
    if result.now.usd is not None:
        told += f" cost=${result.now.usd:.4f}"
    return told + (f": {printable(result.reason)}" if result.reason else "")


def _turn(
    result: Result, turn: int, old: View, new: View | None, width: int | None
) -> Iterator[str]:
    names = result.before.row.provider, result.now.row.provider
    wide = max(map(len, names))
    yield _heading(result, turn)

    def both(label: str, one: str, other: str) -> Iterator[str]:
        for at, (name, text) in enumerate(zip(names, (one, other), strict=True)):
            head = f"  {label if not at else '':<12} {name:<{wide}}  "
            yield from folded(head, text or _NONE, width)

    here = new or _NOTHING
    if turn:
        is_typed = result.tape.turns[turn - 1].said.text is not None
        yield from both("written" if is_typed else "heard as", old.heard, here.heard)
    yield from both("agent", old.said, here.said)
    if old.v2v_ms is not None or here.v2v_ms is not None:
        yield from both("waited", _ms(old.v2v_ms), _waited(old, here))
    if old.calls or here.calls:
        yield from both("tools", _calls(old), _calls(here))
    if old.cut or here.cut:
        yield from both("interrupted", _cut(old), _cut(here))


def _heading(result: Result, turn: int) -> str:
    if not turn:
        return "before turn 1"
    said = result.tape.turns[turn - 1].said
    if said.text is not None:
        return f"turn {turn}: the caller writes"
    spoke = f"turn {turn}: the caller speaks for {(said.end_ms - said.start_ms) / 1000:.1f} s"
    if said.at.after == "agent_speech_start":
        return f"{spoke}, {said.at.delay_ms} ms into what the agent says"
    return spoke


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0f} ms"


def _waited(old: View, new: View) -> str:
    if old.v2v_ms is None or new.v2v_ms is None:
        return _ms(new.v2v_ms)
    return f"{new.v2v_ms:.0f} ms ({new.v2v_ms - old.v2v_ms:+.0f})"


def _calls(view: View) -> str:
    return "; ".join(map(_call, view.calls))


def _call(call: Call) -> str:
    given = arguments(call)
    inside = (
        ", ".join(f"{key}={value!r}" for key, value in given.items())
        if isinstance(given, dict)
        else str(given)
    )
    if call.output is None:
        return f"{call.name}({inside}), not answered"
    word = "failed with" if call.failed else "gave"
    return f"{call.name}({inside}) {word} {call.output} in {_ms(call.ms)}"


def _cut(view: View) -> str:
    if view.cut is None:
        return "no"
    return "yes" if view.cut.heard_ms is None else f"after {view.cut.heard_ms:.0f} ms"


def _bills(result: Result, width: int | None) -> Iterator[str]:
    columns = (
        Column("PROVIDER"),
        Column("COMPONENT"),
        Column("MODEL", 12),
        Column("USD", right=True),
        Column("BY"),
    )
    rows = []
    for told in (result.before, result.now):
        name = told.row.provider
        for part in told.bill:
            rows.append((name, part.component, printable(part.model), dollars(part.usd), part.by))
        rows.append((name, "in all", "", dollars(told.usd), _a_minute(told)))
    yield from table(columns, rows, width)


def _a_minute(told: Told) -> str:
    minutes = Decimal(told.row.ended_ns or 0) / 60_000_000_000
    if told.usd is None or not minutes:
        return ""
    return f"{dollars(told.usd / minutes)} a minute"
