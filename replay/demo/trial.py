"""The trial of the demo: its scenarios at the simulators, in this process and on virtual time.

`record trial` holds the same runs through a proxy, in real time. Here they take seconds, and none
is excluded because the machine is busy: on virtual time the caller's audio is never late.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from recorder.capture.log import Log
from recorder.capture.secrets import store_secrets
from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.clock import Clock, VirtualClock
from recorder.pricing import Meter, PriceBook
from recorder.providers import provider
from recorder.store.base import Store
from recorder.trial.cues import Moment
from recorder.trial.doubles import Doubles
from recorder.trial.loading import prepare
from recorder.trial.plan import Run, plan
from recorder.trial.record import END, RUN, TURN, Notes
from recorder.trial.rendering import Renderer, cache_folder
from recorder.trial.runner import Prepared, Setting, Target, run_facts, turn_facts
from recorder.trial.scenario import Scenario
from recorder.trial.sides import side as trial_side
from recorder.trial.sides.base import Party, script
from recorder.trial.watch import Watched
from replay.caller.distance import Distant
from replay.crossing.desk import Beside, Desk
from replay.crossing.outgoing import Fitting, Outgoing
from replay.crossing.sides import side
from replay.crossing.sides.base import Words
from replay.loopback import Loopback
from replay.runs import MADE_UP_KEY
from replay.taping import Taped

PROVIDERS = ("openai", "vapi")
_SEED = 1
_NS = 1_000_000_000
_WAY_NS = 20_000_000  # to a provider, and back again
_GRACE_S = 90.0  # beyond a scenario's longest, for what is told after a call
_HEADERS = (("Host", "simulator"), ("Authorization", MADE_UP_KEY))
_SERVER = "http://caller.localhost/webhooks"  # of the application, which is in this process too


class Held(NamedTuple):
    """A run that took place: `failed` says why the conversation ended before its script, or None;
    `seconds` is how long it would have taken."""

    run: Run
    session: str
    failed: str | None
    seconds: float


class Trial:
    """Runs `files` at each simulator, `repeat` times. `criteria` is the digest of what they will be
    judged by."""

    def __init__(self, store: Store, name: str, clock: Clock, criteria: str) -> None:
        targets = {each: Target("simulator", None, MADE_UP_KEY) for each in PROVIDERS}
        self._setting = Setting("", name, _SEED, targets, criteria=criteria)
        self._store, self._clock = store, clock
        self._book = PriceBook.shipped().then(clock.wall_ns())

    def hold(self, files: Sequence[Path], repeat: int) -> Iterator[Held]:
        """All runs, in the order that `record trial` would hold them; gives each as it has ended.
        RecorderError for a scenario that cannot be read."""
        prepared = prepare(files, Renderer(cache_folder(os.environ)))
        self._setting = replace(self._setting, planned=dict.fromkeys(prepared, repeat))
        for run in plan(list(prepared), PROVIDERS, repeat, _SEED):
            yield self._held(run, prepared[run.scenario])

    def _held(self, run: Run, prepared: Prepared) -> Held:
        scenario, found, there = prepared.scenario, provider(run.provider), trial_side(run.provider)
        doubles = Doubles(scenario.doubles)
        party = there.party(scenario, script(scenario, prepared.clips, there.RATE), doubles)
        clock = VirtualClock(0, self._clock.wall_ns())
        limit_ns = int((scenario.end.max_s + _GRACE_S) * _NS)
        near = side(run.provider).simulator(run.seed(_SEED), clock.wall_ns(), _words(scenario))
        with self._taped(run, prepared, clock, party) as (tape, notes, log):

            def tell(moment: Moment) -> None:
                if moment.cue.number:
                    notes.add(TURN, turn_facts(self._setting, prepared, moment))

            meter = Meter(found, self._book)
            watched = Watched(party, meter, None, scenario.end.max_s, tell)
            address = None if found.WEBHOOKS is None else _SERVER
            fitting = Fitting(_HEADERS, address, is_here=True)
            caller = Outgoing(watched, found, fitting, limit_ns, clock.advance_to)
            world = Beside(Taped(Distant(near, _WAY_NS), log, clock), Desk(found, doubles), caller)
            for _ in Loopback(caller, world, limit_ns=limit_ns):
                pass  # what crosses is recorded as it does
        return Held(run, tape.session, party.failed, clock.now_ns() / _NS)

    @contextmanager
    def _taped(
        self, run: Run, prepared: Prepared, clock: VirtualClock, party: Party
    ) -> Iterator[tuple[Tape, Notes, Log]]:
        """The tape of a run, with the notes of a trial, as it is recorded."""
        writer = Writer(self._store, clock, store_secrets(self._store, os.environ))
        writer.start()
        try:
            tape = writer.open(run.provider, self._setting.trial, origin="simulate")
            notes = Notes(tape)
            notes.add(RUN, run_facts(self._setting, run, prepared))
            yield tape, notes, Log(lambda head: tape, writer, provider(run.provider).WEBHOOKS)
            outcome = "failed" if party.failed else "finished"
            notes.add(END, {"outcome": outcome, "reason": party.failed, "stall_ms": 0.0})
            notes.end()
            tape.end()
        finally:
            writer.close()
        if tape.failed:
            raise tape.failed


def _words(scenario: Scenario) -> Words:
    heard = tuple(turn.words for turn in scenario.turns if turn.words is not None)
    greeting = scenario.agent.first_message if scenario.speaks_first == "agent" else None
    return Words(heard, scenario.simulated_replies, greeting)
