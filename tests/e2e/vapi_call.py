"""A whole call at a simulated Vapi: the team's server, the caller, and what is asked afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiohttp import web

from recorder.audio import pcm
from recorder.client import Conversation
from recorder.clock import SystemClock
from recorder.heads import RequestHead
from recorder.trial.speaker import Speaker
from recorder.trial.steps import AwaitReply, Close, Interrupt, Speak, Step
from recorder.trial.vapi_wording import VapiWording
from replay.simulators.common.voice import synthesise

Json = dict[str, Any]
KEY = "3f0c8d0e-5a1b-4c2d-9e3f-0123456789ab"
GREETING = "Hello."
TRANSCRIPTS = ("The weather in Oslo?", "Stop, thank you.")
REPLIES = ("It rains, so take an umbrella with you today.", "Bye.")
FOUND = "rain, 7 degrees"
TOOL: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    "messages": [],
}


@dataclass
class Team:
    """A real web server: keeps the webhooks as they came and answers tool calls with `found`."""

    found: str = FOUND
    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        message = json.loads(body)["message"]
        answer: Json = {}
        if message["type"] == "tool-calls":
            results = [
                {"toolCallId": one["id"], "result": self.found} for one in message["toolCallList"]
            ]
            answer = {"results": results}
        self.got.append(({name.lower(): text for name, text in request.headers.items()}, body))
        self.answers.append(json.dumps(answer).encode())
        return web.Response(body=self.answers[-1], content_type="application/json")

    @property
    def messages(self) -> list[Json]:
        return [json.loads(body)["message"] for _, body in self.got]

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]


@asynccontextmanager
async def team(found: str = FOUND) -> AsyncIterator[Team]:
    made = Team(found)
    runner = web.ServerRunner(web.Server(made.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        yield made
    finally:
        await runner.cleanup()


@dataclass
class Call:
    """What the client saw of a call."""

    created: Json
    speaker: Speaker
    after: list[Json]

    @property
    def id(self) -> str:
        return str(self.created["id"])


def _said(text: str) -> bytes:
    return pcm.to_bytes(synthesise(text))


def steps() -> list[Step]:
    """Greeting, a turn that needs the tool and is cut short, another turn, hang-up."""
    return [
        AwaitReply(),
        Speak(_said("the weather in Oslo")),
        Interrupt(700, _said("stop thank you")),
        AwaitReply(),
        Close(),
    ]


def turns() -> list[Speak | Interrupt]:
    """The steps in which the caller speaks."""
    return [step for step in steps() if isinstance(step, Speak | Interrupt)]


async def hold(base: str, server: str | None) -> Call:
    """Call, talk, hang up, then ask for the call until its costs have settled. `base` is what
    stands for https://api.vapi.ai, `server` where the assistant's webhooks go."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=20, trust_env=False) as http:
        assistant: Json = {
            "firstMessage": GREETING,
            "model": {"provider": "openai", "model": "gpt-4.1", "tools": [TOOL]},
        }
        if server is not None:
            assistant["server"] = {"url": server}
        transport = {"provider": "vapi.websocket"}
        body = {"assistant": assistant, "transport": transport}
        made = await http.post(f"{base}/call", json=body)
        assert made.status_code == 201, made.text
        created = made.json()
        speaker = await _talk(created["transport"]["websocketCallUrl"])
        after: list[Json] = []
        while not after or not _settled(after[-1]):
            answer = await http.get(f"{base}/call/{created['id']}")
            assert answer.status_code == 200, answer.text
            after.append(answer.json())
            await asyncio.sleep(0.5)
    return Call(created, speaker, after)


def _settled(call: Json) -> bool:
    """Whether the costs of the analysis are there, which come last."""
    return any(item["type"] == "analysis" for item in call.get("costs", ()))


async def _talk(url: str) -> Speaker:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    speaker = Speaker(RequestHead("GET", slash + path), steps(), VapiWording())
    await Conversation(speaker, f"http{scheme[2:]}://{host}", SystemClock()).run(60)
    assert speaker.failed is None, speaker.failed
    return speaker
