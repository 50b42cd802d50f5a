"""What a replay came to, in a few lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from replay.match.compare import Difference

_WIDTH = 120
_NS = 1_000_000_000


@dataclass(frozen=True)
class Failure:
    """Why a replay ended early: a headline, and lines that say more."""

    headline: str
    details: tuple[str, ...] = ()


def cut(text: str, width: int = _WIDTH) -> str:
    """`text` on one line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def difference_lines(found: Difference, hide: Callable[[str], str]) -> tuple[str, ...]:
    """The place of a difference and both values, without secrets."""
    return (
        f"  at        {cut(hide(found.path))}",
        f"  expected  {cut(hide(found.expected))}",
        f"  got       {cut(hide(found.got))}",
    )


class Streamed(NamedTuple):
    """Audio that a client streamed, live and on the tape (bytes; bytes a second, 0 if unknown)."""

    live: int
    recorded: int
    byte_rate: int

    def __str__(self) -> str:
        live, recorded = self._text(self.live), self._text(self.recorded)
        return f"audio: the client sent {live}, the tape has {recorded}"

    def _text(self, size: int) -> str:
        return (
            f"{size / self.byte_rate:.2f} s ({size} bytes)" if self.byte_rate else f"{size} bytes"
        )


class Tally(NamedTuple):
    """How much of something was used."""

    used: int
    total: int

    def __str__(self) -> str:
        return f"{self.used} of {self.total}"


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
    lines.append(f"used: {provider} provider messages, {client} client messages")
    if rest:
        lines.append(f"unused: next is {rest}")
    lines += [str(each) for each in streamed if each.live != each.recorded][:1]
    room = 11 - len(lines)
    if len(notes) > room:
        notes = [*notes[: room - 1], f"… and {len(notes) - room + 1} more remarks"]
    return "\n".join(lines + [f"note: {cut(note)}" for note in notes[:room]])
