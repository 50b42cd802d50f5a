"""`record trial`, without a conversation: what is checked before one begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recorder.cli import cli
from recorder.errors import RecorderError

FOLDER = Path(__file__).parents[3] / "fixtures" / "scenarios"
BARGE_IN = FOLDER / "barge-in.toml"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("VAPI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


def command(*words: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, ["trial", *map(str, words)], env=env)


def refusal(*words: str | Path, env: dict[str, str] | None = None) -> str:
    result = command(*words, env=env)
    assert isinstance(result.exception, RecorderError), result.exception
    assert result.exception.exit_code == 2
    assert not Path("conversations.db").exists()
    return str(result.exception)


def test_check_names_each_scenario_and_what_cannot_be_expressed() -> None:
    result = command("check", BARGE_IN)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].endswith("barge-in.toml: barge-in, 2 turns, 5 expectations")
    assert any(line.startswith("  openai: first_message: ") for line in lines)
    assert any(line.startswith("  vapi: budget.max_cost_usd: ") for line in lines)
    assert any(line.startswith("  openai-live: budget.max_cost_usd: ") for line in lines)


def test_check_looks_at_the_chosen_providers_alone() -> None:
    assert "vapi" not in command("check", BARGE_IN, "--provider", "openai").output


def test_check_reads_the_table_of_each_provider(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(BARGE_IN.read_text() + '\n[provider.openai-live]\nmodle = "x"\n')
    assert "[provider.openai-live] has an unknown key 'modle'" in refusal("check", wrong)


def test_check_reads_expectations_too(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(BARGE_IN.read_text().replace("yields_within_ms", "yields_in_ms"))
    assert "barge-in, turn 2, expect 1 has no kind" in refusal("check", wrong)


def test_files_that_cannot_be_scenarios_are_refused(tmp_path: Path) -> None:
    (tmp_path / "typo.toml").write_text(BARGE_IN.read_text().replace("mode =", "mood ="))
    assert "typo.toml:" in refusal("check", tmp_path / "typo.toml")
    assert "unknown key 'mood'" in refusal("check", tmp_path / "typo.toml")
    assert "give a scenario" in refusal("check", tmp_path / "none.toml")
    (tmp_path / "twin.toml").write_text(BARGE_IN.read_text())
    assert "both have the id 'barge-in'" in refusal("check", BARGE_IN, tmp_path / "twin.toml")


@pytest.mark.parametrize(
    ("words", "env", "told"),
    [
        (["--provider", "acme"], {}, "no trial with 'acme'"),
        (["--openai-url", "https://eu.api.openai.com"], {}, "set OPENAI_API_KEY"),
        ([], {"OPENAI_API_KEY": "sk-live-key-000"}, "openai cost money: give --budget USD"),
        (["--budget", "5"], {"VAPI_API_KEY": "vapi-key-000"}, "give --public-url"),
        (["--simulator", "acme --seed 1"], {}, "no trial with 'acme'"),
    ],
)
def test_a_trial_that_cannot_be_is_refused_before_anything_is_made(
    words: list[str], env: dict[str, str], told: str
) -> None:
    assert told in refusal(BARGE_IN, "--trial", "t", *words, env=env)


def test_a_budget_that_cannot_be_kept_is_refused_before_the_first_run(tmp_path: Path) -> None:
    unknown = BARGE_IN.read_text() + '[provider.openai]\nmodel = "gpt-secret"\n'
    (tmp_path / "unknown.toml").write_text(unknown)
    told = refusal(tmp_path / "unknown.toml", "--trial", "t", "--budget", "5")
    assert "has no price for openai model gpt-secret (barge-in)" in told
    assert "--allow-unpriced" in told
    assert "\n" not in told


def test_a_trial_needs_a_name_and_a_budget_is_an_amount() -> None:
    assert "Missing option '--trial'" in command(BARGE_IN).output
    assert "is not an amount" in command(BARGE_IN, "--trial", "t", "--budget", "much").output


def test_criteria_are_read_before_the_first_run(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("schema = 1\nweight = 1\n")
    told = refusal(BARGE_IN, "--trial", "t", "--criteria", tmp_path / "c.toml")
    assert told.startswith("c.toml:2: unknown key 'weight'")


def test_help_tells_both_commands() -> None:
    text = command("--help").output
    assert "check" in text
    assert "record trial fixtures/scenarios/*.toml --repeat 3" in text
