"""A conversation with GPT-Live as openai-python holds it: speech, work with a function, the end."""

from __future__ import annotations

import asyncio
import base64
import json
from itertools import chain, repeat
from typing import Any
from uuid import uuid4

from clients import KEY
from conversation import CHUNK, FOUND, TOOL, Json, speech

MODEL = "gpt-live-1"
SAID = "What is the weather in Paris?"  # what the simulator takes the speech for
ANSWER = "It is mild."
SESSION: Json = {
    "model": MODEL,
    "instructions": "Be brief.",
    "delegation": {"type": "responses", "responses": {"model": "gpt-5-mini", "tools": [TOOL]}},
}


class Story:
    """One client on a primary connection, and beside it one on a sideband if `observed`."""

    def __init__(self, base: str, pace_s: float, *, observed: bool = False) -> None:
        self.seen: list[Json] = []
        self.observed: list[Json] = []
        self._base, self._pace_s, self._is_observed = base, pace_s, observed
        self._over = asyncio.Event()
        self.ids = {name: f"{name}-{uuid4()}" for name in ("start", "go-on", "told", "bye")}

    async def hold(self) -> None:
        """From the start to `session.closed`."""
        from openai import AsyncOpenAI

        client = AsyncOpenAI(api_key=KEY, base_url=f"{self._base}/v1", max_retries=0, timeout=20)
        async with client, client.live.connect() as connection:
            await connection.session.start(event_id=self.ids["start"], session=SESSION)  # type: ignore[arg-type]
            await self._until(connection, "session.started")
            async with asyncio.TaskGroup() as tasks:
                if self._is_observed:
                    tasks.create_task(self._observe(client))
                tasks.create_task(self._speak(connection))
                await self._talk(connection)

    async def _talk(self, connection: Any) -> None:
        await self._until(connection, "response.event", "response.output_item.done")
        call = self.seen[-1]["event"]["item"]["call_id"]
        item = {"type": "function_call_output", "call_id": call, "output": FOUND}
        await connection.response.item.create(item=item)
        await connection.response.create(event_id=self.ids["go-on"])
        await self._until(connection, "session.output_transcript.delta", text=ANSWER.split()[-1])
        await connection.session.thinking.append(
            content="The user was told.", delegation_id=None, event_id=self.ids["told"]
        )
        await self._until(connection, "session.thinking.appended")
        self._over.set()
        await connection.session.close(event_id=self.ids["bye"])
        await self._until(connection, "session.closed")

    async def _until(self, connection: Any, type_: str, nested: str = "", text: str = "") -> None:
        """Read up to an event."""
        async with asyncio.timeout(30):
            while True:
                event = json.loads(await connection.recv_bytes())
                assert connection.parse_event(json.dumps(event)).type == event["type"]
                self.seen.append(event)
                inner = event.get("event", {}).get("type", "")
                if event["type"] == type_ and inner == nested and text in event.get("delta", text):
                    return

    async def _speak(self, connection: Any) -> None:
        """Speech, then silence, like a microphone."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for sent, chunk in enumerate(chain(speech(), repeat(bytes(CHUNK))), 1):
            if self._over.is_set():
                return
            await connection.session.input_audio.append(audio=base64.b64encode(chunk).decode())
            await asyncio.sleep(max(0.0, began + sent * self._pace_s - loop.time()))

    async def _observe(self, client: Any) -> None:
        name = self.seen[0]["session"]["id"]
        async with client.live.sideband.connect(session_id=name, graceful_close=True) as beside:
            async with asyncio.timeout(30):
                while not self.observed or self.observed[-1]["type"] != "session.closed":
                    self.observed.append((await beside.recv()).to_dict())


def hold(base: str, pace_s: float, *, observed: bool = False) -> Story:
    """The whole story."""
    story = Story(base, pace_s, observed=observed)
    asyncio.run(asyncio.wait_for(story.hold(), 60))
    return story


def understood(seen: list[Json]) -> Json:
    """What an application makes of it."""
    calls = [
        each["event"]["item"]["arguments"]
        for each in seen
        if each["type"] == "response.event"
        and each["event"]["type"] == "response.output_item.done"
        and each["event"]["item"]["type"] == "function_call"
    ]

    def words(side: str) -> str:
        type_ = f"session.{side}_transcript.delta"
        return "".join(each["delta"] for each in seen if each["type"] == type_)

    said, heard = words("output"), words("input")
    return {"calls": calls, "said": said, "heard": heard, "reason": seen[-1].get("reason")}
