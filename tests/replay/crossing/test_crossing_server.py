"""The application's server at an address: it answers when an answer is due, and records."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing

import aiohttp

from recorder.capture.log import Log
from recorder.capture.secrets import store_secrets
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.projections.rows import ToolCallRow
from recorder.providers import provider
from recorder.store import open_store
from recorder.store.base import stored_body
from replay.crossing.desk import Answer, Desk
from replay.crossing.server import ToolServer
from replay.crossing.tools import TapedTools

MS = 1_000_000
CALLED = {"toolCallList": [{"id": "c", "function": {"name": "book", "arguments": {}}}]}
ASKED = json.dumps({"message": {"type": "tool-calls", **CALLED}}).encode()


def calls(answered_ms: int | None) -> list[ToolCallRow]:
    at = None if answered_ms is None else answered_ms * MS
    return [ToolCallRow("s", 1, "c", 1, None, "book", "{}", 0, "done", at, False, 1, 2)]


async def asked(server: ToolServer) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{server.url}/hooks", data=ASKED) as answer,
    ):
        return answer.status, await answer.read()


def test_a_call_is_answered_when_it_is_due_and_stands_on_the_tape() -> None:
    clock, vapi = SystemClock(), provider("vapi")
    with closing(open_store("memory:", create=True)) as store:
        writer = Writer(store, clock, store_secrets(store, {}))
        writer.start()
        tape = writer.open("vapi", "calls")
        log = Log(lambda head: tape, writer, vapi.WEBHOOKS)

        async def run() -> tuple[int, bytes]:
            desk = Desk(vapi, TapedTools(calls(60), {}))
            async with ToolServer(desk, log, clock, "127.0.0.1", 0) as server:
                return await asked(server)

        began = clock.now_ns()
        status, body = asyncio.run(run())
        assert clock.now_ns() - began >= 60 * MS
        writer.close()
        assert (status, json.loads(body)) == (
            200,
            {"results": [{"toolCallId": "c", "result": "done"}]},
        )
        events = list(store.events(tape.session))
        assert [(each.sender, each.kind) for each in events] == [
            ("provider", "webhook.request"),
            *(("provider", "http.chunk"),) * 2,
            ("client", "webhook.response"),
            *(("client", "http.chunk"),) * 2,
        ]
        assert {each.type for each in events if each.kind == "webhook.request"} == {"tool-calls"}
        assert stored_body(events[1]) == ASKED


def test_what_is_never_answered_is_let_go_at_the_end() -> None:
    clock, vapi = SystemClock(), provider("vapi")

    async def run() -> int:
        came = asyncio.Event()

        class Noted(Desk):
            def answer(self, payload: bytes, now: int) -> Answer:
                came.set()
                return super().answer(payload, now)

        desk = Noted(vapi, TapedTools(calls(None), {}))
        async with ToolServer(desk, Log(), clock, "127.0.0.1", 0) as server:
            waiting = asyncio.create_task(asked(server))
            await came.wait()
            await asyncio.sleep(0.02)
            assert not waiting.done()
            closing_ = asyncio.create_task(server.__aexit__(None, None, None))
            status, _ = await waiting
            await closing_
            return status

    assert asyncio.run(run()) == 503
