"""What `record trial` says: a line for each run, and on a terminal what is going on."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

import click

from recorder.commands.common import paint
from recorder.counting import counted
from recorder.trial.expecting import Judged
from recorder.trial.plan import Run
from recorder.trial.runner import Prepared, Ran, Runner, Target
from recorder.trial.sides import side

_BEAT_S = 0.25
_CLEAR = "\r\x1b[K"
_SIMULATED = "SIMULATED: {}. What follows says nothing about the live service."
_EXCLUDED: Final = (
    "excluded runs are shown and not compared: let nothing else run on this machine, and hold them"
    " again with --retry-excluded"
)


class Display:
    """Counts what it shows: `bad` are runs that failed, or did not do what was expected; `invalid`
    those that may not be compared."""

    def __init__(self, *, as_json: bool) -> None:
        self.good = self.bad = self.invalid = 0
        self._as_json = as_json
        self._is_live = sys.stderr.isatty() and not as_json
        self._total = self._shown = 0
        self._unsteady = False  # a run came to its end and may not be compared

    def greet(
        self, prepared: Mapping[str, Prepared], found: Mapping[str, Target], uncounted: str | None
    ) -> None:
        """Where everything goes, what is lost on the way, and what the budget does not count."""
        simulated = [name for name, target in found.items() if target.kind == "simulator"]
        if simulated:
            told = _SIMULATED.format(" and ".join(simulated))
            click.echo(paint(told, fg="yellow", bold=True), err=True)
        for name, target in found.items():
            if target.url is not None:
                click.echo(f"{name}: {target.kind}, {target.url}", err=True)
        for scenario in (each.scenario for each in prepared.values()):
            for name in found:
                for line in side(name).compile(scenario).lacking:
                    click.echo(f"{scenario.id}, {name}: {line}", err=True)
        if uncounted:
            click.echo(paint(uncounted, fg="yellow"), err=True)

    def plan(self, trial: str, total: int, left: int, spent: Decimal) -> None:
        """How much there is to do."""
        self._total, self._shown = total, total - left
        done = f", {total - left} of them on the store already" if left < total else ""
        paid = f", ${spent:.4f} spent" if spent else ""
        click.echo(f"trial {trial}: {counted(total, 'run')}{done}{paid}", err=True)

    @asynccontextmanager
    async def following(self, runner: Runner) -> AsyncIterator[None]:
        """Show on a terminal what the run under way does."""
        task = asyncio.create_task(self._follow(runner)) if self._is_live else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                click.echo(_CLEAR, nl=False, err=True)

    def ran(self, ran: Ran, judged: Sequence[Judged]) -> None:
        """A run is over."""
        self._shown += 1
        wrong = [each for each in judged if each.outcome in ("fail", "inconclusive")]
        if ran.outcome != "finished" or wrong:
            self.bad += 1
        else:
            self.good += 1
        self.invalid += bool(ran.invalid)
        self._unsteady |= bool(ran.invalid) and ran.outcome == "finished"
        if self._is_live:
            click.echo(_CLEAR, nl=False, err=True)
        if self._as_json:
            click.echo(json.dumps(_as_json(ran, judged), ensure_ascii=False))
        else:
            for line in self._lines(ran, judged, wrong):
                click.echo(line)
        sys.stdout.flush()

    def end(self, early: str | None, spent: Decimal) -> None:
        """Nothing more is run."""
        if early:
            click.echo(f"ended early: {early}; the same command goes on", err=True)
        if self._unsteady:
            click.echo(_EXCLUDED, err=True)
        click.echo(f"{self.verdict()}, ${spent:.4f} spent", err=True)

    def verdict(self) -> str:
        """How the runs of this time went."""
        parts = [f"{counted(self.good, 'run')} as expected", f"{self.bad} not"]
        parts += [f"{self.invalid} excluded by rule"] if self.invalid else []
        return ", ".join(parts)

    def _lines(self, ran: Ran, judged: Sequence[Judged], wrong: Sequence[Judged]) -> list[str]:
        met = f"{len(judged) - len(wrong)}/{len(judged)} expectations"
        cost = "price unknown" if ran.usd is None else f"${ran.usd:.4f}"
        colour = "green" if ran.outcome == "finished" and not wrong else "red"
        head = f"{self._place(ran.run)}  {paint(ran.outcome, fg=colour)}  {met}  {cost}"
        lines = [f"{head}  {ran.session}" if ran.session else head]
        lines += [f"    {ran.reason}"] if ran.reason else []
        lines += [f"    excluded by rule: {why}" for why in ran.invalid]
        return lines + [f"    {each.outcome}: {each.name}: {each.reason}" for each in wrong]

    def _place(self, run: Run) -> str:
        width = len(str(self._total))
        return f"[{self._shown:{width}}/{self._total}] {run.scenario} {run.provider} #{run.repeat}"

    async def _follow(self, runner: Runner) -> None:
        beats = 0
        run: Run | None = None
        while True:
            now = runner.progress
            if now is not None:
                beats = 0 if now.run is not run else beats + 1
                run = now.run
                place = f"{run.scenario} {run.provider} #{run.repeat}"
                told = f"{beats * _BEAT_S:5.1f} s  turn {now.turn}  ${now.usd:.4f}"
                line = f"[{self._shown + 1}/{self._total}] {place}  {told}"
                click.echo(_CLEAR + line, nl=False, err=True)
            await asyncio.sleep(_BEAT_S)


def _as_json(ran: Ran, judged: Sequence[Judged]) -> dict[str, object]:
    run = ran.run
    return {
        "scenario": run.scenario,
        "provider": run.provider,
        "repeat": run.repeat,
        "order": run.order,
        "block": run.block,
        "session": ran.session,
        "outcome": ran.outcome,
        "reason": ran.reason,
        "usd": None if ran.usd is None else str(ran.usd),
        "excluded": list(ran.invalid),
        "expectations": [each._asdict() for each in judged],
    }
