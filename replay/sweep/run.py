"""One tape, one run of the application's command."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.pricing import PriceBook, cost_of
from recorder.providers.base import Provider
from recorder.recording import Recording
from recorder.redact import Secrets
from replay.appenv import PORT, addresses, no_keys, no_network, webhook_address
from replay.kept import Kept
from replay.match.rules import Rule
from replay.player import Player
from replay.playing import (
    Manner,
    Reel,
    is_answered,
    limit_s,
    load_reel,
    player_for,
    signed,
    until_over,
)
from replay.report import Tally
from replay.server import MachineServer
from replay.sweep.app import App
from replay.sweep.sources import Source
from replay.sweep.verdicts import Outcome, Verdict

_SPARE_S = 20.0
_LINGER_S = 5.0  # what an application gets to end itself after the replay
_STARTING_S = 20.0  # how long its webhook server may take to be there
_SETTLE_S = 1.0  # until the closes of an application that has ended have come
OWN_SERVER = f"http://127.0.0.1:{PORT}"
_TRAILER = ("used:",)  # what the line with the verdict says already


@dataclass(frozen=True)
class Options:
    """How every tape is played. `webhook_to` None stands for `OWN_SERVER`, where the tape has
    answers of an application."""

    words: Sequence[str]
    environ: Mapping[str, str]
    manner: Manner
    secrets: Secrets
    max_seconds: float | None
    webhook_to: str | None
    webhook_secret: str | None
    rules: Sequence[Rule]
    prices: PriceBook
    allows_network: bool


class Run:
    """Plays one tape to one process of the application."""

    def __init__(
        self, source: Source, kept: Kept, reel: Reel, cost: float | None, options: Options
    ) -> None:
        template = options.webhook_to
        if template is None and is_answered(reel):
            template = OWN_SERVER
        address, self._variables = webhook_address(template) if template else (None, {})
        self._manner = replace(options.manner, webhook_to=address)
        self._player = player_for(reel, self._manner, options.secrets)
        self._source, self._kept, self._reel, self._options = source, kept, reel, options
        self._cost = cost
        self._notes: list[str] = []
        self._after = f"{_LINGER_S:g} s after the replay"

    async def play(self, clock: Clock) -> Outcome:
        """Run the application to its end, or to the end of its time."""
        begun = clock.now_ns()
        found = self._reel.provider
        machine = signed(self._player, found, self._options.webhook_secret, clock)
        server = MachineServer(machine, clock, prefix=found.PREFIX, starting_s=_STARTING_S)
        async with server:
            self._player.reached_at(server.url)
            app = await App.start(self._options.words, self._environ(server.url))
            try:
                await self._follow(app, server, clock)
            finally:
                await app.stop()
            if app.stopped_by:
                note = f"note: the application still ran {self._after}; ended by {app.stopped_by}"
                self._notes.append(note)
            return self._outcome(app, server, (clock.now_ns() - begun) / 1e9)

    def _environ(self, url: str) -> dict[str, str]:
        found = {**self._options.environ, **addresses(url), **no_keys(), **self._variables}
        found |= {"REPLAY_SESSION": self._reel.row.id, "REPLAY_TAPE": self._source.name}
        return found if self._options.allows_network else found | no_network()

    async def _follow(self, app: App, server: MachineServer, clock: Clock) -> None:
        limit = self._options.max_seconds
        if limit is None:
            limit = limit_s(self._reel, self._manner, _SPARE_S)
        in_time = await until_over(server, self._player, [app.ended], limit)
        if not in_time:
            self._after = f"after {limit:g} s (--max-seconds)"
            self._player.give_up(f"it was not over {self._after}")
        elif not self._player.finished:
            await server.until(lambda: not server.connections, _SETTLE_S)
            self._player.leave(f"the application ended (exit code {app.code})", clock.now_ns())
        await app.wait(_LINGER_S if in_time else 0)

    def _outcome(self, app: App, server: MachineServer, took_s: float) -> Outcome:
        verdict = _verdict(self._player, server, app)
        lines = [*_explained(verdict, self._player, server.url, app), *self._notes]
        fine = verdict == "PASS"
        return Outcome(
            self._source.name,
            self._reel.row.id,
            verdict,
            self._player.steps,
            _audio_s(self._kept),
            self._cost,
            took_s,
            tuple(lines),
            () if fine else tuple(app.tail),
            app.code,
        )


async def play_source(source: Source, options: Options, clock: Clock) -> Outcome:
    """Read a tape and play it once; one that cannot be played is a verdict, too."""
    try:
        kept, reel, cost = await asyncio.to_thread(_read, source, options)
        return await Run(source, kept, reel, cost, options).play(clock)
    except RecorderError as error:
        return Outcome(source.name, "", "BROKEN", Tally(0, 0), 0.0, None, 0.0, (str(error),))


def _read(source: Source, options: Options) -> tuple[Kept, Reel, float | None]:
    kept = source.read()
    reel = load_reel(kept.store, kept.row, kept.beside, options.rules)
    return kept, reel, _cost_usd(kept, reel.provider, options.prices)


def _cost_usd(kept: Kept, found: Provider, prices: PriceBook) -> float | None:
    """What the conversation cost when it was recorded; None if that is not known."""
    then = prices.then(kept.row.wall_ns)
    usd = cost_of(Recording(kept.store, kept.row.id).events(), found, then).usd
    return None if usd is None else float(usd)


def _audio_s(kept: Kept) -> float:
    """Seconds of audio that a tape has, of both sides."""
    tape = Recording(kept.store, kept.row.id)
    sealed = ((each.rate, tape.sealed(each.number)) for each in tape.segments())
    return sum(audio.frames / rate for rate, audio in sealed if audio and rate)


def _verdict(player: Player, server: MachineServer, app: App) -> Verdict:
    if not server.served:
        return "NOOP"
    if player.failure:
        return "FAIL"
    return "ERROR" if app.code and not app.stopped_by else "PASS"


def _explained(verdict: Verdict, player: Player, url: str, app: App) -> list[str]:
    """What stands beneath a verdict."""
    if verdict == "NOOP":
        ended = "was ended" if app.stopped_by else f"ended with exit code {app.code}"
        return [
            f"the application never connected to {url}, and {ended}",
            "next: see that it takes OPENAI_BASE_URL, or VAPI_BASE_URL, from its environment",
        ]
    if verdict == "ERROR":
        return [f"the replay was complete, and the application ended with exit code {app.code}"]
    lines = player.report().splitlines()
    if verdict == "PASS":
        lines = [line for line in lines if line.startswith("note:")]
    return [line for line in lines if not line.startswith(_TRAILER)]
