"""The comparison of a trial as a document: the sections, one after the other."""

from __future__ import annotations

from recorder.comparison.result import Comparison, Declared, Finding
from recorder.comparison.sentences import VERDICTS, held, interval, quantity
from recorder.counting import counted
from recorder.decision import costs, migration, risks
from recorder.decision.deciding import HORIZON_DAYS, Decision, Ending, lasting
from recorder.decision.material import Material
from recorder.decision.page import Page, Row
from recorder.decision.sealing import sealed
from recorder.features.markdown import tables

_DECLARED: dict[Declared, str] = {
    "on-tape": "declared before the runs: each tape has their digest",
    "before": "declared before the first run, by the time of the file",
    "after": "declared after the first run",
    "other": "not those that the runs were begun with",
    "shipped": "not declared for this trial",
}


def document(made: Material) -> str:
    """The whole text, closed by its digest."""
    page = Page()
    compare = page.notes.command(made.wanted.compare)
    page.title(f"Decision: trial {made.comparison.trial}", 1)
    _head(page, made, compare)
    _decision(page, made, compare)
    _prototype(page, made)
    _features(page, made)
    _performance(page, made, compare)
    costs.section(page, made)
    migration.section(page, made)
    _ends(page, made)
    risks.section(page, made, compare)
    risks.not_tested(page, made, compare)
    _tapes(page, made)
    return sealed(page.text())


def _head(page: Page, made: Material, compare: str) -> None:
    found = made.comparison
    page.say("Made by `record decide` from recorded evidence. Make it anew; do not edit it.")
    for warning in found.warnings:
        page.say(warning, compare, loud=True)
    declared = found.declaration
    size = (
        f"{counted(len(found.scenarios), 'scenario')} × {counted(found.repeats, 'run')} of each arm"
    )
    rows = [
        ("trial", f"{found.trial}: {size}, on {', '.join(found.days)}"),
        *((f"arm {arm.name}", _arm(found, number)) for number, arm in enumerate(found.arms)),
        ("prices", "; ".join(found.price_books) or "nothing was charged"),
        (
            "criteria",
            f"{declared.file}, sha256 {declared.sha256}, {_DECLARED[declared.declared]}; "
            f"confidence {declared.confidence:g}",
        ),
    ]
    page.table(["", ""], [Row(row, compare) for row in rows])


def _arm(found: Comparison, number: int) -> str:
    arm = found.arms[number]
    where = ", ".join("SIMULATED" if each == "simulator" else each for each in arm.targets)
    models = f", {', '.join(arm.models)}" if arm.models else ""
    told = f"{held(arm)}, of which {arm.valid} count, "
    told += f"{counted(arm.turns, 'turn')} in these; {where}"
    return told + models + ("" if number else "; the baseline")


def _decision(page: Page, made: Material, compare: str) -> None:
    page.title("Decision")
    if len(made.decisions) > 1:
        page.say(
            "Each challenger is compared with the baseline, and not with the others; `--baseline` "
            "takes another arm as the baseline."
        )
    for decision in made.decisions:
        page.say(f"{decision.headline}.", compare, loud=True)
        queries = {
            each.sentence: page.notes.query(each.query, {})
            for pair in made.comparison.pairs
            for each in pair.findings
            if each.sentence in decision.reasons
        }
        page.list((f"{each}.", queries.get(each, "") + compare) for each in _why(decision))
    page.say(
        "The rule: a gate comes first; then every primary criterion has to have a verdict; a model "
        f"that ends within {HORIZON_DAYS} days of the last run is none to switch to; what was not "
        "the live service decides nothing.",
        page.notes.add("docs/decision.md of this program, The rule"),
    )


def _why(decision: Decision) -> list[str]:
    found = [*decision.reasons]
    found += [f"Less sure, because {each}" for each in decision.doubts]
    found += [
        f"The model {each.model} of {each.arm} ends {counted(each.days, 'day')} after the last run"
        + (f"; what comes after it: {each.known.after}" if each.known else "")
        for each in decision.near_ends
        if each.days is not None
    ]
    return found


