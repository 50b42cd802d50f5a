"""Differences for people: two columns where there is room for them, else one value under the
other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from textwrap import wrap

from recorder.counting import counted
from recorder.report.text import Paint
from replay.diff.differences import GRADES, Diff, Difference, Grade
from replay.diff.suggesting import Advice
from replay.diff.wording import events, parted, turn_name

WIDE = 100
"""Columns from which on values stand side by side."""
_ARROWS = {"client": "→", "provider": "←", "recorder": "•"}
_COLOURS: dict[Grade, str] = {"low": "cyan", "medium": "yellow", "high": "red"}
_INDENT = "    "
_SHORT = 24  # characters of a value that stands beside its path
_ALSO = 3  # other places that are named


def lines(diff: Diff, paint: Paint, width: int | None, *, rules: bool = False) -> Iterator[str]:
    """The differences by turn; with `rules`, each with what accepts it; what was told
    before is not told again."""
    advice = Advice(diff.audio) if rules else None
    for turn, found in groupby(diff.differences, key=_turn):
        yield paint(turn_name(diff, turn), bold=True)
        for _, group in groupby(found, key=_message):
            yield from _group(list(group), paint, width, advice)
        yield ""


def summary(diff: Diff) -> str:
    """The last line."""
    count = len(diff.differences)
    if not count:
        a, b = diff.messages
        return f"no differences: {counted(a, 'message')} in A, {b} in B"
    grades = Counter(each.grade for each in diff.differences)
    kinds = Counter(each.kind for each in diff.differences)
    graded = ", ".join(f"{grades[grade]} {grade}" for grade in reversed(GRADES) if grades[grade])
    named = ", ".join(f"{many} {kind}" for kind, many in kinds.most_common())
    return f"{counted(count, 'difference')}: {graded} ({named})"


def _turn(each: Difference) -> int:
    return each.turn


def _message(each: Difference) -> tuple[object, ...]:
    """What stands under one heading: the differences of one message, or a run of messages that
    only one tape has."""
    if _is_alone(each):
        return (each.what, each.grade, each.kind)
    return (each.channel, each.type, each.a_seq, each.b_seq)


def _is_alone(each: Difference) -> bool:
    return each.path == "$" and (each.a_seq is None or each.b_seq is None)


def _group(
    group: Sequence[Difference], paint: Paint, width: int | None, advice: Advice | None
) -> Iterator[str]:
    first = group[0]
    if _is_alone(first):
        yield from _alone(group, paint)
        return
    a, b = events(first.a_seq), events(first.b_seq)
    yield f"  {_ARROWS[first.sender]} {first.type}  A {a}, B {b}"
    for each in group:
        short = _short(each)
        yield _INDENT + _label(each, paint) + each.path + short + _also(each)
        if not short:
            yield from _values(each, width)
        for text in advice.on(each) if advice else ():
            yield f"{_INDENT}  {text}"


def _alone(group: Sequence[Difference], paint: Paint) -> Iterator[str]:
    first = group[0]
    side = "A" if first.b_seq is None else "B"
    many = f", {len(group)} messages" if len(group) > 1 else ""
    yield f"  {_label(first, paint)}only in {side}{many}"
    for each in group:
        a, b = parted(each)
        span = events(each.a_seq or each.b_seq)
        yield f"{_INDENT}{_ARROWS[each.sender]} {each.type} {span}  {a or b}".rstrip()


def _label(each: Difference, paint: Paint) -> str:
    grade = paint(f"{each.grade:<6}", fg=_COLOURS[each.grade])
    return f"{grade} {each.kind} {each.what}  "


def _also(each: Difference) -> str:
    if not each.also:
        return ""
    own = f" {each.path}"
    named = ", ".join(place.removesuffix(own) for place in each.also[:_ALSO])
    more = f", and {len(each.also) - _ALSO} more" if len(each.also) > _ALSO else ""
    return f"  (also {named}{more})"


def _short(each: Difference) -> str:
    """Both values, where they fit beside the path."""
    if each.a is None or each.b is None or max(len(each.a), len(each.b)) > _SHORT:
        return ""
    a, b = parted(each)
    return f"  {a} → {b}"


def _values(each: Difference, width: int | None) -> Iterator[str]:
    a, b = parted(each)
    if width is not None and width >= WIDE:
        yield from _columns(a, b, width)
        return
    if each.a is not None:
        yield f"{_INDENT}  A  {a}"
    if each.b is not None:
        yield f"{_INDENT}  B  {b}"


def _columns(a: str, b: str, width: int) -> Iterator[str]:
    """Side by side; between the columns stands what a line is: equal, different, or alone."""
    room = (width - len(_INDENT) - 7) // 2
    for one, other in zip_longest(_wrapped(a, room), _wrapped(b, room)):
        mark = "<" if other is None else ">" if one is None else "│" if one == other else "≠"
        yield f"{_INDENT}  {one or '':<{room}} {mark} {other or ''}".rstrip()


def _wrapped(text: str, room: int) -> list[str]:
    return wrap(text, room, drop_whitespace=False, break_on_hyphens=False)
