"""What a user's rule says of two values: small matchers, each telling what it would have taken."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact

from replay.match.jsontext import Json, Number
from replay.match.rules import Path, Rule, pattern, tolerance

ABSENT = object()
"""Stands where a side has nothing."""

_DIGITS = 60
_SHOWN = 24  # characters of a tolerance that is suggested


def kind_of(value: Json) -> str:
    """The JSON type of a value, as a noun with its article."""
    if value is ABSENT:
        return "nothing"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, Number):
        return "a number"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else "a string"


def is_tree(value: Json) -> bool:
    """Whether a value holds others."""
    return isinstance(value, (dict, list))


def decides(rule: Rule, want: Json, got: Json) -> bool:
    """Whether a rule holds for two values: one that is not forced does not for a whole tree."""
    if rule.verb == "unordered":
        return isinstance(want, list) and isinstance(got, list)
    if rule.verb in ("ignore", "any"):
        return rule.is_forced or not (is_tree(want) or is_tree(got))
    return True


def refusal(rule: Rule, want: Json, got: Json) -> str | None:
    """None if a rule takes `got` for `want`, else what it would have taken."""
    if rule.verb == "any":
        return None if kind_of(want) == kind_of(got) else f"{kind_of(want)}, by the rule {rule}"
    if rule.verb == "regex":
        fits = type(got) is str and pattern(rule.argument).fullmatch(got)
        return None if fits else f"a string that fits /{rule.argument}/, by the rule {rule}"
    if rule.verb == "approx":
        return _approx(rule, want, got)
    return None


def _approx(rule: Rule, want: Json, got: Json) -> str | None:
    if not (isinstance(want, Number) and isinstance(got, Number)):
        return f"numbers (the tape has {kind_of(want)}), by the rule {rule}"
    within, is_share = tolerance(rule.argument)
    context = _context()
    tape = Decimal(want)
    if is_share:
        within = context.multiply(within, context.abs(tape))
    off = context.abs(context.subtract(tape, Decimal(got)))
    return None if off <= within else f"{want} ± {rule.argument}, by the rule {rule}"


def _context() -> Context:
    """Arithmetic that neither overflows nor stops at what is not exact."""
    return Context(prec=_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def accepting(type_: str, path: Path, want: Json, got: Json) -> str:
    """The narrowest rule that takes `got` for `want` at a place, as text; ``""`` for a whole
    message, which no rule should take."""
    if not path:
        return ""
    verb, argument, is_forced = "ignore", "", is_tree(want) or is_tree(got)
    if ABSENT not in (want, got) and kind_of(want) == kind_of(got):
        verb = "any"
        argument = _tolerance(want, got) if isinstance(want, Number) else ""
    rule = Rule("approx" if argument else verb, type_ or None, path, argument, is_forced)  # type: ignore[arg-type]
    return str(rule)


def _tolerance(want: Number, got: Number) -> str:
    """How far two numbers are apart, if that can be written in a few digits."""
    context = _context()
    off = context.abs(context.subtract(Decimal(want), Decimal(got)))
    text = f"{off:f}" if -_SHOWN < off.adjusted() < _SHOWN else ""
    return text if len(text) <= _SHOWN and not context.flags[Inexact] else ""
