"""A tape's client side, played to a server or to a simulator in this process, and recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple

from recorder.capture.log import Log
from recorder.capture.proxy.address import is_local
from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.client import Conversation
from recorder.clock import Clock, SystemClock, VirtualClock
from recorder.errors import RecorderError
from recorder.events import Event, Machine, Message
from recorder.heads import Headers, RequestHead, ResponseHead, header
from recorder.pricing import Meter, PriceBook
from recorder.providers import provider
from recorder.providers.base import Provider
from recorder.recording import Recording
from recorder.redact import Secrets
from recorder.store.base import SessionRow, Store
from replay.caller import Caller, read_plan
from replay.caller.acts import Plan
from replay.caller.budget import Budget, cost_by_turn
from replay.caller.distance import Distant
from replay.caller.machine import Options
from replay.caller.notes import Verdict
from replay.loopback import Loopback
from replay.match.rulebook import Rulebook
from replay.simulators.common import SEED_HEADER
from replay.taping import Taped

MADE_UP_KEY = "Bearer sk-replay-this-key-is-made-up"
"""What a server of this machine gets for a key: mocks and simulators ask for one, and take any."""
_NS = 1_000_000_000
_GRACE_S = 90.0  # beyond the limit, for what is under way to end by itself


class Part(NamedTuple):
    """The client's side of a tape. `seed` is that of the simulator that it was recorded from;
    `costs` are what each turn cost, None where a price is not known."""

    row: SessionRow
    provider: Provider
    book: Rulebook
    plan: Plan
    seed: int | None
    costs: tuple[Decimal, ...] | None

    @property
    def estimate(self) -> Decimal | None:
        """What the tape cost."""
        return None if self.costs is None else sum(self.costs, Decimal(0))


class Ran(NamedTuple):
    """A run, and the session that was recorded of it."""

    verdict: Verdict
    session: str | None


def load_part(store: Store, row: SessionRow) -> Part:
    """Read a session. RecorderError if nothing of it can be played."""
    found = provider(row.provider)
    book = Rulebook(found.RULES)
    events = list(Recording(store, row.id).events())
    plan = read_plan(events, found, book)
    if not plan.entries:
        why = "; ".join(plan.skipped) or "its client opened no connection"
        raise RecorderError(f"session {row.id} has no client's side to play: {why}")
    costs = cost_by_turn(events, plan, Meter(found, PriceBook.shipped()))
    return Part(row, found, book, plan, _seed(events), None if costs is None else tuple(costs))


class _World:
    """A provider with the application's server beside it, which is the caller: up to its end."""

    def __init__(self, provider: Machine, caller: Caller) -> None:
        self._provider, self._caller = provider, caller

    def receive(self, message: Message, now: int) -> None:
        self._provider.receive(message, now)

    def due(self, now: int) -> list[Message]:
        sent: list[Message] = []
        while True:  # an answer may make the provider say more at once
            answers = self._caller.answers(now)
            for answer in answers:
                self._provider.receive(answer, now)
            said = self._provider.due(now)
            for message in said:
                if message.kind == "webhook.request":
                    self._caller.receive(message, now)
            sent += [message for message in said if message.kind != "webhook.request"]
            if not answers and all(message.kind != "webhook.request" for message in said):
                return sent

    def next_deadline(self) -> int | None:
        if self._caller.finished:
            return None
        times = (self._provider.next_deadline(), self._caller.next_answer())
        return min((when for when in times if when is not None), default=None)


def _seed(events: list[Event]) -> int | None:
    """The seed that a simulator told."""
    for event in events:
        if event.sender == "provider" and event.kind in ("ws.open", "http.response"):
            told = header(ResponseHead.decode(event.body).headers, SEED_HEADER) or ""
            if told.lstrip("-").isdigit():
                return int(told)
    return None


