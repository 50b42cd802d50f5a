"""`replay sweep`: an application against many tapes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recorder.commands.common import json_option, stop_signal, store_option, webhook_secret
from replay.commands.matching import matching_options
from replay.commands.results import junit_option, write_junit
from replay.commands.serving import (
    max_seconds_option,
    patience_option,
    speed_option,
    webhook_secret_option,
    webhook_url,
)

if TYPE_CHECKING:
    from recorder.clock import Clock
    from replay.match.hearing import AudioMode
    from replay.match.rules import Rule
    from replay.player.modes import ModeName
    from replay.sweep.run import Options
    from replay.sweep.sources import Source
    from replay.sweep.verdicts import Outcome


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line."""

    tapes: str
    store_url: str
    app: str
    jobs: int
    speed: float | None
    patience: float
    max_seconds: float | None
    webhook_to: str | None
    webhook_secret_env: str | None
    rules: tuple[Rule, ...]
    rule: tuple[Rule, ...]
    audio: AudioMode
    mode: ModeName
    allow_network: bool
    expect_fail: tuple[str, ...]
    junit: Path | None
    as_json: bool


def _webhook_to(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check the URL of `--webhook-to`, which may have `{port}`."""
    from replay.appenv import PORT

    webhook_url(ctx, param, value and value.replace(PORT, "1"))
    return value


@click.command()
@click.argument("tapes", metavar="DIR|TRIAL")
@click.option("--app", required=True, metavar="COMMAND", help="Runs the application; once a tape.")
@store_option
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    metavar="N",
    help="How many tapes are played at a time.  [default: the number of processors]",
)
@speed_option("max")
@patience_option("the application")
@max_seconds_option("the length of each tape, and 20 s")
@click.option(
    "--webhook-to",
    metavar="URL",
    callback=_webhook_to,
    help="The application's server, for the webhooks of a tape; {port} stands for a free port, "
    "which REPLAY_WEBHOOK_PORT tells the application.  [default: http://127.0.0.1:{port}]",
)
@webhook_secret_option
@matching_options
@click.option(
    "--mode",
    type=click.Choice(("causal", "strict", "timed")),
    default="causal",
    show_default=True,
    help="When messages go out, as in `replay serve`.",
)
@click.option(
    "--allow-network",
    is_flag=True,
    help="Do not set proxy variables that keep the application from the network.",
)
@click.option(
    "--expect-fail",
    multiple=True,
    metavar="GLOB",
    help="Tapes that have to fail, by name; may be given several times.",
)
@junit_option
@json_option
def command(**options: object) -> None:
    """Run an application's command once per tape, each against its own `replay serve`.

    DIR is a folder of tapes made by `record export`, or a database; TRIAL is a name in the store.
    The application finds the server in OPENAI_BASE_URL, VAPI_BASE_URL and REPLAY_URL, the tape's
    name in REPLAY_TAPE and its id in REPLAY_SESSION. Exit code 0 only if every tape passed.

    Example: replay sweep tests/tapes --app "python -m my_agent"
    """
    sys.exit(asyncio.run(_sweep(Asked(**options))))  # type: ignore[arg-type]


async def _sweep(asked: Asked) -> int:
    from recorder.clock import SystemClock
    from replay.sweep.sources import find_sources
    from replay.sweep.verdicts import check_patterns, exit_code, summary

    clock = SystemClock()
    options = _options(asked)
    begun = clock.now_ns()
    with ExitStack() as stack:
        sources = find_sources(asked.tapes, asked.store_url, clock, os.environ, stack)
        check_patterns(asked.expect_fail, [source.name for source in sources])
        playing = asyncio.create_task(_play(sources, options, asked, clock))
        stopped = asyncio.create_task(stop_signal().wait())
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not playing.done():
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            raise click.Abort
        outcomes = await playing
    took_s = (clock.now_ns() - begun) / 1e9
    if asked.junit is not None:
        write_junit(asked.junit, "replay sweep", [each.as_case() for each in outcomes])
    if asked.as_json:
        tapes = [outcome.as_json() for outcome in outcomes]
        click.echo(json.dumps({"took_s": round(took_s, 3), "tapes": tapes}, ensure_ascii=False))
    else:
        click.echo(summary(outcomes, took_s))
    return exit_code(outcomes)


def _options(asked: Asked) -> Options:
    from recorder.pricing import PriceBook
    from recorder.redact import Secrets, known_secrets
    from replay.playing import Manner
    from replay.sweep.app import command_words
    from replay.sweep.run import Options

    return Options(
        command_words(asked.app),
        os.environ,
        Manner(asked.speed, asked.patience, audio=asked.audio, mode=asked.mode),
        Secrets(b"", known_secrets(os.environ)),
        asked.max_seconds,
        asked.webhook_to,
        webhook_secret(asked.webhook_secret_env),
        (*asked.rules, *asked.rule),
        PriceBook.shipped(),
        asked.allow_network,
    )


async def _play(
    sources: list[Source], options: Options, asked: Asked, clock: Clock
) -> list[Outcome]:
    """Play all, and print each verdict when those before it are there."""
    from replay.sweep.sweeping import sweep
    from replay.sweep.verdicts import turned

    outcomes: list[Outcome] = []
    async with aclosing(sweep(sources, options, asked.jobs, clock)) as found:
        async for outcome in found:
            outcomes.append(turned(outcome, asked.expect_fail))
            if not asked.as_json:
                click.echo(outcomes[-1].text())
                sys.stdout.flush()
    return outcomes
