"""Runs a trial: one conversation after the other, each through a recording proxy of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from recorder.billing import known_of, paid
from recorder.capture.process import WriterProcess
from recorder.capture.proxy.address import is_local
from recorder.capture.proxy.options import ProxyOptions
from recorder.capture.proxy.server import Proxy
from recorder.capture.proxy.tapes import OpenTape
from recorder.client import Conversation
from recorder.clock import Clock
from recorder.derive import refresh
from recorder.errors import RecorderError
from recorder.pricing import Meter, PriceBook
from recorder.projections.marks import CostRow
from recorder.providers import provider as provider_of
from recorder.store import open_store
from recorder.trial.cues import Moment
from recorder.trial.doubles import Doubles
from recorder.trial.plan import Run
from recorder.trial.pulse import Pulse
from recorder.trial.record import END, RUN, TURN, Notes
from recorder.trial.rendering import Clip
from recorder.trial.scenario import Scenario
from recorder.trial.sides import side
from recorder.trial.sides.base import script
from recorder.trial.simulated import simulator
from recorder.trial.toolserver import ToolServer
from recorder.trial.validity import problems
from recorder.trial.watch import Watched

_GRACE_S = 60.0  # beyond a scenario's longest, for setting up and for what comes after it


class Prepared(NamedTuple):
    """A scenario with its sound."""

    scenario: Scenario
    clips: Mapping[int, Clip]
    path: Path


class Target(NamedTuple):
    """Where a provider's runs go: `url` is None for a simulator, which gets the `options` more.
    `kind` is `simulator`, `address` or `live`."""

    kind: str
    url: str | None
    authorization: str
    options: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return self.url is None or is_local(self.url)


@dataclass(frozen=True)
class Setting:
    """What all runs of a trial have in common. `criteria` is the digest of what they will be judged
    by, if that is declared; `planned` says how often each scenario is held at each provider."""

    store_url: str
    trial: str
    seed: int
    targets: Mapping[str, Target]
    host: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None
    redact_pii: bool = False
    criteria: str | None = None
    planned: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Progress:
    """A run under way, for a display."""

    run: Run
    watched: Watched
    turn: int = 0

    @property
    def usd(self) -> Decimal:
        """At least this much was spent."""
        return self.watched.known_usd


class Ran(NamedTuple):
    """How a run went. `outcome` is `finished`, `failed` (with a `reason`) or `stopped`; `invalid`
    says why it may not be compared; `usd` is None where a price is not known, and `known_usd` is
    then what was spent at least."""

    run: Run
    session: str | None
    outcome: str
    reason: str | None
    usd: Decimal | None
    invalid: tuple[str, ...]
    known_usd: Decimal = Decimal(0)


@dataclass
class _Taping:
    """The tape of a run, once there is one."""

    facts: Mapping[str, Any]
    opened: OpenTape | None = None
    notes: Notes | None = None
    early: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def take(self, opened: OpenTape) -> None:
        """A tape was opened; the first that is no control traffic is the run's. Its own channels
        come first."""
        if self.opened is None and opened.place != "control":
            self.opened = opened
            opened.users += 1
            asyncio.get_running_loop().call_soon(self._begin)

    def add(self, type_: str, facts: Mapping[str, Any]) -> None:
        """A note."""
        if self.notes is None:
            self.early.append((type_, facts))
        else:
            self.notes.add(type_, facts)

    def _begin(self) -> None:
        assert self.opened
        self.notes = Notes(self.opened.tape)
        for type_, facts in ((RUN, self.facts), *self.early):
            self.notes.add(type_, facts)


class Runner:
    """Runs conversations one by one. Use as a context; `stopped` ends the one under way."""

    def __init__(self, setting: Setting, clock: Clock, stopped: asyncio.Event) -> None:
        self.progress: Progress | None = None
        self._setting, self._clock, self._stopped = setting, clock, stopped
        self._book = PriceBook.shipped().then(clock.wall_ns())
        self._writer = WriterProcess(setting.store_url, clock, redact_pii=setting.redact_pii)

    async def __aenter__(self) -> Runner:
        await self._writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.close()

    @property
    def is_stopped(self) -> bool:
        """Whether no more runs are to be begun."""
        return self._stopped.is_set()

    async def run(self, run: Run, prepared: Prepared, cap: Decimal | None) -> Ran:
        """One conversation; `cap` is what it may cost. RecorderError if it cannot be had at all."""
        scenario = prepared.scenario
        target = self._setting.targets[run.provider]
        doubles = Doubles(scenario.doubles)
        taping = _Taping(run_facts(self._setting, run, prepared))
        found = side(run.provider)
        party = found.party(scenario, script(scenario, prepared.clips, found.RATE), doubles)
        meter = Meter(provider_of(run.provider), self._book)
        limit = scenario.end.max_s
        own_cap = scenario.budget.max_cost_usd
        least = _least(cap, None if own_cap is None else Decimal(str(own_cap)))
        watched = Watched(party, meter, least, limit, self._teller(taping, prepared))
        self.progress = Progress(run, watched)
        async with self._proxy(run, scenario, target, doubles, taping) as base:
            stall_ms = await self._converse(watched, base, target, limit + _GRACE_S)
            is_cut = self._stopped.is_set() or (watched.over_budget and least == cap)
            outcome = "finished"
            if party.failed:
                outcome = "stopped" if is_cut else "failed"
            ended = {"outcome": outcome, "reason": party.failed, "stall_ms": round(stall_ms, 1)}
            taping.add(END, ended)
        turns = {moment.cue.number for moment in party.moments} - {0}
        session = taping.opened.tape.session if taping.opened else None
        bill, metrics = await self._measured(session)
        due = len(scenario.turns) if outcome == "finished" else len(turns)
        wrong = problems(metrics, stall_ms, len(turns), due)
        usd, known = paid(bill), known_of(bill)
        return Ran(run, session, outcome, party.failed, usd, tuple(wrong), known)

    def _teller(self, taping: _Taping, prepared: Prepared) -> Callable[[Moment], None]:
        def tell(moment: Moment) -> None:
            if not moment.cue.number:
                return
            taping.add(TURN, turn_facts(self._setting, prepared, moment))
            if self.progress:
                self.progress.turn = moment.cue.number

        return tell

    async def _converse(self, watched: Watched, base: str, target: Target, limit_s: float) -> float:
        """Hold the conversation; how long the event loop stood still at most, in ms."""
        headers = {"Authorization": target.authorization}
        talk = Conversation(watched, base, self._clock, headers=headers)
        running = asyncio.create_task(talk.run(limit_s))
        signalled = asyncio.create_task(self._stopped.wait())
        try:
            async with Pulse(self._clock) as pulse:
                await asyncio.wait({running, signalled}, return_when=asyncio.FIRST_COMPLETED)
                if not running.done():
                    watched.give_up("the trial was stopped", self._clock.now_ns())
                    talk.wake()
                await running
        finally:
            signalled.cancel()
            await asyncio.gather(signalled, return_exceptions=True)
        return pulse.stall_ms

    @asynccontextmanager
    async def _proxy(
        self, run: Run, scenario: Scenario, target: Target, doubles: Doubles, taping: _Taping
    ) -> AsyncIterator[str]:
        """A proxy before the run's provider; gives the client's base URL."""
        prefix = provider_of(run.provider).PREFIX
        async with AsyncExitStack() as stack:
            upstream = target.url
            if upstream is None:
                seed = run.seed(self._setting.seed)
                made = simulator(run.provider, scenario, seed, target.options)
                upstream = await stack.enter_async_context(made) + prefix
            tools = await stack.enter_async_context(ToolServer(doubles, self._clock))
            public = self._setting.public_url
            reached = public is not None or target.is_here
            options = ProxyOptions(public, webhook_to=tools.url, set_server_url=reached)
            proxy = Proxy(self._writer, self._setting.trial, {run.provider: upstream}, options)
            proxy.tapes.on_open = taping.take
            base = await proxy.start(self._setting.host, self._setting.port)
            try:
                yield base + prefix
            finally:
                if taping.opened is not None and taping.notes is not None:
                    taping.notes.end()
                await proxy.stop()
                if taping.opened is not None:
                    proxy.tapes.release(taping.opened)
                    taping.opened.tape.end()

    async def _measured(self, session: str | None) -> tuple[list[CostRow], dict[str, float]]:
        """The bill of a run, by its tape, and its values for the whole session."""
        await self._writer.drained()
        if session is None:
            return [], {}
        return await asyncio.to_thread(_read, self._setting.store_url, session)


def run_facts(setting: Setting, run: Run, prepared: Prepared) -> Mapping[str, Any]:
    """The note `trial.run` of a run (docs/trial.md)."""
    compiled = side(run.provider).compile(prepared.scenario)
    return {
        "trial": setting.trial,
        "scenario": run.scenario,
        "sha256": prepared.scenario.sha256,
        "file": prepared.path.name,
        "provider": run.provider,
        "repeat": run.repeat,
        "order": run.order,
        "block": run.block,
        "seed": setting.seed,
        "target": setting.targets[run.provider].kind,
        "lacking": list(compiled.lacking),
        "turns": len(prepared.scenario.turns),
        "source": None if setting.redact_pii else prepared.scenario.text,
        "criteria": setting.criteria,
        "planned": dict(setting.planned),
    }


def turn_facts(setting: Setting, prepared: Prepared, moment: Moment) -> Mapping[str, Any]:
    """The note `trial.turn` of the moment at which the caller came to a turn (docs/trial.md)."""
    number = moment.cue.number
    turn, clip = prepared.scenario.turns[number - 1], prepared.clips.get(number)
    facts: dict[str, Any] = {"turn": number, "mode": turn.mode, "trigger": moment.trigger}
    facts |= {"after": turn.at.after}
    if turn.words is not None and not setting.redact_pii:
        facts |= {"text": turn.words}
    if clip is not None:
        facts |= {"ms": clip.ms, "sha256": clip.sha256}
    return facts


def _read(store_url: str, session: str) -> tuple[list[CostRow], dict[str, float]]:
    with closing(open_store(store_url, create=False)) as store:
        row = store.session(session)
        if row is None:
            raise RecorderError(f"session {session} is not on the store; see the messages above")
        refresh(store, [row])
        rows = store.models("metric", session)
        values = {each.metric: each.value for each in rows if each.turn is None}
        return store.models("cost_line", session), values


def _least(*caps: Decimal | None) -> Decimal | None:
    """The lowest of some limits."""
    return min((cap for cap in caps if cap is not None), default=None)
