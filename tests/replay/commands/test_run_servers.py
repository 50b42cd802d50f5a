"""`replay run` to servers: of the same tape, of a simulator, and one that says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kept_runs import SEED, digest, keep, keep_typed, recorded
from listening import Command, Process
from openai_tapes import simulator, spoken

from recorder.clock import SystemClock
from recorder.heads import RequestHead, ResponseHead
from replay.server import MachineServer


@pytest.fixture
def kept(tmp_path: Path) -> tuple[str, str]:
    return keep_typed(tmp_path)


async def run(*words: str) -> tuple[int, list[str]]:
    """The command, to its end."""
    async with Command("run", *words) as command:
        code, output = await command.end()
    return code, output.splitlines()


async def test_a_tape_is_played_to_a_server_of_the_same_tape(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    tape = keep(url, spoken())
    pace = ("--store", url, "--speed", "8")
    async with Process("serve", tape, *pace, "--no-record") as server:
        code, lines = await run(tape, *pace, "--against", server.url)
        assert code == 0, lines
        _, output = await server.end()
    assert lines[0].startswith("PASS steps=5/5")
    assert "replay complete" in output
    assert digest(url, lines[-1].removeprefix("recorded ")) == digest(url, tape)


async def test_a_tape_is_played_to_a_simulator_behind_a_port(kept: tuple[str, str]) -> None:
    url, tape = kept
    machine = simulator(SEED, replies=(), pace=40.0, latency_ms=10, jitter_ms=0)
    async with MachineServer(machine, SystemClock(), prefix="/openai") as server:
        base = f"{server.url}/openai"
        code, lines = await run(tape, "--store", url, "--against", base, "--speed", "8")
    assert code == 0, lines
    events = recorded(url, lines[-1].removeprefix("recorded "))
    answer = next(each for each in events if (each.kind, each.sender) == ("ws.open", "provider"))
    assert ("x-simulator-seed", str(SEED)) in ResponseHead.decode(answer.body).headers
    asked = RequestHead.decode(events[0].body)
    assert asked.path == "/v1/realtime"
    assert "[redacted" in dict(asked.headers)["Authorization"]


class Dead:
    """A provider that accepts and says nothing."""

    def __init__(self) -> None:
        self._service = simulator()
        self.receive, self.next_deadline = self._service.receive, self._service.next_deadline

    def due(self, now: int) -> list[Any]:
        return [each for each in self._service.due(now) if each.kind == "ws.open"]


async def test_a_server_that_says_nothing_is_given_up_in_time(kept: tuple[str, str]) -> None:
    url, tape = kept
    async with MachineServer(Dead(), SystemClock(), prefix="/openai") as server:
        more = ("--against", server.url, "--no-record", "--patience", "0.5")
        code, lines = await run(tape, "--store", url, *more)
    assert code == 1
    assert lines[0].endswith("the session did not begin within 0.5 s of what came before")
    assert lines[0].startswith("INCONCLUSIVE steps=0/10")
