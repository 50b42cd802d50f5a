"""What an application has to change to go from the baseline to a challenger, and what has to be
written anew."""

from __future__ import annotations

from recorder.comparison.result import Pair
from recorder.decision.knowledge import Guide, Step
from recorder.decision.material import Material
from recorder.decision.page import Page


def section(page: Page, made: Material) -> None:
    """Two sections: the effort, and the documentation."""
    found = [(pair, made.guide(pair)) for pair in made.comparison.pairs]
    page.title("Integration effort")
    for pair, guide in found:
        if guide is None:
            page.say(
                f"No guide from {pair.baseline} to {pair.challenger} comes with this program: what "
                "the application has to change is not known.",
                page.notes.add("recorder/decision/data of this program"),
            )
            continue
        page.say(
            f"From {pair.baseline} to {pair.challenger} the application changes as follows; "
            f"{guide.page} tells it in full.",
            page.notes.add(guide.page),
        )
        page.list(_step(page, made, pair, step) for step in guide.steps)
    page.title("Documentation to update")
    for pair, guide in found:
        page.list(_documents(page, pair, guide))


def _step(page: Page, made: Material, pair: Pair, step: Step) -> tuple[str, str]:
    text, marks = f"{step.area}: {step.text}.", page.notes.source(step.source)
    if step.tally:
        told = made.asking.told(step.tally.sql, pair.baseline)
        text += " " + step.tally.text.format(*told.rows[0])
        marks += page.notes.query(told.sql, told.given)
    return text, marks


def _documents(page: Page, pair: Pair, guide: Guide | None) -> list[tuple[str, str]]:
    if guide is None:
        return [(f"Not known for {pair.challenger}.", page.notes.add("no guide"))]
    return [(each, "") for each in guide.documents]
