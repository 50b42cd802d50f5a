"""The table of features in Markdown: a column for each provider, each cell with its footnotes."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.features.footnotes import Footnotes, cell
from recorder.features.matrix import Arm, Cell, Matrix
from recorder.features.wording import NOT_TESTED, claim_text, shown_text, simulated_line


def page(matrix: Matrix) -> Iterator[str]:
    """A page of its own."""
    notes = Footnotes()
    yield from (f"# Features: trial {cell(matrix.trial)}", "")
    loud = simulated_line(matrix)
    if loud:
        yield from (f"**{loud}**", "")
    yield from tables(matrix, notes)
    yield ""
    yield from notes.lines()


def tables(matrix: Matrix, notes: Footnotes) -> Iterator[str]:
    """A table with a heading in bold for each area. A row has the feature and what it asks."""
    head = ["feature", *(cell(arm.column.name) for arm in matrix.arms)]
    area = ""
    for row in matrix.rows:
        if row.feature.area != area:
            if area:
                yield ""
            area = row.feature.area
            yield from (f"**{cell(area)}**", "", _line(head), _line(["---"] * len(head)))
        cells = [_cell(each, arm, notes) for arm, each in zip(matrix.arms, row.cells, strict=True)]
        yield _line([f"**{cell(row.feature.name)}** {cell(row.feature.asks)}", *cells])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(found: Cell, arm: Arm, notes: Footnotes) -> str:
    parts = []
    if found.shown:
        mark = notes.query(found.shown.sql, found.shown.given)
        parts.append(f"shown: {cell(shown_text(found.shown, arm))}{mark}")
    if found.claim:
        mark = notes.source(found.claim.source)
        parts.append(f"documented: {cell(claim_text(found.claim))}{mark}")
    return ". ".join(parts) or NOT_TESTED