def _prototype(page: Page, made: Material) -> None:
    page.title("Prototype")
    page.say(
        "The same scenarios were run at each provider, with the same agent, the same audio and the "
        "same doubles of its tools. A tape can be read with `record report SESSION`."
    )
    rows = []
    mark = page.notes.query(made.runs_told.sql, made.runs_told.given)
    for key in dict.fromkeys((run.scenario, run.file, run.sha256) for run in made.runs):
        own = [run for run in made.runs if (run.scenario, run.file, run.sha256) == key]
        counted = [
            f"{arm.name} {sum(run.provider == arm.name for run in own)}"
            for arm in made.comparison.arms
        ]
        rows.append(Row([*key[:2], f"`{key[2]}`", ", ".join(counted)], mark))
    page.table(["scenario", "file", "sha256 of the file", "tapes"], rows)


def _features(page: Page, made: Material) -> None:
    page.title("Features")
    page.say(
        "Each cell is shown by a query over the trial, else documented, else not tested. What a "
        "simulator shows says nothing about the provider."
    )
    page.lines(tables(made.matrix, page.notes))


def _performance(page: Page, made: Material, compare: str) -> None:
    page.title("Performance")
    page.simulated(made.comparison)
    for pair in made.comparison.pairs:
        marks = [page.notes.query(each.query, {}) for each in pair.of("gate", "primary")]
        page.say(pair.sentence, *dict.fromkeys(marks), compare)
        head = ["criterion", "family", pair.baseline, pair.challenger]
        head += ["difference", "interval", "margin", "verdict"]
        rows = [
            Row(_finding(each), page.notes.query(each.query, {}) + compare)
            for each in pair.findings
        ]
        page.table(head, rows)
    rows = [
        Row([each.arm, each.rule, str(each.runs), ", ".join(each.sessions)], compare)
        for each in made.comparison.exclusions
    ]
    if rows:
        page.say("Runs that do not count, by rule, whatever they show:")
        page.table(["arm", "rule", "runs", "sessions"], rows)


def _finding(found: Finding) -> list[str]:
    one, effect = found.criterion, found.effect
    values = [
        "no evidence" if each.value is None else quantity(each.value, one.unit)
        for each in (found.baseline, found.challenger)
    ]
    change = quantity(effect.difference, one.effect_unit, sign=True) if effect else "–"
    between = interval(effect, one.effect_unit) if effect else "–"
    margin = quantity(one.margin, one.effect_unit)
    verdict = VERDICTS[found.verdict]
    return [one.name, one.family, *values, change, between, margin, verdict]


def _ends(page: Page, made: Material) -> None:
    page.title("End dates of models")
    if not made.endings:
        page.say("The tapes name no model.")
        return
    told = [
        f"{arm.name} {lasting(each for each in made.endings if each.arm == arm.name)}"
        for arm in made.comparison.arms
    ]
    begin = f"A criterion of its own: no model ends within {HORIZON_DAYS} days of the last run"
    page.say(f"{begin}: {', '.join(told)}.", *dict.fromkeys(_used_marks(page, made)))
    rows = [Row(_ending(each), _ending_marks(page, made, each)) for each in made.endings]
    page.table(["arm", "model", "ends", "days after the last run", "what comes after"], rows)


def _ending(each: Ending) -> list[str]:
    known = each.known
    if known is None:
        return [each.arm, each.model, "not known to this program", "–", "–"]
    ends = known.ends.isoformat() if known.ends else "no date was found"
    hearsay = " (second-hand)" if known.is_hearsay else ""
    days = "–" if each.days is None else str(each.days)
    return [each.arm, each.model, ends + hearsay, days, known.after]


def _used_marks(page: Page, made: Material) -> list[str]:
    return [page.notes.query(told.sql, told.given) for told in made.models.values()]


def _ending_marks(page: Page, made: Material, each: Ending) -> str:
    told = made.models[each.arm]
    mark = page.notes.query(told.sql, told.given)
    return mark + (page.notes.source(each.known.source) if each.known else "")


def _tapes(page: Page, made: Material) -> None:
    page.title("Tapes")
    page.say("`record verify SESSION` proves that a tape is as it was recorded.")
    mark = page.notes.query(made.runs_told.sql, made.runs_told.given)
    broken: dict[str, list[str]] = {}
    for each in made.comparison.exclusions:
        for session in each.sessions:
            broken.setdefault(session, []).append(each.rule)
    rows = [
        Row(
            [
                *(run.session, run.scenario, run.provider, str(run.repeat), run.status),
                *(", ".join(broken.get(run.session, ["counts"])), f"`{run.digest}`"),
            ],
            mark,
        )
        for run in made.runs
    ]
    head = ["session", "scenario", "arm", "repeat", "status", "counts or why not"]
    page.table([*head, "digest of the tape"], rows)
