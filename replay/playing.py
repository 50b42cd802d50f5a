"""A tape made ready to be played to an application, and played behind a port until it is over."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.events import Machine
from recorder.providers import provider
from recorder.providers.base import Provider
from recorder.recording import Recording
from recorder.redact import Secrets, redact_text
from recorder.store.base import SessionRow, Store
from replay.kept import is_rest
from replay.match.hearing import AudioMode
from replay.match.rulebook import Rulebook
from replay.match.rules import Rule
from replay.player import Player
from replay.player.modes import ModeName
from replay.player.signing import Signed
from replay.script import ExchangeScript, Script, read_script
from replay.server import MachineServer

_CLOSING_S = 5.0
_AFTER_NS = 15 * 10**9


class Playing(Protocol):
    """What is behind a port: a player, or one behind faults."""

    @property
    def finished(self) -> bool:
        """Whether all is over."""
        ...


class Reel(NamedTuple):
    """A tape as a player needs it. `spare` is the REST traffic beside it (see `spare_of`), `after`
    what of it followed the tape at once, so that whoever asks for it is waited for."""

    row: SessionRow
    provider: Provider
    book: Rulebook
    script: Script
    spare: tuple[ExchangeScript, ...]
    after: tuple[ExchangeScript, ...] = ()


@dataclass(frozen=True)
class Manner:
    """How a tape is played: the options of `replay serve`, see `Player`."""

    speed: float | None = None
    patience_s: float = 15.0
    webhook_to: str | None = None
    audio: AudioMode = "exact"
    mode: ModeName = "causal"
    idle_cap_s: float | None = None


def load_reel(
    store: Store,
    row: SessionRow,
    beside: Iterable[SessionRow] | None = None,
    rules: Sequence[Rule] = (),
) -> Reel:
    """Read a session to be played. `beside` are the sessions with its REST traffic; by default
    those of its run; `rules` are a user's. RecorderError if it has nothing to play."""
    found = provider(row.provider)
    book = Rulebook(found.RULES, rules)
    script = read_script(Recording(store, row.id).events(), found, book)
    if not (script.sockets or script.exchanges or script.deliveries):
        raise RecorderError(f"session {row.id} has nothing to replay: it holds no exchange")
    others = kin_of(store, row) if beside is None else list(beside)
    spare = spare_of(store, row, others, found, book)
    end_ns = script.length_ns
    after = [each for each in spare if end_ns < each.at_ns <= end_ns + _AFTER_NS]
    return Reel(row, found, book, script, spare, tuple(after) if _is_alone(store, row) else ())


def is_answered(reel: Reel) -> bool:
    """Whether an application answered webhooks of a tape, so that one has to be there again."""
    return any(delivery.answer is not None for delivery in reel.script.deliveries)


def kin_of(store: Store, row: SessionRow) -> list[SessionRow]:
    """The other sessions of the run that recorded a session that hold REST traffic only; not the
    other calls that were pulled with it."""
    return [
        other
        for other in store.sessions()
        if (other.run, other.provider) == (row.run, row.provider)
        and other.id != row.id
        and not (other.origin == "pull" and other.external_id)
        and is_rest(store, other)
    ]


def spare_of(
    store: Store, row: SessionRow, others: Iterable[SessionRow], found: Provider, book: Rulebook
) -> tuple[ExchangeScript, ...]:
    """The exchanges of control traffic, and what was refused of other calls, at their times on the
    tape of `row`."""
    spare: list[ExchangeScript] = []
    for other in others:
        if other.external_id is not None and not _has_refusals(store, other):
            continue  # it may have much audio, which is not read for nothing
        exchanges = read_script(Recording(store, other.id).events(), found, book).exchanges
        is_control = other.external_id is None
        later_ns = other.wall_ns - row.wall_ns
        spare += [
            replace(each, at_ns=each.at_ns + later_ns, end_ns=each.end_ns + later_ns)
            for each in exchanges
            if is_control or each.response.status >= 400
        ]
    return tuple(spare)


def _is_alone(store: Store, row: SessionRow) -> bool:
    """Whether its run recorded no other conversation, which what came after it would belong to."""
    return not any(
        (other.run, other.provider) == (row.run, row.provider)
        and other.id != row.id
        and not (other.external_id is None and is_rest(store, other))
        for other in store.sessions()
    )


def _has_refusals(store: Store, row: SessionRow) -> bool:
    answers = (event.type for event in store.events(row.id) if event.kind == "http.response")
    return any(status >= "400" for status in answers)


def player_for(reel: Reel, manner: Manner, secrets: Secrets) -> Player:
    """A player of a tape, whose reports are without `secrets`."""
    return Player(
        reel.script,
        reel.provider,
        reel.book,
        speed=manner.speed,
        patience_s=manner.patience_s,
        spare=reel.spare,
        after=reel.after,
        webhook_to=manner.webhook_to,
        audio=manner.audio,
        mode=manner.mode,
        idle_cap_s=manner.idle_cap_s,
        hide=lambda text: redact_text(secrets, text),
    )


def signed(player: Player, found: Provider, secret: str | None, clock: Clock) -> Machine:
    """A player whose webhooks carry a secret, if there is one: a tape has none to sign with.
    RecorderError if the provider has no webhooks."""
    hooks = found.WEBHOOKS
    if secret is None:
        return player
    if hooks is None:
        raise RecorderError(f"--webhook-secret-env: {found.TITLE} has no webhooks: leave it out")
    return Signed(
        player, lambda headers, body: hooks.signed(headers, body, secret, clock.wall_ns())
    )


def limit_s(reel: Reel, manner: Manner, spare_s: float) -> float:
    """How long playing may take: the length of the tape at its speed, and `spare_s` more; for ever
    where it is stepped. At more than the recorded speed the client may still need the recorded
    time."""
    if manner.mode == "step":
        return math.inf
    return reel.script.length_ns / 1e9 / min(manner.speed or 1.0, 1.0) + spare_s


async def until_over(
    server: MachineServer, player: Playing, stopped: Sequence[asyncio.Event], limit_s: float
) -> bool:
    """Serve until the tape is used up and the connections are closed, or a failure, or one of
    `stopped` is set; False when the time is over before that."""
    over = asyncio.create_task(server.until(lambda: player.finished, limit_s))
    waiting = [over, *(asyncio.create_task(each.wait()) for each in stopped)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return player.finished or any(each.is_set() for each in stopped)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def until_closed(server: MachineServer) -> None:
    """Let what is on its way go out, and the connections end."""
    await server.until(lambda: server.connections == 0, _CLOSING_S)
