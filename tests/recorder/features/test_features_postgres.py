"""The rows that are shipped tell the same of a trial in PostgreSQL."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from commandline import out
from postgres import new_database, server
from small_trial import TRIAL, fill

from recorder.cli import cli
from recorder.store import open_store


def _of(url: str, *words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--store", url])
    assert result.exit_code == 0, result.exception
    return result.stdout


@pytest.mark.slow
def test_a_trial_in_postgresql_shows_the_same(trial: Path, tmp_path: Path) -> None:
    with server(tmp_path) as running:
        url = new_database(running)
        with closing(open_store(url, create=True)) as store:
            fill(store)
        told = _of(url, "features", TRIAL, "--json")
        again = _of(url, "decide", TRIAL, "-o", str(tmp_path / "decision.md"))
    assert json.loads(told) == json.loads(out(trial, "features", TRIAL, "--json"))
    assert "No decision" in again
