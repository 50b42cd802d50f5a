"""Checks of how a conversation went: turns, answers, interruptions, errors, its end, its use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import NamedTuple, get_args

from recorder.counting import counted
from recorder.projections.rows import InterruptionRow, TurnRow
from recorder.providers.neutral import Class
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

_MS = 1e6
_CLASSES: tuple[str, ...] = get_args(Class)
_STATUSES = ("completed", "cancelled", "incomplete", "failed")
_CLEAN = (1000, 1005)  # a close in order, with a code and without (RFC 6455, 7.4.1)


def turns(table: Table) -> Check:
    """How many turns there are."""
    return _number(table, "turns", lambda tape: tape.models.turns)


def _number(
    table: Table, key: str, rows_of: Callable[[Tape], Sequence[TurnRow | InterruptionRow]]
) -> Check:
    """How many rows there are; `key` is also what they are, in the plural."""
    limits = table.limits(key)
    table.done()

    def check(tape: Tape) -> Verdict:
        rows = rows_of(tape)
        reason = f"there are {counted(len(rows), key[:-1])}, wanted {limits}"
        return judged(limits.take(len(rows)), reason, [row.first_seq for row in rows])

    return check


def response_status(table: Table) -> Check:
    """How the answers ended: each with one of these."""
    allowed, turn = table.texts("response_status", _STATUSES), table.whole("turn")
    table.done()

    def check(tape: Tape) -> Verdict:
        rows = [row for row in tape.models.responses if turn in (None, row.turn)]
        told = [row for row in rows if row.status is not None]
        if not told:
            if rows:
                return inconclusive(f"no answer has ended{in_turn(turn)}")
            return not_run(f"there is no answer{in_turn(turn)}")
        wrong = [row for row in told if row.status not in allowed]
        if not wrong:
            return passed(f"{counted(len(told), 'answer')}: {', '.join(allowed)}")
        row = wrong[0]
        why = f" ({row.reason})" if row.reason else ""
        reason = f"an answer in turn {row.turn} is {row.status}{why}, wanted {', '.join(allowed)}"
        return failed(reason, [each.last_seq for each in wrong])

    return check


def interruptions(table: Table) -> Check:
    """How often an answer was cut off."""
    return _number(table, "interruptions", lambda tape: tape.models.interruptions)


def yields_within_ms(table: Table) -> Check:
    """After the provider heard the user, the answer stops within a time; where the provider does
    not say when it did, after the user began, by sound, which can only be longer."""
    within, turn = table.number("yields_within_ms"), table.whole("turn")
    table.done()

    def check(tape: Tape) -> Verdict:
        rows = [row for row in tape.models.interruptions if turn in (None, row.turn)]
        if not rows:
            return inconclusive("no answer was interrupted, so that nothing was tried")
        if tape.untimed:
            return inconclusive(tape.untimed)
        known = [each for row in rows if (each := _yielding(tape, row)) is not None]
        if not known:
            return inconclusive("the tape does not tell when the user was heard, and what stopped")
        slowest = max(known, key=lambda each: each.ms)
        reason = f"the answer of turn {slowest.turn} stopped {slowest.ms:.0f} ms after the user"
        return judged(
            slowest.ms <= within,
            f"{reason} {slowest.since}, allowed are {within:g}",
            slowest.seqs,
        )

    return check


class _Yielding(NamedTuple):
    """How long an answer went on `since` the user was heard, or began to speak."""

    ms: float
    turn: int
    since: str
    seqs: tuple[int, int]


def _yielding(tape: Tape, row: InterruptionRow) -> _Yielding | None:
    """By what the provider says; else by sound."""
    ms = _yielded(row)
    if ms is not None:
        return _Yielding(ms, row.turn, "was heard", (row.first_seq, row.last_seq))
    if row.detected_ns is not None:
        return None
    for each in tape.metrics.get("yield_ms", ()):
        if each.turn == row.turn:
            seqs = each.first_seq, each.last_seq
            return _Yielding(each.value, row.turn, "began to speak, by sound", seqs)
    return None


def _yielded(row: InterruptionRow) -> float | None:
    """From when the user was heard until the client dropped the answer, or it was over. An answer
    that had come in whole before was still being played."""
    heard = row.detected_ns
    if heard is None:
        return None
    stops = [at for at in (row.acted_ns, row.ended_ns) if at is not None and at >= heard]
    return (min(stops) - heard) / _MS if stops else None


def no_errors(table: Table) -> Check:
    """Nothing failed; or nothing of these classes."""
    is_any = table.is_true("no_errors")
    classes = _CLASSES if is_any else table.texts("no_errors", _CLASSES)
    table.done()

    def check(tape: Tape) -> Verdict:
        rows = [row for row in tape.models.errors if row.class_ in classes]
        if not rows:
            return passed("nothing failed")
        first = rows[0]
        reason = f"{counted(len(rows), 'error')}; the first is {first.class_}, {first.code}"
        return failed(f"{reason}: {first.text}", [row.seq for row in rows])

    return check


def ended_by(table: Table) -> Check:
    """Who ended the conversation."""
    wanted = table.choice("ended_by", ("client", "provider"), "")
    table.done()

    def check(tape: Tape) -> Verdict:
        found = tape.models.outline.ended_by
        if found is None:
            return inconclusive("the tape does not tell who ended it")
        return judged(found == wanted, f"the {found} ended it, wanted the {wanted}")

    return check


def ended_reason(table: Table) -> Check:
    """Why it ended, in the provider's words; `*` stands for any characters."""
    wanted = table.texts("ended_reason")
    table.done()

    def check(tape: Tape) -> Verdict:
        found = tape.models.outline.end_reason
        if found is None:
            return inconclusive("the tape does not tell why it ended")
        fits = any(fnmatchcase(found, each) for each in wanted)
        return judged(fits, f"it ended by {found}, wanted {', '.join(wanted)}")

    return check


