"""Checks of the functions that were called, with what, and how they were answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from recorder.counting import counted
from recorder.projections.rows import ToolCallRow
from recorder.report.wording import clip, printable
from replay.checks.matchers import Matcher, at, holds
from replay.checks.outcomes import (
    Check,
    Verdict,
    failed,
    in_turn,
    inconclusive,
    judged,
    not_run,
    passed,
)
from replay.checks.table import Table
from replay.checks.tape import Tape
from replay.match.rules import Path, written

_MS = 1e6
_SHOWN = 120


def calls(table: Table) -> Check:
    """A function is called; with these arguments, and with no others if `exact`."""
    table.refuse_condition("args", 'write args = { city = { contains = "x" } }, or "$.min" = 1')
    name, args, turn = table.text("calls"), table.matchers("args"), table.whole("turn")
    is_exact, output = table.maybe_flag("exact"), table.whole_or_parts("output")
    table.done()

    def check(tape: Tape) -> Verdict:
        named = _named(tape, name, turn)
        where = in_turn(turn)
        if not named:
            others = Counter(call.name for call in tape.models.tool_calls)
            called = ", ".join(f"{each} ×{many}" for each, many in others.items()) or "nothing"
            return failed(f"{name} is not called{where}; called is {called}")
        wrong = [(call, _wrong(call, args, output, is_exact)) for call in named]
        fitting = [call for call, why in wrong if why is None]
        if fitting:
            return passed(f"{name} is called{where}: {_told(fitting[0])}", _seqs(fitting))
        last = wrong[-1][1]
        many = f" (the last of {len(named)})" if len(named) > 1 else ""
        return failed(f"{name} is called{where}, but {last}{many}", _seqs(named))

    return check


def _named(tape: Tape, name: str, turn: int | None = None) -> list[ToolCallRow]:
    found = [call for call in tape.models.tool_calls if call.name == name]
    return [call for call in found if turn in (None, call.turn)]


def _wrong(
    call: ToolCallRow, args: Mapping[Path, Matcher], output: Mapping[Path, Matcher], is_exact: bool
) -> str | None:
    """What is wrong with a call; None if nothing is."""
    told = _json(call.arguments)
    wrong = _differs("", told, args)
    if wrong is None and is_exact and isinstance(told, Mapping):
        extra = sorted(set(told) - {path[0] for path in args if path})
        wrong = f"it has also {', '.join(map(str, extra))}" if extra else None
    if wrong is None and output:
        if call.output is None:
            return "it has no result"
        wrong = _differs("its result's ", _json(call.output), output)
        is_whole = () in output and holds(call.output, (), output[()])
        wrong = None if is_whole else wrong
    return wrong


def _differs(of: str, value: Any, wanted: Mapping[Path, Matcher]) -> str | None:
    for path, one in wanted.items():
        if not holds(value, path, one):
            found = ", ".join(json.dumps(each, ensure_ascii=False) for each in at(value, path))
            have = clip(printable(found), _SHOWN) or "absent"
            return f"{of}{written(path)} is {have}, wanted {one.text}"
    return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _told(call: ToolCallRow) -> str:
    return clip(printable(call.arguments), _SHOWN)


def _seqs(found: Sequence[ToolCallRow]) -> list[int]:
    return [seq for call in found for seq in (call.first_seq, call.last_seq)]


def never_calls(table: Table) -> Check:
    """Functions are not called."""
    names = table.texts("never_calls")
    table.done()

    def check(tape: Tape) -> Verdict:
        found = [call for name in names for call in _named(tape, name)]
        if found:
            return failed(f"{found[0].name} is called: {_told(found[0])}", _seqs(found))
        verb = "is" if len(names) == 1 else "are"
        return passed(f"{', '.join(names)} {verb} not called")

    return check


def call_order(table: Table) -> Check:
    """Functions are called one after the other; others may come between, unless `exact`."""
    names, is_exact = table.texts("call_order"), table.maybe_flag("exact")
    table.done()

    def check(tape: Tape) -> Verdict:
        called = tape.models.tool_calls
        order = [call.name for call in called]
        rest = iter(order)
        holds_ = order == names if is_exact else all(name in rest for name in names)
        reason = f"called are {', '.join(order) or 'none'}; wanted {', '.join(names)}"
        return judged(holds_, reason, _seqs(called))

    return check


def call_count(table: Table) -> Check:
    """How often a function, or any (`*`), is called."""
    name, limits = table.text("call_count"), table.bounds()
    table.done()

    def check(tape: Tape) -> Verdict:
        found = tape.models.tool_calls if name == "*" else _named(tape, name)
        of = "a function" if name == "*" else name
        reason = f"{of} is called {counted(len(found), 'time')}, wanted {limits}"
        return judged(limits.take(len(found)), reason, _seqs(found))

    return check


def no_duplicate_calls(table: Table) -> Check:
    """No function is called twice in a turn with the same arguments."""
    table.flag("no_duplicate_calls")
    table.done()

    def check(tape: Tape) -> Verdict:
        seen: dict[tuple[int, str, str], ToolCallRow] = {}
        for call in tape.models.tool_calls:
            args = json.dumps(_json(call.arguments), sort_keys=True)
            first = seen.setdefault((call.turn, call.name, args), call)
            if first is not call:
                reason = f"{call.name} is called twice in turn {call.turn}: {_told(call)}"
                return failed(reason, _seqs([first, call]))
        return passed(f"{counted(len(tape.models.tool_calls), 'call')}, no two alike")

    return check


def answered_within_ms(table: Table) -> Check:
    """Each call has its result within a time."""
    within, name = table.number("answered_within_ms"), table.maybe_text("of")
    table.done()

    def check(tape: Tape) -> Verdict:
        called = _named(tape, name) if name else tape.models.tool_calls
        if not called:
            return not_run(f"{name or 'no function'} is {'not ' if name else ''}called")
        open_ = [call for call in called if call.answered_ns is None]
        if open_:
            return failed(f"{open_[0].name} has no result", _seqs(open_))
        if tape.untimed:
            return inconclusive(tape.untimed)
        took = {call: (call.answered_ns or 0) - call.called_ns for call in called}
        slowest = max(took, key=lambda call: took[call])
        ms = took[slowest] / _MS
        reason = f"the slowest result, of {slowest.name}, took {ms:.0f} ms, allowed are {within:g}"
        return judged(ms <= within, reason, _seqs([slowest]))

    return check
