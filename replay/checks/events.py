"""Checks of single events, by type and by what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import NamedTuple

from recorder.counting import counted
from recorder.providers.base import Rules
from replay.checks.matchers import Matcher, holds
from replay.checks.occurrences import Occurrence
from replay.checks.outcomes import Check, Verdict, failed, inconclusive, judged, passed
from replay.checks.table import Table
from replay.checks.tape import Tape
from replay.match.rules import Path, written

_MS = 1e6
_SENDERS = ("client", "provider", "any")


class Wanted(NamedTuple):
    """Events of a type (with `*` for any characters), of a sender, that say something."""

    type: str
    sender: str
    where: dict[Path, Matcher]

    def among(self, events: Sequence[Occurrence]) -> Iterator[Occurrence]:
        """Those that fit."""
        for each in self.typed(events):
            if all(holds(each.value, path, one) for path, one in self.where.items()):
                yield each

    def typed(self, events: Sequence[Occurrence]) -> Iterator[Occurrence]:
        """Those of the type, whatever they say."""
        for each in events:
            if self.sender in ("any", each.sender) and fnmatchcase(each.type, self.type):
                yield each

    def __str__(self) -> str:
        said = [f"{written(path)} is {one.text}" for path, one in self.where.items()]
        return self.type + (f" where {' and '.join(said)}" if said else "")


def _wanted(table: Table, key: str) -> Wanted:
    type_, sender = table.text(key), table.choice("sender", _SENDERS, "any")
    return Wanted(type_, sender, table.matchers("where"))


def event(table: Table) -> Check:
    """An event is there: at all, or within a time of the first of another type."""
    wanted, within = _wanted(table, "event"), table.maybe_number("within_ms")
    after = table.maybe_text("after")
    if after is not None and within is None:
        table.refuse("after goes with within_ms")
    table.done()

    def check(tape: Tape) -> Verdict:
        found = list(wanted.among(tape.events))
        if not found:
            return failed(*_missing(wanted, tape))
        if within is None:
            return passed(f"{wanted} is there, {counted(len(found), 'time')}", _seqs(found))
        return _in_time(wanted, found, tape, within, after)

    return check


def _missing(wanted: Wanted, tape: Tape) -> tuple[str, list[int]]:
    """Why there is none, with those of the same type."""
    near = list(wanted.typed(tape.events))
    if not near:
        return f"there is no {wanted.type}", []
    return f"there is no {wanted}; {wanted.type} is there, {counted(len(near), 'time')}", _seqs(
        near
    )


def _in_time(
    wanted: Wanted, found: Sequence[Occurrence], tape: Tape, within: float, after: str | None
) -> Verdict:
    if tape.untimed:
        return inconclusive(tape.untimed)
    begun = None
    if after is not None:
        starts = [each for each in tape.events if fnmatchcase(each.type, after)]
        if not starts:
            return inconclusive(f"there is no {after} to count from")
        begun = starts[0]
        found = [each for each in found if each.seq > begun.seq]
        if not found:
            return failed(f"there is no {wanted} after {after}", [begun.seq])
    first = found[0]
    took = (first.at_ns - (begun.at_ns if begun else 0)) / _MS
    since = after or "the start"
    seqs = [begun.seq, first.seq] if begun else [first.seq]
    reason = f"{wanted} came {took:.0f} ms after {since}, allowed are {within:g} ms"
    return judged(took <= within, reason, seqs)


def no_event(table: Table) -> Check:
    """An event is not there."""
    wanted = _wanted(table, "no_event")
    table.done()

    def check(tape: Tape) -> Verdict:
        found = list(wanted.among(tape.events))
        if not found:
            return passed(f"there is no {wanted}{_unheard_of(wanted, tape)}")
        return failed(f"{wanted} is there, {counted(len(found), 'time')}", _seqs(found))

    return check


def _unheard_of(wanted: Wanted, tape: Tape) -> str:
    """A remark on a type that no event has, and that the rules of the provider do not name: a
    check for a misspelt one would always pass."""
    if any(wanted.typed(tape.events)) or fnmatchcase("error", wanted.type):
        return ""
    known = {each.type for each in tape.events} | _named(tape.provider.RULES)
    if any(fnmatchcase(each, wanted.type) for each in known):
        return ""
    near = get_close_matches(wanted.type, sorted(known), 1)
    like = f", as in {near[0]}" if near else ""
    return f" (no event of this type is known: is it spelt right{like}?)"


def _named(rules: Rules) -> set[str]:
    """The types that a provider's rules name."""
    return {*rules.tolerated, *rules.optional, *rules.deltas, *rules.cuts, *rules.ungated}


def count(table: Table) -> Check:
    """How often an event is there."""
    wanted, limits = _wanted(table, "count"), table.bounds()
    table.done()

    def check(tape: Tape) -> Verdict:
        found = list(wanted.among(tape.events))
        reason = f"{wanted} is there {counted(len(found), 'time')}, wanted {limits}"
        return judged(limits.take(len(found)), reason, _seqs(found))

    return check


def order(table: Table) -> Check:
    """Events follow each other; others may stand between them."""
    types, sender = table.texts("order"), table.choice("sender", _SENDERS, "any")
    if len(types) < 2:
        table.refuse("order needs two types or more")
    table.done()

    def check(tape: Tape) -> Verdict:
        found: list[Occurrence] = []
        rest = iter(tape.events)
        for type_ in types:
            fits = Wanted(type_, sender, {})
            next_one = next((each for each in rest if list(fits.typed([each]))), None)
            if next_one is None:
                where = f"after {found[-1].type} (event {found[-1].seq})" if found else "at all"
                return failed(f"there is no {type_} {where}", _seqs(found))
            found.append(next_one)
        return passed(" < ".join(types), _seqs(found))

    return check


def _seqs(events: Sequence[Occurrence]) -> list[int]:
    return [each.seq for each in events]
