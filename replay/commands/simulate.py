"""`replay simulate`: a seeded stand-in for a provider, behind real sockets."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from recorder.commands.common import Address, listen_option, stop_signal
from recorder.errors import RecorderError
from replay.commands.faulting import fault_options
from replay.commands.serving import greet, tls_options, webhook_to_option, wording_options

if TYPE_CHECKING:
    from recorder.events import Machine
    from replay.faults import Fault

_PROVIDERS = ["openai", "openai-live", "vapi"]
_OF_ONE = {  # options that only one provider has
    "pace": "openai",
    "webhook_to": "vapi",
    "settle_s": "vapi",
    "history": "vapi",
    "rate_limit": "vapi",
    "key": "vapi",
}
_DELIVERY_S = 300.0  # the simulator has limits of its own, up to Vapi's longest


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    provider: str
    listen: Address
    seed: int
    latency_ms: int | None
    jitter_ms: int
    pace: float
    reply: tuple[str, ...]
    transcript: tuple[str, ...]
    webhook_to: str | None
    settle_s: float
    history: int
    rate_limit: int | None
    key: tuple[str, ...]
    fault: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    fault_seed: int
    until_eof: bool
    tls_cert: Path | None
    tls_key: Path | None


@click.command()
@click.argument("provider", type=click.Choice(_PROVIDERS), metavar="PROVIDER")
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
    envvar="REPLAY_LATENCY_MS",
    help="Time to the first piece of a response, or word of the model (vapi 500, others 250).",
)
@click.option(
    "--jitter-ms",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    envvar="REPLAY_JITTER_MS",
    help="How much the latency varies.",
)
@wording_options
@click.option(
    "--pace",
    type=click.FloatRange(min=0, min_open=True),
    default=4.0,
    show_default=True,
    envvar="REPLAY_PACE",
    help="openai: seconds of audio generated in one second.",
)
@webhook_to_option("vapi: the server of the organisation; an assistant's own comes first.")
@click.option(
    "--settle-s",
    type=click.FloatRange(min=0),
    default=8.0,
    show_default=True,
    metavar="S",
    envvar="REPLAY_SETTLE_S",
    help="vapi: how long after its report the costs of a call are complete.",
)
@click.option(
    "--history",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    envvar="REPLAY_HISTORY",
    help="vapi: how many finished calls there are at the start.",
)
@click.option(
    "--rate-limit",
    type=click.IntRange(min=1),
    metavar="N",
    envvar="REPLAY_RATE_LIMIT",
    help="vapi: requests in 21 s, those beyond get 429; none by default.",
)
@click.option(
    "--key", multiple=True, metavar="KEY", help="vapi: a key that is accepted; any by default."
)
@click.option(
    "--until-eof",
    is_flag=True,
    allow_from_autoenv=False,
    help="End with standard input too: with the program that has started this.",
)
@fault_options
@tls_options
def command(**options: object) -> None:
    """Run a seeded stand-in for PROVIDER (openai, openai-live, vapi) until Ctrl-C.

    Example: replay simulate openai --listen 127.0.0.1:9000 --reply "Hello there."
    """
    chosen = Options(**options)  # type: ignore[arg-type]
    _refuse_foreign(chosen.provider)
    asyncio.run(_simulate(chosen))


def _refuse_foreign(provider: str) -> None:
    """RecorderError for an option that was given and has no meaning for `provider`."""
    context = click.get_current_context()
    given = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    for name, owner in _OF_ONE.items():
        if owner != provider and context.get_parameter_source(name) in given:
            option = "--" + name.replace("_", "-")
            raise RecorderError(f"{option} is for `replay simulate {owner}`: leave it out")


async def _simulate(options: Options) -> None:
    from recorder.capture.proxy.tls import from_files
    from recorder.clock import SystemClock
    from recorder.providers import provider
    from replay.faults import Faulty, idle, told
    from replay.server import MachineServer

    clock = SystemClock()
    found = provider(options.provider)
    make = {"openai": _openai, "openai-live": _live, "vapi": _vapi}[options.provider]
    faults = (*options.faults, *options.fault)
    machine = Faulty(make(options, clock.wall_ns()), faults, found, seed=options.fault_seed)
    server = MachineServer(
        machine,
        clock,
        prefix=found.PREFIX,
        host=options.listen.host,
        port=options.listen.port,
        tls=from_files(options.tls_cert, options.tls_key),
        delivery_s=_DELIVERY_S,
    )
    stopped = stop_signal()
    if options.until_eof:
        _end_with_input(stopped)
    async with server:
        greet(server.url, options.provider)
        await stopped.wait()
    for line in told(machine.applied):
        click.echo(f"fault: {line}")
    for line in idle(faults, machine.applied):
        click.echo(f"note: {line}")


def _end_with_input(stopped: asyncio.Event) -> None:
    """Set an event when standard input is at its end."""
    loop, number = asyncio.get_running_loop(), sys.stdin.fileno()

    def readable() -> None:
        if not os.read(number, 4096):
            loop.remove_reader(number)
            stopped.set()

    loop.add_reader(number, readable)


def _openai(options: Options, wall_ns: int) -> Machine:
    from replay.simulators.openai import OpenAISimulator
    from replay.simulators.openai import Options as Behaviour

    behaviour = Behaviour(
        transcripts=options.transcript,
        replies=options.reply,
        pace=options.pace,
        latency_ms=250 if options.latency_ms is None else options.latency_ms,
        jitter_ms=options.jitter_ms,
    )
    return OpenAISimulator(options.seed, wall_ns, behaviour)


def _live(options: Options, wall_ns: int) -> Machine:
    from replay.simulators.openai_live import LiveSimulator
    from replay.simulators.openai_live import Options as Behaviour

    behaviour = Behaviour(
        transcripts=options.transcript,
        replies=options.reply,
        latency_ms=250 if options.latency_ms is None else options.latency_ms,
        jitter_ms=options.jitter_ms,
    )
    return LiveSimulator(options.seed, wall_ns, behaviour)


def _vapi(options: Options, wall_ns: int) -> Machine:
    from replay.simulators.vapi import Options as Behaviour
    from replay.simulators.vapi import VapiSimulator

    behaviour = Behaviour(
        transcripts=options.transcript,
        replies=options.reply,
        model_ms=500 if options.latency_ms is None else options.latency_ms,
        jitter_ms=options.jitter_ms,
        settle_ms=round(options.settle_s * 1000),
        history=options.history,
        rate_limit=options.rate_limit,
        keys=frozenset(options.key),
        server={"url": options.webhook_to} if options.webhook_to else None,
        tls=options.tls_cert is not None,
    )
    return VapiSimulator(options.seed, wall_ns, behaviour)
