"""The comparison by a process of its own: the same values, and the same one line of an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from small_trial import TRIAL

from recorder.commands.decide import compared
from recorder.errors import RecorderError


def test_a_comparison_comes_over_as_it_is(trial: Path) -> None:
    from replay.commands.compare import compared as here

    assert compared(str(trial), [TRIAL]) == here(str(trial), TRIAL)[0]


def ends(monkeypatch: pytest.MonkeyPatch, code: int, told: str) -> None:
    """Let the process end so."""

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess((), code, "", told)

    monkeypatch.setattr(subprocess, "run", run)


def test_what_cannot_be_compared_is_said_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    ends(monkeypatch, 2, "a warning\nreplay: no trial 'nobody'\n")
    with pytest.raises(RecorderError) as caught:
        compared("tapes.db", ["nobody"])
    assert str(caught.value) == "no trial 'nobody'"


def test_a_bug_of_the_other_half_is_a_bug_here(monkeypatch: pytest.MonkeyPatch) -> None:
    ends(monkeypatch, 3, "Traceback: …")
    with pytest.raises(RuntimeError, match="ended with 3:\nTraceback: …"):
        compared("tapes.db", ["nobody"])
