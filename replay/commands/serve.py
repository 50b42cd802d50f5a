"""`replay serve`: play the provider's side of a tape to an application."""

from __future__ import annotations

import asyncio
import gc
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
    session_argument,
    stop_signal,
    store_option,
    webhook_secret,
)
from replay.commands.faulting import fault_options
from replay.commands.matching import matching_options
from replay.commands.serving import (
    greet,
    max_seconds_option,
    mode_options,
    open_tapes,
    patience_option,
    record_option,
    speed_option,
    tls_options,
    webhook_secret_option,
    webhook_to_option,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from recorder.capture.log import Log
    from recorder.capture.tap import Tape
    from recorder.capture.writer import Writer
    from recorder.clock import Clock
    from recorder.events import Machine
    from recorder.heads import RequestHead
    from recorder.providers.base import Provider
    from recorder.redact import Secrets
    from recorder.store.base import SessionRow, Store
    from replay.faults import Fault, FaultyReplay
    from replay.match.hearing import AudioMode
    from replay.match.rules import Rule
    from replay.player import Player
    from replay.player.modes import ModeName
    from replay.playing import Manner, Reel
    from replay.script import Script
    from replay.server import MachineServer

_SPARE_S = 60.0


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    session: str
    store_url: str
    listen: Address
    speed: float | None
    mode: ModeName
    idle_cap: float | None
    patience: float
    record: bool
    max_seconds: float | None
    webhook_to: str | None
    webhook_secret_env: str | None
    rules: tuple[Rule, ...]
    rule: tuple[Rule, ...]
    audio: AudioMode
    fault: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    fault_seed: int
    tls_cert: Path | None
    tls_key: Path | None


@click.command()
@session_argument
@store_option
@listen_option("127.0.0.1:0")
@speed_option("1")
@mode_options
@patience_option("the client")
@record_option("the replay")
@max_seconds_option("the length of the tape at its speed, and 60 s")
@webhook_to_option(
    "The application's server: gets the webhooks of the tape, and must answer as it did."
)
@webhook_secret_option
@matching_options
@fault_options
@tls_options
def command(**options: object) -> None:
    """Play the provider's side of SESSION to an application.

    Each message of the provider waits until the client has sent what it had sent before it on
    the tape, unless --mode says otherwise. Ends when the tape is used up, with a report; exit code
    0 only if all of it was used.

    Example: replay serve last --speed max
    """
    sys.exit(asyncio.run(_serve(Options(**options))))  # type: ignore[arg-type]


async def _serve(options: Options) -> int:
    from recorder.capture.log import Log
    from recorder.capture.proxy.tls import from_files
    from recorder.clock import SystemClock
    from recorder.recording import find_session
    from replay.faults import FaultyReplay
    from replay.player.remote import CONTROL, Remote
    from replay.playing import load_reel, player_for, signed
    from replay.server import MachineServer

    tls, clock = from_files(options.tls_cert, options.tls_key), SystemClock()
    async with AsyncExitStack() as stack:
        store = open_tapes(options.store_url, records=options.record)
        stack.callback(store.close)
        row = find_session(store, options.session, replays=False)
        reel = load_reel(store, row, rules=(*options.rules, *options.rule))
        gc.freeze()  # what a tape is made of stays: collections would look through it in vain
        secrets = _secrets(store, options.record)
        player = player_for(reel, _manner(options), secrets)
        secret = webhook_secret(options.webhook_secret_env)
        machine = signed(player, reel.provider, secret, clock)
        machine = _faulty(options, player, reel.provider, machine)
        played = machine if isinstance(machine, FaultyReplay) else player
        remote = Remote(machine, player)
        log = Log()
        if options.record:
            log = await stack.enter_async_context(_log(store, secrets, reel, clock))
        stopped = stop_signal()
        host, port = options.listen
        prefix = reel.provider.PREFIX
        server = MachineServer(
            remote,
            clock,
            prefix=prefix,
            host=host,
            port=port,
            tls=tls,
            log=log,
            control=CONTROL,
        )
        async with server:
            player.reached_at(server.url)
            greet(server.url, row.provider)
            await _until_over(server, played, stopped, _limit_s(options, reel))
    click.echo(played.report())
    sys.stdout.flush()
    return 1 if played.failure else 0


def _manner(options: Options) -> Manner:
    from replay.playing import Manner

    return Manner(
        options.speed,
        options.patience,
        options.webhook_to,
        options.audio,
        options.mode,
        options.idle_cap,
    )


def _faulty(options: Options, player: Player, found: Provider, machine: Machine) -> Machine:
    """The machine with the faults that were asked for, if there are any."""
    from replay.faults import FaultyReplay

    faults = (*options.faults, *options.fault)
    if not faults:
        return machine
    seed, patience_s = options.fault_seed, options.patience
    return FaultyReplay(player, faults, found, seed=seed, patience_s=patience_s, machine=machine)


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
async def _log(store: Store, secrets: Secrets, reel: Reel, clock: Clock) -> AsyncIterator[Log]:
    """Record what happens as a new session whose parent is the tape."""
    from recorder.capture.log import Log
    from recorder.capture.proxy.webhooks import PREFIX
    from recorder.capture.writer import Writer
    from recorder.commands.derived import keep_derived

    found = reel.provider
    writer = Writer(store, clock, secrets)
    writer.start()
    tapes = _Tapes(writer, reel.row, found, reel.script)
    try:
        yield Log(tapes.tape_for, writer, found.WEBHOOKS, PREFIX + found.NAME)
    finally:
        await asyncio.to_thread(writer.close)
    tapes.check()
    await asyncio.to_thread(keep_derived, store)


def _limit_s(options: Options, reel: Reel) -> float:
    from replay.playing import limit_s

    if options.max_seconds is not None:
        return options.max_seconds
    return limit_s(reel, _manner(options), _SPARE_S)


async def _until_over(
    server: MachineServer, player: Player | FaultyReplay, stopped: asyncio.Event, limit_s: float
) -> None:
    """Serve until the tape is used up and the connections are closed, a failure, a signal, or
    the time is over."""
    from replay.playing import until_closed, until_over

    in_time = await until_over(server, player, [stopped], limit_s)
    if stopped.is_set():
        player.give_up("it was stopped by a signal")
    elif not in_time:
        player.give_up(f"it was not over after {limit_s:g} s (--max-seconds)")
    await until_closed(server)
