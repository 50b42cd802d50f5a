"""The application's server in a trial: answers the webhooks of a provider by tool doubles."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web

from recorder.capture.proxy.address import listen
from recorder.clock import Clock
from recorder.trial.doubles import Doubles, Made

_SHUTDOWN_S = 1.0


class ToolServer:
    """Listens on this machine while its context is open. Everything that is no tool call is
    acknowledged. See the table of webhooks in docs/vapi.md."""

    def __init__(self, doubles: Doubles, clock: Clock) -> None:
        self.url = ""
        self._doubles, self._clock = doubles, clock
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=_SHUTDOWN_S
        )
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.url = await listen(self._runner, "127.0.0.1", 0, None)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the calls that are never answered, and stop listening."""
        self._over.set()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        message = _message(await request.read())
        if message.get("type") != "tool-calls":
            return web.json_response({})
        now = self._clock.now_ns()
        made = [self._call(each, now) for each in message.get("toolCallList", ())]
        await self._due(made)
        status = max((each.status for each in made), default=200)
        if status != 200:
            return web.Response(status=status, text=f"status {status}\n")
        results = []
        for each in made:
            told = {"error": each.error} if each.error is not None else {"result": each.output}
            results.append({"toolCallId": each.id, "name": each.name, **told})
        return web.json_response({"results": results})

    def _call(self, call: Mapping[str, Any], now: int) -> Made:
        """Arguments come as an object, or as its text."""
        function = call.get("function", call)
        arguments = function.get("arguments", function.get("parameters", {}))
        if isinstance(arguments, str):
            arguments = json.loads(arguments or "{}")
        return self._doubles.call(str(call["id"]), str(function["name"]), arguments, now)

    async def _due(self, made: list[Made]) -> None:
        """Wait until all answers are due; one that never comes holds up the others."""
        times = [each.answered_ns for each in made]
        wait_s = None
        if all(at is not None for at in times):
            latest = max((at for at in times if at is not None), default=0)
            wait_s = max(0.0, (latest - self._clock.now_ns()) / 1e9)
        try:
            await asyncio.wait_for(self._over.wait(), wait_s)
        except TimeoutError:
            return


def _message(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, Mapping) else {}
