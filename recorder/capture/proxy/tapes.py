"""Which tape an exchange belongs to.

A conversation has a tape of its own and ends with its socket. A call is known by its id: the
REST request that makes it, its sockets, its webhooks and later requests share a tape, which stays
open for a while after the last of them and is taken up again when something comes later still.
All other REST traffic of a run goes to one control tape.

A webhook may name a call before the answer to the request that makes it has come. Its leg waits for
the requests that are in flight then; see docs/vapi.md for where everything goes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from recorder.capture.process import WriterProcess
from recorder.capture.proxy.legs import Leg, lay
from recorder.capture.tap import Tape
from recorder.chain import LINK_BYTES
from recorder.providers.base import Provider, Route
from recorder.store import open_store
from recorder.store.base import ChannelKind, SessionRow

log = logging.getLogger("recorder.proxy")
_LINGER_S = 30.0
_WAIT_S = 10.0
_SKEW_NS = 60 * 1_000_000_000  # by which the clocks of a provider and of this machine may differ


@dataclass(eq=False)
class OpenTape:
    """A tape with the number of exchanges that use it."""

    tape: Tape
    place: str
    key: tuple[str, str] | None = None
    users: int = 0
    linger: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def is_unnamed(self) -> bool:
        """Whether it is that of a call whose id is not known yet."""
        return self.place == "call" and self.key is None


class Tapes:
    """Finds, opens and ends tapes. Lives on one event loop. `on_open` is told of each new one; who
    counts itself as a user keeps it open until `release`."""

    def __init__(self, writer: WriterProcess, trial: str) -> None:
        self._writer, self._trial = writer, trial
        self._calls: dict[tuple[str, str], OpenTape] = {}
        self._control: dict[str, OpenTape] = {}
        self._unnamed: set[OpenTape] = set()
        self._ended: set[tuple[str, str]] = set()
        self._early: dict[tuple[str, str], list[Leg]] = {}
        self._homes: dict[Leg, OpenTape] = {}  # of legs that were laid while they waited
        self._sleepers: list[asyncio.Future[None]] = []
        self._finding = asyncio.Lock()
        self._stopping = False
        self.opened = 0
        self.on_open: Callable[[OpenTape], None] | None = None

    async def room(self) -> None:
        """Wait while more is queued for the writer than may be."""
        if self._writer.full:
            await self._writer.room()

    def leg(self, kind: ChannelKind, target: str) -> Leg:
        """A channel to be laid on a tape."""
        return Leg(self._writer.now_ns, kind, target)

    async def take(self, provider: Provider, route: Route, leg: Leg) -> OpenTape:
        """The tape for an exchange, counted as used until `release`; `leg` is laid on it."""
        found = self._homes.pop(leg, None) or self.known(provider, route, leg)
        if found is not None:
            return found
        key = (provider.NAME, str(route.key))
        self._early.setdefault(key, []).append(leg)
        try:
            async with self._finding:
                tape = await self._stored(provider, key)
                found = self._homes.pop(leg, None) or self.known(provider, route, leg)
                return found or self._use(self._call(provider, route, leg, tape), leg)
        finally:
            self._forget(key, leg)

    def known(self, provider: Provider, route: Route, leg: Leg) -> OpenTape | None:
        """`take` where that needs no waiting: None for a call that is not open."""
        if route.place == "control":
            control = self._control.get(provider.NAME)
            if control is None or control.tape.failed:
                control = self._control[provider.NAME] = self._open(provider, route, leg)
            return self._use(control, leg)
        if route.key is None:
            found = self._open(provider, route, leg)
            if route.place == "call":
                self._unnamed.add(found)
            return self._use(found, leg)
        found_call = self._calls.get((provider.NAME, route.key))
        if found_call is None or found_call.tape.failed:
            return None
        return self._use(found_call, leg)

    async def place(self, provider: Provider, route: Route, leg: Leg) -> OpenTape:
        """`take` for a leg of something that may be earlier than the answer that names its call:
        it waits, a while, for the calls that are being made."""
        key = (provider.NAME, str(route.key))
        making = set(self._unnamed)
        if self._calls.get(key) is None and making:
            self._early.setdefault(key, []).append(leg)
            try:
                async with asyncio.timeout(_WAIT_S):
                    while making & self._unnamed and leg.tape is None and not self._stopping:
                        await self._news()
            except TimeoutError:
                log.warning("a webhook has waited %g s for the answer that names its call", _WAIT_S)
            finally:
                self._forget(key, leg)
        return await self.take(provider, route, leg)

    def name(self, open_tape: OpenTape, provider: Provider, key: str, leg: Leg) -> None:
        """Tell the id of a call whose tape was opened before anyone knew it; what waits for it is
        laid on the tape together with the leg of the answer."""
        open_tape.key = (provider.NAME, key)
        open_tape.tape.learn(external_id=key)
        self._calls[open_tape.key] = open_tape
        lay(open_tape.tape, (leg, *self._admitted(open_tape)))
        self._settled(open_tape)

    def release(self, open_tape: OpenTape) -> None:
        """One exchange less; the last one ends a conversation, and a call after a while."""
        open_tape.users -= 1
        if open_tape.users or open_tape.place == "control":
            return
        if open_tape.key is None:
            open_tape.tape.end()
            self._settled(open_tape)
        else:
            loop = asyncio.get_running_loop()
            open_tape.linger = loop.call_later(_LINGER_S, self._end_call, open_tape)

    def stop(self) -> None:
        """Wait for no names any more."""
        self._stopping = True
        self._wake()

    def _use(self, found: OpenTape, leg: Leg) -> OpenTape:
        found.users += 1
        if found.linger:
            found.linger.cancel()
            found.linger = None
        lay(found.tape, (leg, *self._admitted(found, leg)))
        self._wake()
        return found

    def _admitted(self, found: OpenTape, own: Leg | None = None) -> list[Leg]:
        """The other legs that wait for this tape, counted as users of it; they are laid together,
        so that the order of what they kept is the order in which it happened."""
        waiting = self._early.get(found.key, ()) if found.key else ()
        legs = [leg for leg in waiting if leg is not own and leg.tape is None]
        self._homes.update(dict.fromkeys(legs, found))
        found.users += len(legs)
        return legs

    def _call(self, provider: Provider, route: Route, leg: Leg, tape: Tape | None) -> OpenTape:
        key = (provider.NAME, str(route.key))
        found = OpenTape(tape, route.place) if tape else self._open(provider, route, leg)
        found.key = key
        self._calls[key] = found
        return found

    def _end_call(self, open_tape: OpenTape) -> None:
        if open_tape.key and self._calls.get(open_tape.key) is open_tape:
            del self._calls[open_tape.key]
            self._ended.add(open_tape.key)
        open_tape.tape.end()

    def _open(self, provider: Provider, route: Route, leg: Leg) -> OpenTape:
        self.opened += 1
        tape = self._writer.open_since(
            leg.began_ns, provider.NAME, self._trial, model=route.model, external_id=route.key
        )
        opened = OpenTape(tape, route.place)
        if self.on_open:
            self.on_open(opened)
        return opened

    async def _news(self) -> None:
        """Sleep until a call that was being made has its name, or has failed."""
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append(sleeper)
        await sleeper

    def _settled(self, open_tape: OpenTape) -> None:
        self._unnamed.discard(open_tape)
        self._wake()

    def _wake(self) -> None:
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    def _forget(self, key: tuple[str, str], leg: Leg) -> None:
        legs = self._early[key]
        legs.remove(leg)
        if not legs:
            del self._early[key]

    async def _stored(self, provider: Provider, key: tuple[str, str]) -> Tape | None:
        """The tape of a call that ended earlier, taken up again."""
        if key in self._calls or not self._may_be_stored(provider, key):
            return None
        await self._writer.drained()
        found = await asyncio.to_thread(self._ended_call, *key)
        return self._writer.reopen(*found) if found and key not in self._calls else None

    def _may_be_stored(self, provider: Provider, key: tuple[str, str]) -> bool:
        """Whether it is worth a look: not for a call that is younger than this run."""
        minted = provider.minted_ns(key[1])
        started = self._writer.run.started_ns
        return key in self._ended or minted is None or minted < started + _SKEW_NS

    def _ended_call(self, provider: str, key: str) -> tuple[SessionRow, int] | None:
        with closing(open_store(self._writer.store_url, create=False, readonly=True)) as store:
            rows = [
                row
                for row in store.sessions()
                if (row.provider, row.external_id) == (provider, key)
                and row.status != "recording"
                and not row.is_copy
                and row.scheme in LINK_BYTES
            ]
            return (rows[-1], len(store.channels(rows[-1].id))) if rows else None
