"""What may go wrong with a switch, and what the trial says nothing about."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.comparison.result import Pair
from recorder.counting import counted
from recorder.decision.material import Material
from recorder.decision.page import Page
from recorder.features.matrix import Arm, Row
from recorder.features.wording import shown_text


def section(page: Page, made: Material, compare: str) -> None:
    """Risks, the gravest first: what the numbers rest on, what is lost, what failed, what ends."""
    page.title("Risks")
    found = [(f"{_capital(each)}.", compare) for each in made.comparison.warnings]
    for pair in made.comparison.pairs:
        found += _ends(page, made, pair)
        found += _losses(page, made, pair)
        found += _failures(page, made, pair)
        found += _excluded(made, pair, compare)
    page.list(dict.fromkeys(found) or [("None that this program knows of.", "")])


def _ends(page: Page, made: Material, pair: Pair) -> Iterator[tuple[str, str]]:
    for each in made.endings:
        if each.is_near and each.known and each.arm in (pair.baseline, pair.challenger):
            text = f"The model {each.model} of {each.arm} ends on {each.known.ends}"
            text += " (second-hand)" if each.known.is_hearsay else ""
            mark = page.notes.source(each.known.source)
            yield f"{text}: what the trial measured holds until then.", mark


def _losses(page: Page, made: Material, pair: Pair) -> Iterator[tuple[str, str]]:
    """What is documented of the baseline and not, or only in part, of the challenger."""
    old, new = made.column(pair.baseline), made.column(pair.challenger)
    if old is None or new is None:
        return
    for row in made.matrix.rows:
        had, has = (row.cells[made.matrix.arms.index(each)].claim for each in (old, new))
        if had and has and had.support == "yes" and has.support != "yes":
            word = "lost" if has.support == "no" else "less"
            text = f"{row.feature.name}, {word} with {pair.challenger}: {has.text}."
            yield text, page.notes.source(has.source)


def _failures(page: Page, made: Material, pair: Pair) -> Iterator[tuple[str, str]]:
    """What was tried at the challenger and did not come out always; errors; unknown prices."""
    new = made.column(pair.challenger)
    if new is not None:
        yield from _tried(page, made, new)
    errors = made.asking.errors(pair.challenger)
    if errors.rows[0][0]:
        found, sessions = errors.rows[0]
        text = f"{counted(found, 'error')} in {counted(sessions, 'session')} at {pair.challenger}."
        yield text, page.notes.query(errors.sql, errors.given)
    unpriced = made.asking.unpriced(pair.challenger)
    if unpriced.rows[0][0]:
        lines = counted(unpriced.rows[0][0], "line")
        text = f"Without a price on the bills of {pair.challenger}: {lines}."
        yield text, page.notes.query(unpriced.sql, unpriced.given)


def _tried(page: Page, made: Material, arm: Arm) -> Iterator[tuple[str, str]]:
    for row in made.matrix.rows:
        shown, claim = row.cells[made.matrix.arms.index(arm)]
        if shown and shown.shown < shown.of and not (claim and claim.support == "no"):
            text = f"{row.feature.name} at {arm.column.name}: {shown_text(shown, arm)}."
            yield text, page.notes.query(shown.sql, shown.given)


def _excluded(made: Material, pair: Pair, compare: str) -> Iterator[tuple[str, str]]:
    for each in pair.findings:
        if each.verdict != each.verdict_all:
            text = f"{each.criterion.name}: with the excluded runs the verdict would be "
            yield f"{text}{each.verdict_all}, not {each.verdict}.", compare


def not_tested(page: Page, made: Material, compare: str) -> None:
    """What nobody may conclude from this trial."""
    page.title("Not tested")
    found = [(f"{_capital(each)}.", compare) for each in made.comparison.not_tested]
    found += [_column(arm) for arm in made.matrix.arms if not arm.sessions]
    for number, arm in enumerate(made.matrix.arms):
        names = [_name(row) for row in made.matrix.rows if row.cells[number].state == "not tested"]
        if names:
            text = f"{arm.column.name}, neither shown nor documented: {'; '.join(names)}."
            found.append((text, compare))
    found += _unmeasured(page, made)
    found += _lacking(page, made)
    found += _timeouts(page, made)
    page.list(found)


def _column(arm: Arm) -> tuple[str, str]:
    return (
        f"{arm.column.name}: no conversation of this trial; what is said of it is documented.",
        "",
    )


def _name(row: Row) -> str:
    return row.feature.name


def _unmeasured(page: Page, made: Material) -> Iterator[tuple[str, str]]:
    """What the tapes of an arm have no evidence of, and those of another arm have: it is not known
    there, and not zero."""
    told = {arm.name: made.asking.measured(arm.name) for arm in made.comparison.arms}
    having = {name: {row[0] for row in found.rows} for name, found in told.items()}
    for name, found in told.items():
        others = set().union(*(own for other, own in having.items() if other != name))
        if names := sorted(others - having[name]):
            text = f"{name}, not measured though another arm is: {', '.join(names)}"
            mark = page.notes.query(found.sql, found.given)
            yield f"{text} (docs/metrics.md tells what each needs).", mark


def _lacking(page: Page, made: Material) -> Iterator[tuple[str, str]]:
    """What a scenario asked for and a provider could not express."""
    mark = page.notes.query(made.runs_told.sql, made.runs_told.given)
    told = {
        (run.provider, line): run.scenario for run in reversed(made.runs) for line in run.lacking
    }
    for (provider, line), _ in sorted(told.items()):
        names = sorted(
            {run.scenario for run in made.runs if run.provider == provider and line in run.lacking}
        )
        yield f"{provider} could not express, in {', '.join(names)}: {line}.", mark


def _timeouts(page: Page, made: Material) -> Iterator[tuple[str, str]]:
    """Turns that began although what they waited for had not come: what they try was not tried."""
    for arm in made.comparison.arms:
        told = made.asking.timeouts(arm.name)
        late, turns = told.rows[0]
        if late:
            text = f"{late} of {counted(turns, 'turn')} at {arm.name} began by timeout"
            yield f"{text}: what they try was not tried.", page.notes.query(told.sql, told.given)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
