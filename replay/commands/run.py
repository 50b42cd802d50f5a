"""`replay run`: play the client's side of a tape to a provider, a mock or a simulator."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recorder.commands.common import (
    Address,
    dollars,
    json_option,
    session_argument,
    stop_signal,
    store_option,
)
from recorder.counting import counted
from recorder.errors import RecorderError
from replay.commands.crossing import cross, elsewhere, webhook_options
from replay.commands.files import read_text
from replay.commands.serving import (
    max_seconds_option,
    open_tapes,
    patience_option,
    record_option,
    wording_options,
)

if TYPE_CHECKING:
    from recorder.events import Machine
    from recorder.store.base import Store
    from replay.runs import Part, Ran, Runner

_SPARE_S = 30.0
_DEFAULT_SEED = 1


def _doubles(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> Mapping[str, str]:
    """`NAME=TEXT` or `NAME=@FILE`, by name."""
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not NAME=TEXT or NAME=@FILE")
        if text.startswith("@"):
            text = read_text(Path(text[1:]), f"--tool {value}", "give a text file after @")
        found[name] = text
    return found


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    session: str
    store_url: str
    against: str
    seed: int | None
    repeat: int
    speed: float | None
    tool: Mapping[str, str]
    reply: tuple[str, ...]
    transcript: tuple[str, ...]
    patience: float
    max_seconds: float | None
    budget: Decimal | None
    record: bool
    as_json: bool
    listen: Address
    public_url: str | None


@click.command()
@session_argument
@store_option
@click.option(
    "--against",
    required=True,
    metavar="[NAME=]URL|openai|vapi",
    help="The provider: a URL that paths follow, or a simulator in this process. Another provider "
    "than the tape's is named: openai=https://api.openai.com.",
)
@click.option("--seed", type=int, help="Of a simulator in this process; default: the tape's, or 1.")
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How often to play it.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    metavar="FACTOR",
    help="For a server on this machine; 1 is the recorded pace, and the default.",
)
@click.option(
    "--tool",
    multiple=True,
    callback=_doubles,
    metavar="NAME=TEXT|@FILE",
    help="What a function is answered, in place of the tape's result.",
)
@wording_options
@patience_option("the provider")
@max_seconds_option("the tape's length and a half, and 30 s")
@click.option(
    "--budget", callback=dollars, metavar="USD", help="End before more than this is spent."
)
@record_option("each run")
@webhook_options
@json_option
def command(**options: object) -> None:
    """Play the client's side of SESSION to a provider, and say how the conversation went.

    Turn by turn: what the client says waits for what had caused it on the tape. Exit code 0 only
    if each run came to the end of the conversation.

    Example: replay run last --against openai
    """
    sys.exit(_run(Options(**options)))  # type: ignore[arg-type]


def _run(options: Options) -> int:
    from recorder.commands.derived import keep_derived
    from recorder.recording import find_session
    from replay.runs import load_part

    with closing(open_tapes(options.store_url, records=options.record)) as store:
        row = find_session(store, options.session, replays=False)
        other = elsewhere(options.against, row)
        if other is not None:
            return cross(options, store, row, other)
        part = load_part(store, row)
        _check(options, part)
        _tell_estimate(options, part)
        runner = _runner(options, part, store)
        good = 0
        for number in range(1, options.repeat + 1):
            ran = _once(options, part, runner)
            good += ran.verdict.outcome == "pass"
            _tell(options, number, ran)
        if options.record:
            keep_derived(store)
    if options.repeat > 1 and not options.as_json:
        click.echo(f"{good} of {counted(options.repeat, 'run')} passed")
    return 0 if good == options.repeat else 1


def _check(options: Options, part: Part) -> None:
    """RecorderError for what does not go together."""
    from recorder.capture.proxy.address import is_local, server_url
    from replay.simulators import SIMULATORS

    if options.against in SIMULATORS:
        if options.speed is not None:
            raise RecorderError("--speed is for a URL: a simulator here runs on virtual time")
        return
    if "://" not in options.against:
        raise RecorderError(
            f"--against {options.against!r} is neither a URL nor a simulator: give http://…, "
            f"https://…, or {_either(SIMULATORS)}"
        )
    server_url("--against", options.against)
    for name in ("seed", "reply", "transcript"):
        if getattr(options, name) not in (None, ()):
            raise RecorderError(
                f"--{name} is for a simulator in this process (--against "
                f"{_either(SIMULATORS)}): leave it out"
            )
    if options.speed not in (None, 1.0) and not is_local(options.against):
        raise RecorderError("--speed is for servers on this machine: a live provider has its own")


def _either(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *first, last = names
    return f"{', '.join(first)} or {last}"


def _tell_estimate(options: Options, part: Part) -> None:
    """What a run costs, as far as the tape tells; RecorderError if a budget cannot be kept."""
    if options.budget is None:
        return
    if part.estimate is None:
        raise RecorderError(
            "--budget cannot be kept: the tape has usage without a known price; leave it out, or "
            "add the price"
        )
    times = f", {options.repeat} times" if options.repeat > 1 else ""
    click.echo(f"estimate: ${part.estimate:.4f} a run, as the tape cost{times}", err=True)


def _runner(options: Options, part: Part, store: Store) -> Runner:
    from recorder.capture.secrets import store_secrets
    from replay.runs import Runner

    limit = options.max_seconds
    return Runner(
        part,
        store,
        store_secrets(store, os.environ) if options.record else None,
        limit_s=part.plan.length_ns / 1e9 * 1.5 + _SPARE_S if limit is None else limit,
        patience_s=options.patience,
        cap=options.budget,
        doubles=options.tool,
    )


def _once(options: Options, part: Part, runner: Runner) -> Ran:
    from replay.simulators import SIMULATORS

    if options.against not in SIMULATORS:
        return asyncio.run(_live(options, runner))
    seed = next((one for one in (options.seed, part.seed) if one is not None), _DEFAULT_SEED)
    return runner.against_machine(lambda wall_ns: _simulator(options, seed, wall_ns))


async def _live(options: Options, runner: Runner) -> Ran:
    stopped = stop_signal()
    return await runner.against_url(options.against, os.environ, stopped, options.speed or 1.0)


def _simulator(options: Options, seed: int, wall_ns: int) -> Machine:
    from replay.simulators import openai, openai_live, vapi

    if options.against == "openai":
        behaviour = openai.Options(replies=options.reply, transcripts=options.transcript)
        return openai.OpenAISimulator(seed, wall_ns, behaviour)
    if options.against == "openai-live":
        live = openai_live.Options(replies=options.reply, transcripts=options.transcript)
        return openai_live.LiveSimulator(seed, wall_ns, live)
    told = vapi.Options(replies=options.reply, transcripts=options.transcript)
    return vapi.VapiSimulator(seed, wall_ns, told)


def _tell(options: Options, number: int, ran: Ran) -> None:
    verdict = ran.verdict
    if options.as_json:
        click.echo(json.dumps(_as_json(number, ran), ensure_ascii=False))
        return
    click.echo(str(verdict))
    for note in verdict.notes:
        click.echo(f"  {note}")
    if ran.session:
        click.echo(f"recorded {ran.session}")
    sys.stdout.flush()


def _as_json(number: int, ran: Ran) -> dict[str, object]:
    verdict = ran.verdict
    return {
        "run": number,
        "outcome": verdict.outcome,
        "reason": verdict.reason or None,
        "steps": verdict.steps,
        "steps_on_tape": verdict.total,
        "audio_s": round(verdict.audio_s, 3),
        "cost_usd": None if verdict.usd is None else str(verdict.usd),
        "notes": [{"turn": note.turn or None, "text": note.text} for note in verdict.notes],
        "session": ran.session,
    }
