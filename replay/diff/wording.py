"""Differences in words."""

from __future__ import annotations

from recorder.report.wording import clip, printable
from replay.diff.differences import Diff, Difference, Span

LONGEST = 300
"""Characters of a value that are shown."""
_BEFORE = 40  # of them before the place where two values part
_SAID = 60


def turn_name(diff: Diff, turn: int) -> str:
    """`turn 2`, with what the user said."""
    if turn == 0:
        return "before the first turn" if diff.turns else "the session"
    said = printable(diff.turns[turn - 1])
    return f"turn {turn}" + (f", user: {clip(said, _SAID)}" if said else "")


def headline(each: Difference) -> str:
    """A difference in one line."""
    a, b = parted(each)
    place = f"{each.type} {each.path}" if each.path != "$" else each.type
    if each.a is None or each.b is None:
        side, said, span = ("B", b, each.b_seq) if each.a is None else ("A", a, each.a_seq)
        told = f": {said}" if said else ""
        return f"{each.grade} {each.kind}: only {side} has {place} ({events(span)}){told}"
    changed = each.what if each.what != "changed" else "is"
    return f"{each.grade} {each.kind}: {place} {changed}: {a} in A, {b} in B"


def events(span: Span | None) -> str:
    """`#4`, or `#4–9` for a stream."""
    if span is None:
        return ""
    return f"#{span.first}" if span.first == span.last else f"#{span.first}–{span.last}"


def parted(each: Difference) -> tuple[str, str]:
    """Both values, printable, from a little before the place where they part on."""
    a, b = printable(each.a or ""), printable(each.b or "")
    same = _shared(a, b) if each.a and each.b else 0
    cut = same - _BEFORE if same > _BEFORE and max(len(a), len(b)) > 2 * _BEFORE else 0
    lead = "…" if cut else ""
    return clip(lead + a[cut:], LONGEST), clip(lead + b[cut:], LONGEST)


def _shared(a: str, b: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(a), len(b)))