def closed_cleanly(table: Table) -> Check:
    """Each socket was closed in order."""
    table.flag("closed_cleanly")
    table.done()

    def check(tape: Tape) -> Verdict:
        if not tape.closes:
            return inconclusive("no socket was closed")
        wrong = [each for each in tape.closes if each.code not in _CLEAN]
        if wrong:
            return failed(f"a socket was closed with {wrong[0].code}", [one.seq for one in wrong])
        return passed(f"{counted(len(tape.closes), 'close')}", [one.seq for one in tape.closes])

    return check


def tokens(table: Table) -> Check:
    """How many tokens were used, of all kinds or of one `meter`."""
    limits = table.limits("tokens")
    meter = table.maybe_text("meter")
    table.done()

    def check(tape: Tape) -> Verdict:
        used = [
            (seq, each.amount)
            for seq, usage in tape.meter.usages
            for each in usage.quantities
            if each.unit == "token" and meter in (None, each.meter)
        ]
        if not used:
            return inconclusive(f"the tape tells no {meter or 'use of'} tokens")
        count = sum((amount for _, amount in used), Decimal(0))
        reason = f"{count:f} {meter or 'tokens'} used, wanted {limits}"
        return judged(limits.take(float(count)), reason, [seq for seq, _ in used])

    return check


def cost_usd(table: Table) -> Check:
    """What the conversation cost."""
    limits = table.limits("cost_usd")
    table.done()

    def check(tape: Tape) -> Verdict:
        seqs = [line.seq for line in tape.meter.lines]
        if not seqs:
            return inconclusive("the tape tells no use that could be priced")
        usd = tape.meter.usd
        if usd is None:
            return inconclusive(tape.meter.unpriced[0])
        return judged(limits.take(float(usd)), f"it cost ${usd:.4f}, wanted {limits}", seqs)

    return check
