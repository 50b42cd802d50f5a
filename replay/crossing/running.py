"""Holds the conversation of a tape with another provider, and records it as a new tape."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from recorder.capture.log import Log
from recorder.capture.proxy.address import is_local
from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.client import Conversation
from recorder.clock import Clock, SystemClock, VirtualClock
from recorder.errors import RecorderError
from recorder.heads import RequestHead
from recorder.pricing import Meter, PriceBook
from recorder.providers import provider
from recorder.redact import Secrets
from recorder.store.base import Store
from recorder.trial.cues import Moment
from recorder.trial.record import TURN, Notes
from recorder.trial.sides import side as trial_side
from recorder.trial.sides.base import Party
from recorder.trial.watch import Watched
from replay.crossing.desk import Beside, Desk
from replay.crossing.outgoing import Fitting, Outgoing
from replay.crossing.script import Script
from replay.crossing.server import ToolServer
from replay.crossing.sides import side
from replay.crossing.taped import TapedCall
from replay.crossing.tools import TapedTools
from replay.loopback import Loopback
from replay.runs import MADE_UP_KEY
from replay.taping import Taped

_NS = 1_000_000_000
_GRACE_S = 90.0  # beyond the limit, for what is under way to end by itself
_SERVER = "http://caller.localhost/webhooks"  # of the application, for a simulator in this process


class Place(NamedTuple):
    """Where a provider is: its URL, the `Authorization` for it, where its webhooks are received,
    and the URL by which it reaches that place, if that is another."""

    url: str
    authorization: str
    host: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None


class Limits(NamedTuple):
    """Of a run: its length, what it may cost, and doubles that answer functions by name."""

    max_s: float
    cap: Decimal | None
    doubles: Mapping[str, str]


class Given(NamedTuple):
    """A turn that the caller came to: by its `anchor`, or by `timeout`."""

    number: int
    trigger: str


class Ran(NamedTuple):
    """How a run went. `failed` says why the conversation ended before its script, or None;
    `is_fault` is whether the provider is to blame for that, and not a limit of this run."""

    session: str
    failed: str | None
    is_fault: bool
    given: tuple[Given, ...]
    tools: TapedTools


class _Run:
    """What one run consists of, wherever it goes."""

    def __init__(
        self,
        script: Script,
        tape: TapedCall,
        limits: Limits,
        tape_of: Callable[[], Tape],
        come: Callable[[int], None],
    ) -> None:
        found = provider(script.provider)
        self.tools = TapedTools(tape.models.tool_calls, limits.doubles)
        self.party: Party = trial_side(script.provider).party(
            script.scenario, script.steps, self.tools
        )
        self.desk = Desk(found, self.tools)
        self._script, self._tape_of, self._come = script, tape_of, come
        self._notes: Notes | None = None
        meter = Meter(found, PriceBook.shipped().then(SystemClock().wall_ns()))
        self.watched = Watched(self.party, meter, limits.cap, limits.max_s, self._tell)
        self._found, self._limit_ns = found, round(limits.max_s * _NS)
        self.stopped = False

    def outgoing(self, fitting: Fitting, tick: Callable[[int], None]) -> Outgoing:
        """The caller as it goes there."""
        self._outgoing = Outgoing(self.watched, self._found, fitting, self._limit_ns, tick)
        return self._outgoing

    def _tell(self, moment: Moment) -> None:
        """A note of each turn, from which the tape is read turn by turn."""
        if not moment.cue.number:
            return
        if self._notes is None:
            self._notes = Notes(self._tape_of())
        turn = self._script.scenario.turns[moment.cue.number - 1]
        facts: dict[str, Any] = {"turn": turn.number, "mode": turn.mode, "after": turn.at.after}
        facts |= {"trigger": moment.trigger}
        if moment.cue.pcm:  # its words are not known: only what was heard of them
            ms = len(moment.cue.pcm) // 2 * 1000 // moment.cue.rate
            facts |= {"ms": ms, "sha256": hashlib.sha256(moment.cue.pcm).hexdigest()}
        self._notes.add(TURN, facts)
        self._come(turn.number)

    def ran(self, session: str) -> Ran:
        """How it went."""
        limited = self.stopped or self.watched.over_budget or self._outgoing.over
        given = tuple(
            Given(each.cue.number, each.trigger) for each in self.party.moments if each.cue.number
        )
        failed = self.party.failed
        is_fault = failed is not None and not limited
        return Ran(session, failed, is_fault, given, self.tools)

    def end(self) -> None:
        """Nothing more is noted."""
        if self._notes is not None:
            self._notes.end()


class Crossing:
    """Plays the script of `tape`; runs are recorded in `store`. `come` is told each turn that the
    caller comes to."""

    def __init__(
        self,
        tape: TapedCall,
        script: Script,
        store: Store,
        secrets: Secrets,
        come: Callable[[int], None] = lambda turn: None,
    ) -> None:
        self._tape, self._script = tape, script
        self._store, self._secrets, self._come = store, secrets, come

    def here(self, seed: int, limits: Limits) -> Ran:
        """One run against the simulator of the provider, in this process and on virtual time."""
        clock = VirtualClock(0, SystemClock().wall_ns())
        there = side(self._script.provider)
        machine = there.simulator(seed, self._tape.row.wall_ns, self._script.words)
        found = provider(self._script.provider)
        headers = (("Host", "simulator"), ("Authorization", MADE_UP_KEY))
        address = None if found.WEBHOOKS is None else _SERVER
        with self._log(clock) as (log, taped):
            run = self._begun(limits, taped)
            fitting = Fitting(headers, address, is_here=True)
            caller = run.outgoing(fitting, clock.advance_to)
            world = Beside(Taped(machine, log, clock), run.desk, caller)
            limit_ns = int((limits.max_s + _GRACE_S) * _NS)
            for _ in Loopback(caller, world, limit_ns=limit_ns):
                pass  # what crosses is recorded as it does
            run.end()
        return self._ran(run, taped)

    async def there(self, place: Place, limits: Limits, stopped: asyncio.Event) -> Ran:
        """One run against a URL. RecorderError if it cannot be reached."""
        clock = SystemClock()
        found = provider(self._script.provider)
        with self._log(clock) as (log, taped):
            run = self._begun(limits, taped)
            async with AsyncExitStack() as stack:
                address = None
                if found.WEBHOOKS is not None:
                    server = ToolServer(run.desk, log, clock, place.host, place.port)
                    await stack.enter_async_context(server)
                    here = server.url if is_local(place.url) else None
                    address = place.public_url or here
                caller = run.outgoing(Fitting(address=address), lambda now: None)
                headers = {"Authorization": place.authorization}
                talk = Conversation(caller, place.url, clock, log=log, headers=headers)
                await _converse(talk, run, clock, limits.max_s + _GRACE_S, stopped)
            run.end()
        return self._ran(run, taped)

    def _begun(self, limits: Limits, taped: list[Tape]) -> _Run:
        return _Run(self._script, self._tape, limits, lambda: taped[0], self._come)

    def _ran(self, run: _Run, taped: list[Tape]) -> Ran:
        if not taped:
            raise RecorderError(f"nothing was said: {run.party.failed}")
        for tape in taped:
            if tape.failed:
                raise tape.failed
        return run.ran(taped[0].session)

    @contextmanager
    def _log(self, clock: Clock) -> Iterator[tuple[Log, list[Tape]]]:
        """Where a run is written down: one new session whose parent is the tape."""
        taped: list[Tape] = []
        row, name = self._tape.row, self._script.provider
        writer = Writer(self._store, clock, self._secrets)
        writer.start()

        def tape_for(head: RequestHead) -> Tape:
            if not taped:
                taped.append(writer.open(name, row.trial, parent=row.id, origin="replay"))
            return taped[0]

        try:
            yield Log(tape_for, writer, provider(name).WEBHOOKS), taped
        finally:
            writer.close()


async def _converse(
    talk: Conversation, run: _Run, clock: Clock, limit_s: float, stopped: asyncio.Event
) -> None:
    running = asyncio.create_task(talk.run(limit_s))
    signalled = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({running, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            run.stopped = True
            run.watched.give_up("it was stopped by a signal", clock.now_ns())
            talk.wake()
        await running
    finally:
        signalled.cancel()
