"""Which tape an exchange belongs to.

A conversation has a tape of its own and ends with its socket. A call is known by its id: the
REST request that makes it, its sideband sockets and later requests share a tape, which stays
open for a while after the last of them and is taken up again when something comes later still.
All other REST traffic of a run goes to one control tape.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass, field

from recorder.capture.process import WriterProcess
from recorder.capture.tap import Tape
from recorder.providers.base import Provider, Route
from recorder.store import open_store
from recorder.store.base import SessionRow

_LINGER_S = 30.0


@dataclass(eq=False)
class OpenTape:
    """A tape with the number of exchanges that use it."""

    tape: Tape
    place: str
    key: tuple[str, str] | None = None
    users: int = 0
    linger: asyncio.TimerHandle | None = field(default=None, repr=False)


class Tapes:
    """Finds, opens and ends tapes. Lives on one event loop."""

    def __init__(self, writer: WriterProcess, trial: str) -> None:
        self._writer, self._trial = writer, trial
        self._calls: dict[tuple[str, str], OpenTape] = {}
        self._control: dict[str, OpenTape] = {}
        self._finding = asyncio.Lock()
        self.opened = 0

    async def take(self, provider: Provider, route: Route) -> OpenTape:
        """The tape for an exchange, counted as used until `release`."""
        async with self._finding:
            found = await self._find(provider, route)
            found.users += 1
            if found.linger:
                found.linger.cancel()
                found.linger = None
            return found

    def name(self, open_tape: OpenTape, provider: Provider, key: str) -> None:
        """Tell the id of a call whose tape was opened before anyone knew it."""
        open_tape.key = (provider.NAME, key)
        open_tape.tape.learn(external_id=key)
        self._calls[open_tape.key] = open_tape

    def release(self, open_tape: OpenTape) -> None:
        """One exchange less; the last one ends a conversation, and a call after a while."""
        open_tape.users -= 1
        if open_tape.users or open_tape.place == "control":
            return
        if open_tape.key is None:
            open_tape.tape.end()
        else:
            loop = asyncio.get_running_loop()
            open_tape.linger = loop.call_later(_LINGER_S, self._end_call, open_tape)

    def _end_call(self, open_tape: OpenTape) -> None:
        if open_tape.key:
            self._calls.pop(open_tape.key, None)
        open_tape.tape.end()

    async def _find(self, provider: Provider, route: Route) -> OpenTape:
        if route.place == "control":
            if provider.NAME not in self._control:
                self._control[provider.NAME] = self._open(provider, route)
            return self._control[provider.NAME]
        if route.key is None:
            return self._open(provider, route)
        key = (provider.NAME, route.key)
        if key not in self._calls:
            tape = await self._stored(*key)
            found = OpenTape(tape, route.place) if tape else self._open(provider, route)
            found.key = key
            self._calls[key] = found
        return self._calls[key]

    def _open(self, provider: Provider, route: Route) -> OpenTape:
        self.opened += 1
        tape = self._writer.open(
            provider.NAME, self._trial, model=route.model, external_id=route.key
        )
        return OpenTape(tape, route.place)

    async def _stored(self, provider: str, key: str) -> Tape | None:
        """The tape of a call that ended earlier, taken up again."""
        await self._writer.drained()
        found = await asyncio.to_thread(self._ended_call, provider, key)
        return self._writer.reopen(*found) if found else None

    def _ended_call(self, provider: str, key: str) -> tuple[SessionRow, int] | None:
        with closing(open_store(self._writer.store_url, create=False, readonly=True)) as store:
            rows = [
                row
                for row in store.sessions()
                if (row.provider, row.external_id) == (provider, key) and row.status != "recording"
            ]
            return (rows[-1], len(store.channels(rows[-1].id))) if rows else None
