"""`replay serve`: play the provider's side of a tape to an application."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recorder.commands.common import (
    Address,
    listen_option,
    open_for_reading,
    open_for_writing,
    session_argument,
    store_option,
)
from recorder.errors import RecorderError
from replay.commands.serving import greet, stop_signal, tls_options, webhook_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from recorder.capture.tap import Tape
    from recorder.capture.writer import Writer
    from recorder.heads import RequestHead
    from recorder.providers.base import Provider
    from recorder.redact import Secrets
    from recorder.store.base import SessionRow, Store
    from replay.match.rulebook import Rulebook
    from replay.player import Player
    from replay.script import ExchangeScript, Script
    from replay.server import MachineServer
    from replay.server.log import Log

_SPARE_S = 60.0
_CLOSING_S = 5.0


def _speed(ctx: click.Context, param: click.Parameter, value: str) -> float | None:
    """The factor of `--speed`; None for `max`."""
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise RecorderError(
            f"--speed {value!r} is not a speed: give a factor above 0 (1 is as recorded, 20 is "
            "twenty times as fast) or max"
        )
    return speed


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    session: str
    store_url: str
    listen: Address
    speed: float | None
    patience: float
    record: bool
    max_seconds: float | None
    webhook_to: str | None
    tls_cert: Path | None
    tls_key: Path | None


@click.command()
@session_argument
@store_option
@listen_option("127.0.0.1:0")
@click.option(
    "--speed",
    default="1",
    show_default=True,
    metavar="FACTOR|max",
    callback=_speed,
    envvar="REPLAY_SPEED",
    help="1 is the recorded pace, max waits for the client only.",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=15.0,
    show_default=True,
    metavar="S",
    envvar="REPLAY_PATIENCE",
    help="How long to wait for the client, beside the time it took on the tape.",
)
@click.option(
    "--record/--no-record", default=True, show_default=True, help="Record the replay as a tape."
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    envvar="REPLAY_MAX_SECONDS",
    help="End after this time; the default is the length of the tape at its speed, and 60 s.",
)
@click.option(
    "--webhook-to",
    metavar="URL",
    callback=webhook_url,
    envvar="REPLAY_WEBHOOK_TO",
    help="The application's server: gets the webhooks of the tape, and must answer as it did.",
)
@tls_options
def command(**options: object) -> None:
    """Play the provider's side of SESSION to an application.

    Each message of the provider waits until the client has sent what it had sent before it on
    the tape. Ends when the tape is used up, with a report; exit code 0 only if all of it was used.

    Example: replay serve last --speed max
    """
    sys.exit(asyncio.run(_serve(Options(**options))))  # type: ignore[arg-type]


async def _serve(options: Options) -> int:
    from recorder.capture.proxy.tls import from_files
    from recorder.clock import SystemClock
    from recorder.providers import provider
    from recorder.recording import Recording, find_session
    from replay.match.rulebook import Rulebook
    from replay.script import read_script
    from replay.server import MachineServer
    from replay.server.log import Log

    tls = from_files(options.tls_cert, options.tls_key)
    async with AsyncExitStack() as stack:
        store = _open(options)
        stack.callback(store.close)
        row = find_session(store, options.session, replays=False)
        found = provider(row.provider)
        book = Rulebook(found.RULES)
        script = read_script(Recording(store, row.id).events(), found, book)
        if not (script.sockets or script.exchanges or script.deliveries):
            raise RecorderError(f"session {row.id} has nothing to replay: it holds no exchange")
        secrets = _secrets(store, options.record)
        player = _player(options, script, found, book, _spare(store, row, found, book), secrets)
        log = Log()
        if options.record:
            recording = _log(store, secrets, row, found, script)
            log = await stack.enter_async_context(recording)
        stopped = stop_signal()
        host, port = options.listen
        server = MachineServer(
            player, SystemClock(), prefix=found.PREFIX, host=host, port=port, tls=tls, log=log
        )
        async with server:
            player.reached_at(server.url)
            greet(server.url, row.provider)
            await _until_over(server, player, stopped, _limit_s(options, script))
    click.echo(player.report())
    sys.stdout.flush()
    return 1 if player.failure else 0


def _player(
    options: Options,
    script: Script,
    found: Provider,
    book: Rulebook,
    spare: tuple[ExchangeScript, ...],
    secrets: Secrets,
) -> Player:
    from recorder.redact import redact_text
    from replay.player import Player

    return Player(
        script,
        found,
        book,
        speed=options.speed,
        patience_s=options.patience,
        spare=spare,
        webhook_to=options.webhook_to,
        hide=lambda text: redact_text(secrets, text),
    )


def _spare(
    store: Store, row: SessionRow, found: Provider, book: Rulebook
) -> tuple[ExchangeScript, ...]:
    """The REST traffic of the run that recorded the tape, where that is a tape of its own, and what
    was refused of other calls."""
    from recorder.recording import Recording
    from replay.script import read_script

    spare: list[ExchangeScript] = []
    for other in store.sessions():
        is_kin = (other.run, other.provider) == (row.run, row.provider) and other.id != row.id
        recording = Recording(store, other.id)
        if is_kin and {channel.kind for channel in recording.channels()} <= {"http", "webhook"}:
            exchanges = read_script(recording.events(), found, book).exchanges
            is_control = other.external_id is None
            spare += [each for each in exchanges if is_control or each.response.status >= 400]
    return tuple(spare)


def _open(options: Options) -> Store:
    if not options.record:
        return open_for_reading(options.store_url)
    return open_for_writing(options.store_url, create=False)


def _secrets(store: Store, records: bool) -> Secrets:
    from recorder.capture.secrets import store_secrets
    from recorder.redact import Secrets, known_secrets

    return store_secrets(store, os.environ) if records else Secrets(b"", known_secrets(os.environ))


class _Tapes:
    """The new tapes: one of the replay, and one of the REST traffic that the played tape lacks."""

    def __init__(self, writer: Writer, row: SessionRow, found: Provider, script: Script) -> None:
        self._writer, self._row, self._route = writer, row, found.route
        self._splits = bool(script.sockets) or row.external_id is not None
        self._opened: dict[bool, Tape] = {}

    def tape_for(self, head: RequestHead) -> Tape:
        """The tape that an exchange belongs to, opened when the first comes."""
        from recorder.capture.proxy.webhooks import PREFIX

        is_delivery = head.path.startswith(PREFIX)
        is_control = self._splits and not is_delivery and self._route(head).place == "control"
        if is_control not in self._opened:
            row = self._row
            facts = {} if is_control else {"parent": row.id, "model": row.model}
            opened = self._writer.open(row.provider, row.trial, origin="replay", **facts)
            self._opened[is_control] = opened
        return self._opened[is_control]

    def check(self) -> None:
        """Say which session was recorded; StoreError if one could not be."""
        for tape in self._opened.values():
            if tape.failed:
                raise tape.failed
        if False in self._opened:
            click.echo(f"recorded {self._opened[False].session}")


@asynccontextmanager
async def _log(
    store: Store, secrets: Secrets, row: SessionRow, found: Provider, script: Script
) -> AsyncIterator[Log]:
    """Record what happens as a new session whose parent is the tape."""
    from recorder.capture.proxy.webhooks import PREFIX
    from recorder.capture.writer import Writer
    from recorder.clock import SystemClock
    from replay.server.log import Log

    writer = Writer(store, SystemClock(), secrets)
    writer.start()
    tapes = _Tapes(writer, row, found, script)
    try:
        yield Log(tapes.tape_for, writer, found.WEBHOOKS, PREFIX + found.NAME)
    finally:
        await asyncio.to_thread(writer.close)
    tapes.check()


def _limit_s(options: Options, script: Script) -> float:
    if options.max_seconds is not None:
        return options.max_seconds
    return script.length_ns / 1e9 / min(options.speed or 1.0, 1.0) + _SPARE_S


async def _until_over(
    server: MachineServer, player: Player, stopped: asyncio.Event, limit_s: float
) -> None:
    """Serve until the tape is used up and the connections are closed, a failure, a signal, or
    the time is over."""
    over = asyncio.create_task(server.until(lambda: player.finished, limit_s))
    signalled = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({over, signalled}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        over.cancel()
        signalled.cancel()
        await asyncio.gather(over, signalled, return_exceptions=True)
    if stopped.is_set():
        player.give_up("it was stopped by a signal")
    elif not player.finished:
        player.give_up(f"it was not over after {limit_s:g} s (--max-seconds)")
    await server.until(lambda: server.connections == 0, _CLOSING_S)
