"""`replay simulate`: a seeded stand-in for a provider, behind real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from recorder.commands.common import Address, listen_option
from replay.commands.serving import greet, stop_signal, tls_options


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    provider: str
    listen: Address
    seed: int
    latency_ms: int
    jitter_ms: int
    pace: float
    reply: tuple[str, ...]
    transcript: tuple[str, ...]
    tls_cert: Path | None
    tls_key: Path | None


@click.command()
@click.argument("provider", type=click.Choice(["openai"]), metavar="PROVIDER")
@listen_option("127.0.0.1:0")
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    envvar="REPLAY_SEED",
    help="Equal seeds answer equal input alike.",
)
@click.option(
    "--latency-ms",
    type=click.IntRange(min=0),
    default=250,
    show_default=True,
    help="Time to the first piece of a response.",
)
@click.option(
    "--jitter-ms",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="How much the latency varies.",
)
@click.option(
    "--pace",
    type=click.FloatRange(min=0, min_open=True),
    default=4.0,
    show_default=True,
    help="Seconds of audio generated in one second.",
)
@click.option("--reply", multiple=True, metavar="TEXT", help="What a response says, in turn.")
@click.option(
    "--transcript", multiple=True, metavar="TEXT", help="What a spoken turn says, in turn."
)
@tls_options
def command(**options: object) -> None:
    """Run a seeded stand-in for PROVIDER (openai) until Ctrl-C.

    Example: replay simulate openai --listen 127.0.0.1:9000 --reply "Hello there."
    """
    asyncio.run(_simulate(Options(**options)))  # type: ignore[arg-type]


async def _simulate(options: Options) -> None:
    from recorder.capture.proxy.tls import from_files
    from recorder.clock import SystemClock
    from recorder.providers import provider
    from replay.server import MachineServer
    from replay.simulators.openai import OpenAISimulator
    from replay.simulators.openai import Options as Behaviour

    clock = SystemClock()
    behaviour = Behaviour(
        transcripts=options.transcript,
        replies=options.reply,
        pace=options.pace,
        latency_ms=options.latency_ms,
        jitter_ms=options.jitter_ms,
    )
    server = MachineServer(
        OpenAISimulator(options.seed, clock.wall_ns(), behaviour),
        clock,
        prefix=provider(options.provider).PREFIX,
        host=options.listen.host,
        port=options.listen.port,
        tls=from_files(options.tls_cert, options.tls_key),
    )
    stopped = stop_signal()
    async with server:
        greet(server.url, options.provider)
        await stopped.wait()
