"""Runs through the proxy of a trial, to a simulated service in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from scenes import clips, scenario

from recorder.clock import SystemClock
from recorder.commands.trial_display import Display
from recorder.store import open_store
from recorder.trial.holding import Purse, done_before, hold
from recorder.trial.plan import plan
from recorder.trial.record import kept_runs
from recorder.trial.runner import Prepared, Ran, Runner, Setting, Target
from recorder.trial.targets import MADE_UP
from recorder.verify import verify
from replay.server import MachineServer
from replay.simulators.openai import OpenAISimulator, Options

CHANGES = (
    ('say = "Book a table on Monday."', 'say = "Hello."'),
    ('mode = "yield"\nsay = "Wait, please."', 'noise = { kind = "cough", ms = 60 }'),
    ('after = "agent_speech_start", delay_ms = 700, timeout_ms = 8000', 'after = "prev_turn_end"'),
    ("quiet_ms = 800", "quiet_ms = 100"),
    ('error = "unavailable"', "status = 503"),
    ("tail_silence_ms = 600", "tail_silence_ms = 20"),
)
SMALL = scenario(*CHANGES)
CAPPED = scenario(
    *CHANGES, ('id = "small"', 'id = "capped"'), ("cost_usd = 0.5", "cost_usd = 1e-4")
)
PREPARED = {
    each.id: Prepared(each, clips(each), Path(f"{each.id}.toml")) for each in (SMALL, CAPPED)
}
RUNS = {run.scenario: run for run in plan(list(PREPARED), ("openai",), 1, 1)}
BEHAVIOUR = Options(transcripts=("Hello.",) * 3, replies=("Hi.",) * 3, latency_ms=20, pace=100)


@pytest.fixture
async def service() -> AsyncIterator[str]:
    machine = OpenAISimulator(1, 0, BEHAVIOUR)
    async with MachineServer(machine, SystemClock(), prefix="/openai") as server:
        yield server.url + "/openai"


async def held(runner: Runner, name: str, purse: Purse) -> list[Ran | str]:
    return [told async for told in hold(runner, [RUNS[name]], PREPARED, purse)]


async def test_limits_leave_valid_tapes_and_a_stalled_run_is_excluded(
    tmp_path: Path, service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/t.db"
    targets = {"openai": Target("address", service, MADE_UP)}
    setting = Setting(url, "t", 1, targets, criteria="digest", planned={"small": 1})
    async with Runner(setting, SystemClock(), asyncio.Event()) as runner:
        over, early = await held(runner, "small", Purse(Decimal("0.0001")))
        [capped] = await held(runner, "capped", Purse(None))
        asyncio.get_running_loop().call_later(0.5, time.sleep, 0.2)
        [stalled] = await held(runner, "small", Purse(None))

    assert isinstance(over, Ran)
    assert (over.outcome, early) == ("stopped", "more than $0.0001 is spent")
    assert isinstance(capped, Ran)
    assert (capped.outcome, capped.reason) == ("failed", "more than $0.0001 is spent")
    assert isinstance(stalled, Ran)
    assert stalled.outcome == "finished"
    assert any(why.startswith("the client stood still for ") for why in stalled.invalid)
    display = Display(as_json=False)
    display.ran(stalled, [])
    assert display.verdict() == "1 run as expected, 0 not, 1 excluded by rule"
    capsys.readouterr()
    display.end(None, Decimal(0))
    assert "hold them again with --retry-excluded" in capsys.readouterr().err

    with closing(open_store(url, create=False)) as store:
        kept = list(kept_runs(store, "t"))
        assert [verify(store, each.row).fault for each in kept] == [None] * 3
        assert [each.row.status for each in kept] == ["complete"] * 3
        assert all("there is no HTTP" in each.run["lacking"][0] for each in kept)
        told = [(each.run["turns"], each.run["source"], each.run["criteria"]) for each in kept]
        assert told[0] == (len(SMALL.turns), SMALL.text, "digest")
        assert kept[0].run["planned"] == {"small": 1}
        purse = Purse(None)
        done = done_before(store, "t", PREPARED, purse)
    assert done == {RUNS["small"].key, RUNS["capped"].key}
    assert purse.spent == over.known_usd + capped.known_usd + stalled.known_usd > 0