class Runner:
    """Plays `part`, as often as it is asked to. `secrets` None records nothing.

    `limit_s` bounds each run; `cap` is what may be spent in all of them; `doubles` answer functions
    by name.
    """

    def __init__(
        self,
        part: Part,
        store: Store,
        secrets: Secrets | None,
        *,
        limit_s: float,
        patience_s: float = 15.0,
        cap: Decimal | None = None,
        doubles: Mapping[str, str] | None = None,
    ) -> None:
        self._part, self._store, self._secrets = part, store, secrets
        self._limit_s, self._patience_s = limit_s, patience_s
        self._cap, self._doubles = cap, doubles or {}

    async def against_url(
        self, base: str, environ: Mapping[str, str], stopped: asyncio.Event, speed: float = 1.0
    ) -> Ran:
        """Play it to a server. Its key comes from `environ`, unless it is on this machine.
        RecorderError if it cannot be reached, or there is no key."""
        clock = SystemClock()
        headers = (("Authorization", authorization(base, self._part.provider, environ)),)
        caller = self._caller(base, headers=())
        with self._log(clock) as (log, taped):
            talk = Conversation(caller, base, clock, speed, log=log, headers=dict(headers))
            running = asyncio.create_task(talk.run(self._limit_s / speed + _GRACE_S))
            signalled = asyncio.create_task(stopped.wait())
            await asyncio.wait({running, signalled}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                caller.give_up("it was stopped by a signal", int(clock.now_ns() * speed))
                talk.wake()
            signalled.cancel()
            await running
        return self._ran(caller, taped)

    def against_machine(self, machine: Callable[[int], Machine]) -> Ran:
        """Play it on a virtual clock to what `machine` makes, given the time of the tape (ns since
        1970). The way there takes as long as the answer to the upgrade took on the tape."""
        clock = VirtualClock(0, SystemClock().wall_ns())
        headers = (("Host", "simulator"), ("Authorization", MADE_UP_KEY))
        caller = self._caller("http://simulator", headers)
        far = Distant(machine(self._part.row.wall_ns), self._part.plan.round_trip_ns // 2)
        with self._log(clock) as (log, taped):
            world = _World(Taped(far, log, clock), caller)
            limit_ns = int((self._limit_s + _GRACE_S) * _NS)
            for _ in Loopback(caller, world, limit_ns=limit_ns):
                pass  # what crosses is recorded as it does
        return self._ran(caller, taped)

    def _caller(self, base: str, headers: Headers) -> Caller:
        part = self._part
        book = PriceBook.shipped().then(SystemClock().wall_ns())
        budget = Budget(Meter(part.provider, book), self._cap, part.costs or ())
        options = Options(base, self._limit_s, self._patience_s, headers, self._doubles)
        return Caller(part.plan, part.provider, part.book, options, budget)

    def _ran(self, caller: Caller, taped: list[Tape]) -> Ran:
        made = caller.verdict
        if self._cap is not None and made.usd is not None:
            self._cap -= made.usd
        for tape in taped:
            if tape.failed:
                raise tape.failed
        return Ran(made, taped[0].session if taped else None)

    @contextmanager
    def _log(self, clock: Clock) -> Iterator[tuple[Log, list[Tape]]]:
        """Where a run is written down: one new session, whose parent is the tape, opened when
        something happens."""
        taped: list[Tape] = []
        if self._secrets is None:
            yield Log(), taped
            return
        row, found = self._part.row, self._part.provider
        writer = Writer(self._store, clock, self._secrets)
        writer.start()

        def tape_for(head: RequestHead) -> Tape:
            if not taped:
                facts = {"parent": row.id, "model": row.model, "origin": "replay"}
                taped.append(writer.open(row.provider, row.trial, **facts))
            return taped[0]

        try:
            yield Log(tape_for, writer, found.WEBHOOKS), taped
        finally:
            writer.close()


def authorization(base: str, found: Provider, environ: Mapping[str, str]) -> str:
    """The `Authorization` for a server; RecorderError if there is no key for one elsewhere."""
    if is_local(base):
        return MADE_UP_KEY
    name = f"{found.NAME.upper()}_API_KEY"
    key = environ.get(name, "").strip()
    if not key:
        raise RecorderError(f"{found.TITLE} needs a key: set {name} in the environment")
    return f"Bearer {key}"
