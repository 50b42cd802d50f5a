"""What a trial says before its first run."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.commands.trial_display import Display
from recorder.trial.runner import Prepared, Target
from recorder.trial.scenario import read_scenario

FOLDER = Path(__file__).parents[3] / "fixtures" / "scenarios"
TARGETS = {
    "openai": Target("simulator", None, "Bearer x"),
    "vapi": Target("address", "http://127.0.0.1:9000/vapi", "Bearer x"),
}


def test_it_names_what_is_simulated_lost_or_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    path = FOLDER / "barge-in.toml"
    prepared = {"barge-in": Prepared(read_scenario(path.read_text(), path.name), {}, path)}
    Display(as_json=True).greet(prepared, TARGETS, "the budget cannot be kept: no price")
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert told.out == ""
    assert lines[0].startswith("SIMULATED: openai. ")
    assert "vapi: address, http://127.0.0.1:9000/vapi" in lines
    assert any(line.startswith("barge-in, openai: first_message: ") for line in lines)
    assert any(line.startswith("barge-in, vapi: budget.max_cost_usd: ") for line in lines)
    assert lines[-1] == "the budget cannot be kept: no price"


def test_nothing_is_said_where_there_is_nothing_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    Display(as_json=False).greet({}, {}, None)
    assert capsys.readouterr().err == ""
