"""Checks of what was said, by the transcripts and texts on the tape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from recorder.counting import counted
from recorder.report.wording import clip, printable
from replay.checks.outcomes import Check, Verdict, failed, inconclusive, judged, passed
from replay.checks.table import Table
from replay.checks.tape import Tape

_BY = ("agent", "user")
_ROLES = {"agent": "assistant", "user": "user"}
_SHOWN = 80
_MARKER = "[redacted"  # docs/redaction.md; what stood there is known to nobody
_CONDITIONS = ("contains", "all", "any", "none", "regex")


class Said(NamedTuple):
    """What one side said in a turn, and the events that tell it."""

    turn: int
    text: str
    seqs: tuple[int, ...]


def said(tape: Tape, by: str) -> list[Said]:
    """The words of one side, turn by turn; spoken ones where there are some, else written ones."""
    found = []
    for turn in tape.models.turns:
        text = turn.agent_text if by == "agent" else turn.user_text
        rows = [
            row
            for row in tape.models.transcripts
            if (row.turn, row.role) == (turn.turn, _ROLES[by])
        ]
        if text:
            found.append(Said(turn.turn, text, tuple(row.last_seq for row in rows)))
    return found


def says(table: Table) -> Check:
    """Somebody says something, in any turn or in one."""
    conditions = _conditions(table)
    by, turn = table.choice("by", _BY, "agent"), table.whole("turn")
    table.done()

    def check(tape: Tape) -> Verdict:
        return _heard(tape, by, turn, conditions)

    return check


class _Condition(NamedTuple):
    fits: Callable[[str], bool]
    text: str
    is_banned: bool = False


def _conditions(table: Table) -> list[_Condition]:
    if table.is_text("says"):
        return [_all([table.text("says")])]
    inner = table.inner("says")
    made = []
    if inner.has("contains"):
        made.append(_all(inner.texts("contains")))
    if inner.has("all"):
        made.append(_all(inner.texts("all")))
    if inner.has("any"):
        made.append(_any(inner.texts("any")))
    if inner.has("none"):
        made.append(_any(inner.texts("none"))._replace(is_banned=True))
    if inner.has("regex"):
        made.append(_regex(inner))
    inner.done()
    return made or table.refuse(f"says needs one of {', '.join(_CONDITIONS)}")


def _all(wanted: Sequence[str]) -> _Condition:
    named = " and ".join(f"{each!r}" for each in wanted)
    return _Condition(lambda text: all(_has(text, each) for each in wanted), named)


def _any(wanted: Sequence[str]) -> _Condition:
    named = " or ".join(f"{each!r}" for each in wanted)
    return _Condition(lambda text: any(_has(text, each) for each in wanted), named)


def _regex(inner: Table) -> _Condition:
    try:
        pattern = re.compile(inner.text("regex"), re.S)
    except re.error as error:
        inner.refuse(f"regex is no regular expression: {error}")
    return _Condition(lambda text: pattern.search(text) is not None, f"/{pattern.pattern}/")


def _has(text: str, wanted: str) -> bool:
    """Whether words are in a text; case and white space aside."""
    return _plain(wanted) in _plain(text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def is_redacted(text: str) -> bool:
    """Whether words were taken out of a text when it was recorded."""
    return _MARKER in text


def _heard(tape: Tape, by: str, turn: int | None, conditions: Sequence[_Condition]) -> Verdict:
    if turn is not None and turn > tape.last_turn:
        return failed(f"there is no turn {turn}: the tape has {tape.last_turn}")
    words = said(tape, by)
    if not words:
        return inconclusive(f"the tape has no words of the {by}")
    asked = [each for each in words if turn in (None, each.turn)]
    where = f"in turn {turn}" if turn is not None else "in any turn"
    hidden = next((each for each in words if is_redacted(each.text)), None)
    seqs: list[int] = []
    for condition in conditions:
        found = [each for each in asked if condition.fits(each.text)]
        if condition.is_banned and found:
            return failed(f"the {by} says {condition.text} {_quoted(found[0])}", found[0].seqs)
        if not found and hidden is not None:
            return inconclusive(f"words of the {by} in turn {hidden.turn} were redacted")
        if not condition.is_banned and not found:
            heard = f" {_quoted(asked[-1])}" if asked else ", where it says nothing"
            every = [seq for each in asked for seq in each.seqs]
            return failed(f"the {by} does not say {condition.text} {where}{heard}", every)
        seqs += (seq for each in found for seq in each.seqs)
    named = ", ".join(("not " if one.is_banned else "") + one.text for one in conditions)
    proof = next((each for each in asked if set(each.seqs) & set(seqs)), None)
    return passed(f"the {by} says {named}" + (f" {_quoted(proof)}" if proof else ""), seqs)


def _quoted(words: Said) -> str:
    return f"(turn {words.turn}: “{clip(printable(words.text), _SHOWN)}”)"


def max_words(table: Table) -> Check:
    """No turn has more words of one side."""
    most, by = table.whole("max_words"), table.choice("by", _BY, "agent")
    table.done()

    def check(tape: Tape) -> Verdict:
        words = said(tape, by)
        if not words:
            return inconclusive(f"the tape has no words of the {by}")
        longest = max(words, key=lambda each: len(each.text.split()))
        count = len(longest.text.split())
        reason = f"the longest turn of the {by} ({longest.turn}) has {counted(count, 'word')}"
        return judged(most is None or count <= most, f"{reason}, allowed are {most}", longest.seqs)

    return check
