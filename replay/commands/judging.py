"""Whether a run of a trial did its task, by what the scenario on its tape expects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recorder.derive import seen
from recorder.pricing import PriceBook
from recorder.providers import provider
from recorder.store.base import Store
from recorder.trial.record import Kept
from recorder.trial.scenario import Budget, Scenario, read_scenario
from replay.checks import Tape, read_tape, run
from replay.checks.expectations import Mark, expectations, heard
from replay.checks.speech import is_redacted


class Judging:
    """Judges the runs of a store. `given` are scenarios for runs without one on their tape, by the
    digests of their text."""

    def __init__(self, store: Store, given: Mapping[str, Scenario]) -> None:
        self._store = store
        self._scenarios = dict(given)
        self._book = PriceBook.shipped()

    def __call__(self, kept: Kept) -> bool | None:
        """Whether it finished and met every expectation: one that cannot be judged is not met. The
        budget of the scenario is no task. None if nobody knows what was expected, or only
        redaction keeps it from being judged."""
        if kept.end.get("outcome") != "finished":
            return False
        scenario = self._scenario(kept.run)
        if scenario is None:
            return None
        if not any(turn.expect for turn in scenario.turns):
            return True
        session = kept.row.id
        events = seen(self._store, session)
        tape = read_tape(
            events,
            provider(kept.row.provider),
            self._book.then(kept.row.wall_ns),
            lambda _: self._store.models("metric", session),
        )
        marks = [Mark(each["turn"], each["seq"], each["mode"]) for each in kept.turns]
        checks = expectations(scenario, heard(marks, tape.models.turns))
        outcomes = {each.verdict.outcome for each in run(checks, tape)}
        if "fail" not in outcomes and "inconclusive" in outcomes and _is_redacted(tape):
            return None
        return outcomes <= {"pass", "not run"}

    def _scenario(self, facts: Mapping[str, Any]) -> Scenario | None:
        """The scenario of a run, from its tape or from those given; its text has to have the digest
        that the run was begun with."""
        digest, text = facts["sha256"], facts.get("source")
        if digest not in self._scenarios:
            if text is None or hashlib.sha256(text.encode()).hexdigest() != digest:
                return None
            self._scenarios[digest] = read_scenario(text, facts["file"])
        return replace(self._scenarios[digest], budget=Budget())


def _is_redacted(tape: Tape) -> bool:
    """Whether words are missing of what was said (`--redact-pii`)."""
    turns = tape.models.turns
    return any(is_redacted(text) for turn in turns for text in (turn.agent_text, turn.user_text))
