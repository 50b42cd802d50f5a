"""What a replay came to, in a few lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from recorder.counting import counted
from recorder.report.wording import clip, printable
from replay.match.compare import Difference

_WIDTH = 120
_LONGEST_RULE = 300


@dataclass(frozen=True)
class Failure:
    """Why a replay ended early: a headline, and lines that say more."""

    headline: str
    details: tuple[str, ...] = ()


class Missing(Failure):
    """The client did not do something in its time; what it did was right."""


def cut(text: str, width: int = _WIDTH) -> str:
    """`text` on one line of at most `width` characters that is safe to print."""
    return clip(printable(text), width)


def labelled(label: str, text: str, width: int = _WIDTH) -> str:
    """A line of details: `  expected  "London"`."""
    return f"  {label:<9} {cut(text, width)}"


def difference_lines(found: Difference, hide: Callable[[str], str]) -> tuple[str, ...]:
    """The place of a difference, both values, and the rule that accepts it, without secrets. The
    rule is for pasting, so it is not cut, and left out where it is too long."""
    lines = (
        labelled("at", hide(found.path)),
        labelled("expected", hide(found.expected)),
        labelled("got", hide(found.got)),
    )
    rule = hide(found.accept)
    return (*lines, f"  accept    {rule}") if rule and len(rule) <= _LONGEST_RULE else lines


class Streamed(NamedTuple):
    """Audio that a client streamed, live and on the tape (bytes; bytes a second, 0 if unknown)."""

    live: int
    recorded: int
    byte_rate: int

    def __str__(self) -> str:
        live, recorded = self._text(self.live), self._text(self.recorded)
        return f"audio: the client sent {live}, the tape has {recorded}"

    def _text(self, size: int) -> str:
        told = counted(size, "byte")
        return f"{size / self.byte_rate:.2f} s ({told})" if self.byte_rate else told


class Tally(NamedTuple):
    """How much of something was used."""

    used: int
    total: int

    def of(self, noun: str) -> str:
        """`1 of 2 messages`."""
        return f"{self.used} of {counted(self.total, noun)}"


def report(
    failure: Failure | None,
    provider: Tally,
    client: Tally,
    rest: str | None,
    streamed: list[Streamed],
    notes: list[str],
) -> str:
    """Under 12 lines: the verdict, what did not fit, what was not used, remarks."""
    verdict = "replay complete" if failure is None else f"replay failed: {failure.headline}"
    lines = [verdict, *(failure.details if failure else ())]
    lines.append(f"used: {provider.of('provider message')}, {client.of('client message')}")
    if rest:
        lines.append(f"unused: next is {rest}")
    lines += [str(each) for each in streamed if each.live != each.recorded][:1]
    room = 11 - len(lines)
    if len(notes) > room:
        notes = [*notes[: room - 1], f"… and {len(notes) - room + 1} more remarks"]
    return "\n".join(lines + [f"note: {cut(note)}" for note in notes[:room]])
