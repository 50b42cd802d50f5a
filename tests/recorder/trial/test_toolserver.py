"""The application's server in a trial, over real sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from recorder.clock import SystemClock
from recorder.trial.doubles import Doubles
from recorder.trial.scenario import Double
from recorder.trial.toolserver import ToolServer

DOUBLES = [
    Double("slow", delay_ms=120, result={"ok": True}),
    Double("down", error="the system is down"),
    Double("broken", status=503),
    Double("gone", drop=True),
]


def calls(*names: str, as_text: bool = False) -> dict[str, Any]:
    arguments: Any = {"day": "Monday"}
    listed = [
        {
            "id": f"call_{name}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": json.dumps(arguments) if as_text else arguments,
            },
        }
        for name in names
    ]
    return {"message": {"type": "tool-calls", "toolCallList": listed}}


async def post(url: str, body: object) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.status == 200 else text


@pytest.mark.parametrize("as_text", [False, True])
async def test_calls_are_answered_when_they_are_due(as_text: bool) -> None:
    doubles, clock = Doubles(DOUBLES), SystemClock()
    async with ToolServer(doubles, clock) as server:
        begun = clock.now_ns()
        status, told = await post(server.url, calls("slow", "down", as_text=as_text))
        took_ms = (clock.now_ns() - begun) / 1e6
    assert (status, took_ms >= 120) == (200, True)
    assert told["results"] == [
        {"toolCallId": "call_slow", "name": "slow", "result": '{"ok": true}'},
        {"toolCallId": "call_down", "name": "down", "error": "the system is down"},
    ]
    assert doubles.made[0].arguments == {"day": "Monday"}


async def test_a_status_is_answered_with_it() -> None:
    async with ToolServer(Doubles(DOUBLES), SystemClock()) as server:
        assert (await post(server.url, calls("broken")))[0] == 503


async def test_a_dropped_call_is_not_answered_while_the_run_lasts() -> None:
    async with ToolServer(Doubles(DOUBLES), SystemClock()) as server:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(post(server.url, calls("gone")), 0.2)


async def test_everything_else_is_acknowledged() -> None:
    async with ToolServer(Doubles(DOUBLES), SystemClock()) as server:
        for body in ({"message": {"type": "status-update"}}, ["no message"], {"message": 5}):
            assert await post(server.url, body) == (200, {})
