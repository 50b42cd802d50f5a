"""The table of features as text, as Markdown, and as plain values for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Any, Final

from recorder.features.definitions import Claim, Source
from recorder.features.matrix import Arm, Cell, Matrix, Shown
from recorder.report.tables import Column, table

NOT_TESTED: Final = "not tested"
_NARROWEST: Final = 20


def simulated_line(matrix: Matrix) -> str | None:
    """What has to be read before anything that was shown; None where no simulator took part."""
    if not matrix.simulated:
        return None
    names = " and ".join(matrix.simulated)
    return f"SIMULATED: {names}. What is shown there says nothing about the live service."


def asked(sql: str, given: Mapping[str, str]) -> str:
    """The command that asks a store again."""
    params = "".join(f" -p {quote(f'{name}={value}')}" for name, value in given.items())
    return f"record sql {_quoted(sql)}{params}"


def _quoted(sql: str) -> str:
    """For a shell, between the marks that SQL itself does not use."""
    return quote(sql) if any(each in sql for each in '"$`\\!') else f'"{sql}"'


def shown_text(shown: Shown, arm: Arm) -> str:
    """`12 of 12 barge-ins …`, marked where a simulator was asked."""
    return f"{shown.text} (SIMULATED)" if arm.simulated else shown.text


def claim_text(claim: Claim) -> str:
    """`partly – sixty minutes`."""
    return f"{claim.support} – {claim.text}"


def text(matrix: Matrix, width: int | None) -> Iterator[str]:
    """Lines for people: a line a cell; what was shown, else what is documented, by area."""
    loud = simulated_line(matrix)
    if loud:
        yield loud
    sources = _Sources()
    columns = [Column("FEATURE", _NARROWEST), Column("PROVIDER"), Column("EVIDENCE")]
    columns.append(Column("WHAT", _NARROWEST))
    for area in _areas(matrix):
        yield from ("", area)
        cells = [
            (
                row.feature.name if number == 0 else "",
                arm.column.name,
                cell.state,
                _line(cell, arm, sources),
            )
            for row in matrix.rows
            if row.feature.area == area
            for number, (arm, cell) in enumerate(zip(matrix.arms, row.cells, strict=True))
        ]
        yield from table(columns, cells, width)
    yield ""
    yield from (f"[{number}] {told(source)}" for number, source in sources.numbered())


def _line(cell: Cell, arm: Arm, sources: _Sources) -> str:
    parts = []
    if cell.shown:
        parts.append(shown_text(cell.shown, arm))
    if cell.claim:
        parts.append(f"{claim_text(cell.claim)} [{sources.number(cell.claim.source)}]")
    return "; documented: ".join(parts)


def told(source: Source) -> str:
    """A source with its date."""
    return f"{source.title}, {source.url}, seen {source.seen}"


class _Sources:
    """Numbers sources in the order in which they are used."""

    def __init__(self) -> None:
        self._numbers: dict[Source, int] = {}

    def number(self, source: Source) -> int:
        """The number of a source."""
        return self._numbers.setdefault(source, len(self._numbers) + 1)

    def numbered(self) -> Sequence[tuple[int, Source]]:
        """All of them."""
        return [(number, source) for source, number in self._numbers.items()]


def _areas(matrix: Matrix) -> list[str]:
    return list(dict.fromkeys(row.feature.area for row in matrix.rows))


def facts(matrix: Matrix) -> dict[str, Any]:
    """All of it as plain values: docs/features.md names the keys."""
    return {
        "trial": matrix.trial,
        "providers": [
            {
                "id": arm.column.id,
                "name": arm.column.name,
                "sessions": arm.sessions,
                "simulated": arm.simulated,
            }
            for arm in matrix.arms
        ],
        "features": [
            {
                "id": row.feature.id,
                "area": row.feature.area,
                "name": row.feature.name,
                "asks": row.feature.asks,
                "cells": {
                    arm.column.id: _cell_facts(cell, arm)
                    for arm, cell in zip(matrix.arms, row.cells, strict=True)
                },
            }
            for row in matrix.rows
        ],
    }


def _cell_facts(cell: Cell, arm: Arm) -> dict[str, Any]:
    shown, claim = cell.shown, cell.claim
    return {
        "state": cell.state,
        "shown": shown
        and {
            "shown": shown.shown,
            "of": shown.of,
            "text": shown.text,
            "simulated": bool(arm.simulated),
            "query": shown.sql,
            "params": dict(shown.given),
        },
        "documented": claim
        and {
            "support": claim.support,
            "text": claim.text,
            "title": claim.source.title,
            "url": claim.source.url,
            "seen": claim.source.seen.isoformat(),
        },
    }
