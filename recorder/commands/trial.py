"""`record trial`: run scenarios at several providers, and record each run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import (
    Address,
    dollars,
    json_option,
    listen_option,
    open_for_writing,
    redact_pii_option,
    stop_signal,
    store_option,
)
from recorder.counting import counted
from recorder.errors import CheckFailed

if TYPE_CHECKING:
    from recorder.trial.expecting import Judged
    from recorder.trial.runner import Prepared, Ran, Setting


class _RunByDefault(click.Group):
    """`record trial FILE` is `record trial run FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunByDefault)
def command() -> None:
    """Run scenarios at several providers, and record each run as a tape (docs/trial.md).

    `record trial FILE…` is short for `record trial run FILE…`.

    Example: record trial fixtures/scenarios/*.toml --repeat 3 --trial switch
    """


_FILES = click.argument(
    "files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path)
)


def _providers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    from recorder.trial.sides import SIDES, side

    if value is None:
        return tuple(SIDES)
    names = tuple(dict.fromkeys(each.strip() for each in value.split(",")))
    for name in names:
        side(name)
    return names


def _providers_option(default: str | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--provider",
        "providers",
        default=default,
        show_default=True if default else "all of them",
        callback=_providers,
        metavar="NAMES",
        help="The providers, with commas between them.",
    )


@command.command()
@_FILES
@_providers_option(None)
def check(files: tuple[Path, ...], providers: tuple[str, ...]) -> None:
    """Read scenarios, and say what a provider cannot express. Nothing is connected to.

    Example: record trial check fixtures/scenarios/*.toml
    """
    from recorder.trial.expecting import listed
    from recorder.trial.loading import load
    from recorder.trial.sides import side

    for path, scenario in load(files).items():
        expected = listed(path)
        size = f"{counted(len(scenario.turns), 'turn')}, {counted(len(expected), 'expectation')}"
        click.echo(f"{path}: {scenario.id}, {size}")
        for name in providers:
            for line in side(name).compile(scenario).lacking:
                click.echo(f"  {name}: {line}")


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    files: tuple[Path, ...]
    providers: tuple[str, ...]
    store_url: str
    trial: str
    repeat: int
    seed: int
    budget: Decimal | None
    allow_unpriced: bool
    openai_url: str | None
    openai_live_url: str | None
    vapi_url: str | None
    simulate: bool
    simulator: tuple[str, ...]
    listen: Address
    public_url: str | None
    redact_pii: bool
    criteria: str | None
    retry_excluded: bool
    as_json: bool


def _criteria(ctx: click.Context, param: click.Parameter, value: Path | None) -> str | None:
    from recorder.comparison.criteria import load_criteria

    return None if value is None else load_criteria(value).sha256


@command.command()
@_FILES
@_providers_option("openai,vapi")
@store_option
@click.option("--trial", required=True, metavar="NAME", help="The name that its runs belong to.")
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How often each scenario is run at each provider.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the order of the runs.")
@click.option(
    "--budget",
    callback=dollars,
    metavar="USD",
    help="The trial ends before more is spent; a live provider is not called without it.",
)
@click.option(
    "--allow-unpriced",
    is_flag=True,
    help="Go on although the budget cannot count a model that has no known price.",
)
@click.option("--openai-url", metavar="URL", help="In place of https://api.openai.com.")
@click.option("--openai-live-url", metavar="URL", help="The same for openai-live.")
@click.option("--vapi-url", metavar="URL", help="In place of https://api.vapi.ai.")
@click.option("--simulate", is_flag=True, help="Use the simulators, although there are keys.")
@click.option(
    "--simulator",
    multiple=True,
    allow_from_autoenv=False,
    metavar="'NAME OPTION…'",
    help="More options of `replay simulate` for one provider: 'openai --latency-ms 450'.",
)
@listen_option("127.0.0.1:0")
@click.option(
    "--public-url",
    metavar="URL",
    help="How a live provider reaches --listen with its tool calls.",
)
@redact_pii_option
@click.option(
    "--criteria",
    type=click.Path(path_type=Path),
    callback=_criteria,
    metavar="FILE",
    help="What the trial will be judged by (docs/compare.md): its digest goes on every tape.",
)
@click.option(
    "--retry-excluded",
    is_flag=True,
    help="Hold again the runs that a rule excludes; all others that took place stay as they are.",
)
@json_option
def run(**options: Any) -> None:
    """Run each FILE at each provider, --repeat times, in pairs and in random order.

    A provider without a key (OPENAI_API_KEY, VAPI_API_KEY) and without a URL is simulated. Runs
    that are on the store are not repeated, so that the same command goes on where it was stopped;
    with --retry-excluded, those are that may not be compared.

    Exit code 1 if a run failed, may not be compared, or did not do what its scenario expects.

    Example: record trial fixtures/scenarios/*.toml --repeat 3 --trial switch
    """
    asyncio.run(_run(Options(**options)))


async def _run(options: Options) -> None:
    from recorder.clock import SystemClock
    from recorder.commands.trial_display import Display
    from recorder.trial.holding import Purse, done_before, hold
    from recorder.trial.plan import left, plan
    from recorder.trial.runner import Runner

    prepared = _prepare(options.files)
    setting = _setting(options, prepared)
    beyond = _uncounted(options, prepared)
    _read_expectations(prepared)
    display = Display(as_json=options.as_json)
    display.greet(prepared, setting.targets, beyond)
    runs = plan(list(prepared), options.providers, options.repeat, options.seed)
    purse = Purse(options.budget, allows_unpriced=options.allow_unpriced)
    early: str | None = None
    stopped = stop_signal()
    async with Runner(setting, SystemClock(), stopped) as runner:
        with closing(open_for_writing(options.store_url, create=False)) as store:
            done = done_before(
                store, options.trial, prepared, purse, retry_excluded=options.retry_excluded
            )
        runs_left = left(runs, done)
        display.plan(options.trial, len(runs), len(runs_left), purse.spent)
        async with display.following(runner):
            async for told in hold(runner, runs_left, prepared, purse):
                if isinstance(told, str):
                    early = told
                else:
                    display.ran(told, await _judged(options.store_url, prepared, told))
    display.end(early, purse.spent)
    if early or display.bad or display.invalid:
        raise CheckFailed(f"trial {options.trial}: {display.verdict()}")


def _prepare(files: Iterable[Path]) -> Mapping[str, Prepared]:
    """Read and render everything, before anything is connected to."""
    from recorder.trial.loading import prepare
    from recorder.trial.rendering import Renderer, cache_folder

    return prepare(files, Renderer(cache_folder(os.environ)))


def _read_expectations(prepared: Mapping[str, Prepared]) -> None:
    """RecorderError for what cannot be judged afterwards."""
    from recorder.trial.expecting import listed

    for each in prepared.values():
        listed(each.path)


def _setting(options: Options, prepared: Mapping[str, Prepared]) -> Setting:
    from recorder.trial.runner import Setting
    from recorder.trial.targets import refuse_unsafe, simulator_options, targets

    found = targets(
        options.providers,
        {
            "openai": options.openai_url,
            "openai-live": options.openai_live_url,
            "vapi": options.vapi_url,
        },
        os.environ,
        simulate=options.simulate,
        options=simulator_options(options.simulator),
    )
    refuse_unsafe(
        found,
        [each.scenario for each in prepared.values()],
        has_budget=options.budget is not None,
        has_public_url=options.public_url is not None,
    )
    host, port = options.listen
    return Setting(
        options.store_url,
        options.trial,
        options.seed,
        found,
        host,
        port,
        options.public_url,
        options.redact_pii,
        options.criteria,
        dict.fromkeys(prepared, options.repeat),
    )


def _uncounted(options: Options, prepared: Mapping[str, Prepared]) -> str | None:
    """What a budget cannot count, where that is allowed; see `recorder.trial.prices`."""
    from recorder.pricing import PriceBook
    from recorder.trial.prices import refuse_uncounted, uncounted

    scenarios = [each.scenario for each in prepared.values()]
    has_budget = options.budget is not None
    line = uncounted(scenarios, options.providers, PriceBook.shipped(), has_budget=has_budget)
    refuse_uncounted(line, allowed=options.allow_unpriced)
    return line


async def _judged(store_url: str, prepared: Mapping[str, Prepared], ran: Ran) -> list[Judged]:
    """How a run met what is expected; nothing is expected of one that was stopped."""
    from recorder.trial.expecting import judge

    if ran.session is None or ran.outcome == "stopped":
        return []
    return await judge(store_url, ran.session, prepared[ran.run.scenario].path)
