"""Real clients that hold the conversation: `CLIENTS[name](base, pace_s)` gives the events it saw.

`base` is the URL that stands for https://api.openai.com, `pace_s` how long each 100 ms of speech
take.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from operator import attrgetter
from time import sleep
from typing import Any

import httpx
import websockets
from conversation import ASKED, FOUND, SESSION, TYPED, Json, Send, script, speech, understood

KEY = "sk-proj-e2eCanary0123456789abcdefABCDEF"
MODEL = "gpt-realtime"
Client = Callable[[str, float], list[Json]]


def _fields(step: Send) -> Json:
    audio = step.fields.get("audio")
    return step.fields if audio is None else {"audio": base64.b64encode(audio).decode()}


def openai_sync(base: str, pace_s: float) -> list[Json]:
    """openai-python, blocking."""
    from openai import OpenAI

    seen: list[Json] = []
    client = OpenAI(api_key=KEY, base_url=f"{base}/v1", max_retries=0, timeout=20)
    with client, client.realtime.connect(model=MODEL) as connection:
        talk = script()
        step = next(talk)
        try:
            while True:
                if step is None:
                    seen.append(connection.recv().to_dict())
                    step = talk.send(seen[-1])
                    continue
                attrgetter(step.type)(connection)(**_fields(step))
                sleep(pace_s if "audio" in step.fields else 0)
                step = next(talk)
        except StopIteration:
            return seen


def openai_async(base: str, pace_s: float) -> list[Json]:
    """openai-python on asyncio."""
    from openai import AsyncOpenAI

    async def hold() -> list[Json]:
        client = AsyncOpenAI(api_key=KEY, base_url=f"{base}/v1", max_retries=0, timeout=20)
        async with client, client.realtime.connect(model=MODEL) as connection:

            async def send(step: Send) -> None:
                await attrgetter(step.type)(connection)(**_fields(step))

            async def receive() -> Json:
                return (await connection.recv()).to_dict()

            return await _hold(send, receive, pace_s)

    return asyncio.run(asyncio.wait_for(hold(), 60))


async def _hold(send: Any, receive: Any, pace_s: float) -> list[Json]:
    seen: list[Json] = []
    talk = script()
    step = next(talk)
    try:
        while True:
            if step is None:
                seen.append(await receive())
                step = talk.send(seen[-1])
                continue
            await send(step)
            await asyncio.sleep(pace_s if "audio" in step.fields else 0)
            step = next(talk)
    except StopIteration:
        return seen


def browser(base: str, pace_s: float, key: str = KEY) -> list[Json]:
    """As a page does it: the key in a sub-protocol, no header of one's own, compact JSON."""

    async def hold() -> list[Json]:
        url = f"ws{base.removeprefix('http')}/v1/realtime?model={MODEL}"
        offers = [websockets.Subprotocol(f"{name}") for name in ("realtime", _protocol(key))]
        async with websockets.connect(
            url, subprotocols=offers, origin=websockets.Origin("https://app.example"), max_size=None
        ) as socket:
            assert socket.subprotocol == "realtime"

            async def send(step: Send) -> None:
                event = {"type": step.type, **_fields(step)}
                await socket.send(json.dumps(event, ensure_ascii=False, separators=(",", ":")))

            async def receive() -> Json:
                event: Json = json.loads(await socket.recv())
                return event

            return await _hold(send, receive, pace_s)

    return asyncio.run(asyncio.wait_for(hold(), 60))


def _protocol(key: str) -> str:
    return f"openai-insecure-api-key.{key}"


def client_secret(base: str) -> str:
    """What a page's backend asks for: a key that may be given away."""
    answer = httpx.post(
        f"{base}/v1/realtime/client_secrets",
        headers={"Authorization": f"Bearer {KEY}"},
        json={"session": {"type": "realtime", "model": MODEL}},
        timeout=20,
        trust_env=False,
    )
    answer.raise_for_status()
    secret: str = answer.json()["value"]
    assert secret.startswith("ek_")
    return secret


def agents(base: str, pace_s: float) -> list[Json]:
    """openai-agents: a session that answers function calls and truncates by itself."""
    from agents import function_tool
    from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession

    @function_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return FOUND

    async def until(session: RealtimeSession, seen: list[Json], lines: int) -> None:
        async for event in session:
            assert event.type != "error", event
            if event.type == "raw_model_event" and event.data.type == "raw_server_event":
                seen.append(event.data.data)
                if len(understood(seen)) == lines:
                    return

    async def hold() -> list[Json]:
        seen: list[Json] = []
        runner = RealtimeRunner(RealtimeAgent(name="clerk", tools=[get_weather]))
        url = f"ws{base.removeprefix('http')}/v1/realtime?model={MODEL}"
        sound = SESSION["audio"]["input"]
        settings: Any = {
            "model_name": MODEL,
            "turn_detection": {**sound["turn_detection"], "interrupt_response": True},
        }
        config: Any = {"url": url, "api_key": KEY, "initial_model_settings": settings}
        async with await runner.run(model_config=config) as session:
            await session.send_message(TYPED)
            await until(session, seen, 1)
            for chunk in speech():
                await session.send_audio(chunk)
                await asyncio.sleep(pace_s)
            await until(session, seen, 5)
            await session.send_message(ASKED)
            await until(session, seen, 7)
        return seen

    return asyncio.run(asyncio.wait_for(hold(), 60))


CLIENTS: dict[str, Client] = {
    "openai-async": openai_async,
    "openai-sync": openai_sync,
    "openai-agents": agents,
    "browser": browser,
}
