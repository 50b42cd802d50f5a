"""A comparison's page for tests: of a trial of two scenarios at both providers, on virtual time."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from small_trial import TRIAL, fill

from recorder.comparison.comparing import compare
from recorder.comparison.criteria import shipped
from recorder.comparison.evidence import Evidence
from recorder.comparison.gather import gather as read
from recorder.comparison.page import render
from recorder.comparison.page.gather import Gathered, gather
from recorder.comparison.result import Comparison
from recorder.store import open_store

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{script}}"


@dataclass
class Made:
    """A store, what was found in it, and the page."""

    store: Path
    evidence: Evidence
    comparison: Comparison
    gathered: Gathered
    page: Path

    @property
    def url(self) -> str:
        return self.page.as_uri()


def make(folder: Path) -> Made:
    """A page with one run excluded, and a scenario with a name that is markup."""
    path = folder / "trial.db"
    with closing(open_store(str(path), create=True)) as store:
        fill(store)
        found = read(store, TRIAL, lambda _: True)
        runs = [
            dataclasses.replace(run, broken=("stall",) if number == 3 else ())
            for number, run in enumerate(found.runs)
        ]
        evidence = dataclasses.replace(found, runs=tuple(runs))
        by = shipped()
        comparison = compare(evidence, by._replace(criteria=by.criteria[:4]), "after")
        named = comparison._replace(scenarios=(HOSTILE, *comparison.scenarios))
        gathered = gather(store, named, evidence)
    gathered.facts["turns"][0]["sides"][0]["agent_text"] = HOSTILE
    gathered.facts["pairs"][0]["findings"][0]["name"] = HOSTILE
    page = folder / "compare.html"
    page.write_text(render(gathered.facts, gathered.sounds))
    return Made(path, evidence, comparison, gathered, page)
