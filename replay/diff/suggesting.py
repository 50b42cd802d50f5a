"""The rules that accept the differences of a whole comparison: one for each place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from replay.diff.differences import Difference
from replay.match.hearing import AudioMode
from replay.match.rules import Rule, Verb, parse_rule, tolerance

_WIDTH: dict[Verb, int] = {"regex": 0, "unordered": 0, "approx": 1, "any": 2, "ignore": 3}


def with_merged_rules(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """The differences, each with the widest rule that any of them needs at its place: of several
    rules for one place only the last would hold."""
    widest: dict[str, Rule] = {}
    for text in (text for each in differences for text in each.rules):
        rule = parse_rule(text, "a difference")
        best = widest.setdefault(rule.place, rule)
        if _reach(rule) > _reach(best):
            widest[rule.place] = rule
    return tuple(each._replace(rules=_merged(each.rules, widest)) for each in differences)


def _merged(rules: Sequence[str], widest: dict[str, Rule]) -> tuple[str, ...]:
    places = (parse_rule(text, "a difference").place for text in rules)
    return tuple(dict.fromkeys(str(widest[place]) for place in places))


def _reach(rule: Rule) -> tuple[bool, int, Decimal]:
    """How much a rule takes, to be compared with another one for the same place."""
    amount = tolerance(rule.argument)[0] if rule.verb == "approx" else Decimal(0)
    return rule.is_forced, _WIDTH[rule.verb], amount


_LOOSER: dict[AudioMode, AudioMode] = {
    "exact": "energy",
    "energy": "duration",
    "duration": "ignore",
}


class Advice:
    """Tells how to accept differences, everything once. `audio` is how sound was compared."""

    def __init__(self, audio: AudioMode) -> None:
        self._audio = audio
        self._told: set[str] = set()

    def on(self, difference: Difference) -> Iterator[str]:
        """What there is to say about one."""
        for text in self._texts(difference):
            if text not in self._told:
                self._told.add(text)
                yield text

    def _texts(self, difference: Difference) -> Iterator[str]:
        yield from (f"accept with: {rule}" for rule in difference.rules)
        if difference.what == "moved":
            yield "no rule accepts another order"
        elif difference.kind == "audio" and self._audio in _LOOSER:
            yield f"no rule accepts other audio; compare it with --audio {_LOOSER[self._audio]}"
