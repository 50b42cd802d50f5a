"""A tape that plays in a thread with a loop of its own, beside any kind of test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from recorder.clock import SystemClock
from recorder.redact import Secrets
from replay.kept import Kept
from replay.match.rules import Rule
from replay.playing import Manner, is_answered, load_reel, player_for, signed
from replay.report import Tally
from replay.server import MachineServer

_T = TypeVar("_T")
_OPTIONS = "(--rule, --rules FILE)"  # how a report says where rules are written
_MARKER = "(rules=[…] of the marker, tape_rules)"
_SETTLE_S = 1.0  # what is on its way when a test ends gets this long to arrive
_STARTING_S = 20.0  # how long the application's webhook server may take to be there


class Playing:
    """A replay behind a port of its own, from `start` to `stop`. Unless it `delivers`, webhooks
    are sent only if an application answered them on the tape. RecorderError if there is nothing
    to play."""

    def __init__(
        self,
        kept: Kept,
        manner: Manner,
        rules: Sequence[Rule],
        secrets: Secrets,
        *,
        delivers: bool,
        webhook_secret: str | None = None,
    ) -> None:
        self.url = ""
        self._kept, self._rules = kept, rules
        reel = load_reel(kept.store, kept.row, kept.beside, rules)
        if not (delivers or is_answered(reel)):
            manner = replace(manner, webhook_to=None)
        self._player = player_for(reel, manner, secrets)
        self._has_webhooks = bool(manner.webhook_to and reel.script.deliveries)
        self._clock = SystemClock()
        self._machine = signed(self._player, reel.provider, webhook_secret, self._clock)
        self._prefix = reel.provider.PREFIX
        self._ready: Future[MachineServer] = Future()
        self._thread = threading.Thread(target=self._run, name="tape", daemon=True)

    def start(self) -> None:
        """Accept connections."""
        self._thread.start()
        self._server = self._ready.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with MachineServer(
            self._machine, self._clock, prefix=self._prefix, starting_s=_STARTING_S
        ) as server:
            self.url = server.url
            self._player.reached_at(self.url)
            self._ready.set_result(server)
            await self._stopping.wait()

    def stop(self) -> None:
        """Close what is open, and end the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @contextmanager
    def opened(self) -> Iterator[Kept]:
        """The tape that is played."""
        yield self._kept

    # While it plays

    def report(self) -> str:
        """What the replay came to so far, in under 12 lines."""

        def report() -> str:
            is_over = self._player.finished
            told = self._player.report().replace(_OPTIONS, _MARKER)
            verdict, *rest = told.splitlines()
            return "\n".join((verdict if is_over else "the replay is not over", *rest))

        return self._ask(report)

    def tally(self) -> Tally:
        """How many messages of both sides came or went out, of those on the tape."""
        return self._ask(lambda: self._player.steps)

    def failed(self) -> bool:
        """Whether something did not fit."""
        return self._ask(lambda: self._player.failure is not None)

    def rules_held(self) -> dict[Rule, bool]:
        """For each of the rules, whether it held anywhere."""
        idle = self._ask(lambda: self._player.idle_rules)
        return {rule: rule not in idle for rule in self._rules}

    def wait(self, limit_s: float) -> bool:
        """Wait until the tape is used up and the connections are closed, or it failed; False if
        it is not over within the limit."""
        over = self._server.until(lambda: self._player.finished, limit_s)
        return asyncio.run_coroutine_threadsafe(over, self._loop).result()

    def leave(self) -> None:
        """The test is over: what is on its way still arrives, and what is left is a failure."""

        def is_still() -> bool:
            idle = not self._server.connections and not self._has_webhooks
            return self._player.finished or idle

        settled = self._server.until(is_still, _SETTLE_S)
        asyncio.run_coroutine_threadsafe(settled, self._loop).result()
        reason = "the test ended"
        if not self._server.served:
            reason = f"nothing came to {self.url} (OPENAI_BASE_URL, VAPI_BASE_URL) and {reason}"
        self._ask(lambda: self._player.leave(reason, self._clock.now_ns()))

    def _ask(self, question: Callable[[], _T]) -> _T:
        """The answer of something that lives in the loop."""

        async def answer() -> _T:
            return question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result()
