"""A client of Vapi on virtual time: makes a call, talks on its socket, asks for it afterwards; the
application's server is here, too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from recorder.audio import pcm
from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from recorder.trial.speaker import Speaker
from recorder.trial.steps import AwaitReply, Close, Interrupt, Speak, Step
from recorder.trial.vapi_wording import VapiWording
from replay.simulators.common.voice import synthesise

Json = dict[str, Any]
HEADERS = (("Host", "simulator"), ("Authorization", "Bearer a-key-that-is-made-up"))
TOOL: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    "messages": [],
}
ASSISTANT: Json = {
    "firstMessage": "Hello.",
    "model": {"provider": "openai", "model": "gpt-4.1", "tools": [TOOL]},
    "server": {"url": "http://team.example/hooks"},
}


def said(text: str) -> bytes:
    """Speech."""
    return pcm.to_bytes(synthesise(text))


STEPS: Sequence[Step] = (
    AwaitReply(),
    Speak(said("the weather in Oslo")),
    AwaitReply(),
    Speak(said("thank you and tell me something long")),
    Interrupt(700, said("stop thank you")),
    AwaitReply(),
    Close(),
)


class Client:
    """Finished when the call has been asked for."""

    def __init__(self, steps: Sequence[Step] = STEPS, assistant: Json = ASSISTANT) -> None:
        self.finished = False
        self.hooks: list[str] = []
        body = {"assistant": assistant, "transport": {"provider": "vapi.websocket"}}
        self._steps = steps
        self._outbox = [_request(1, "POST", "/call", body)]
        self._id = ""
        self.speaker: Speaker | None = None
        self._asked = False

    def receive(self, message: Message, now: int) -> None:
        if message.kind == "webhook.request":
            self._hooked(message)
        elif message.channel == 1:
            self._id = json.loads(message.payload)["id"]
            head = RequestHead("GET", f"/{self._id}/transport")
            self.speaker = Speaker(head, self._steps, VapiWording(), channel=2)
        elif message.channel == 3:
            self.finished = True
        elif self.speaker is not None:
            self.speaker.receive(message, now)

    def _hooked(self, message: Message) -> None:
        told = json.loads(message.payload)["message"]
        self.hooks.append(told["type"])
        answer: Json = {}
        if told["type"] == "tool-calls":
            answer["results"] = [
                {"toolCallId": one["id"], "result": "rain"} for one in told["toolCallList"]
            ]
        head = ResponseHead(200, "OK", (("content-type", "application/json"),))
        body = json.dumps(answer).encode()
        self._outbox.append(Message(message.channel, "webhook.response", head.encode(), body))

    def due(self, now: int) -> list[Message]:
        sent, self._outbox = self._outbox, []
        if self.speaker is not None:
            sent += self.speaker.due(now)
            if self.speaker.finished and not self._asked:
                self._asked = True
                sent.append(_request(3, "GET", f"/call/{self._id}", None))
        return sent

    def next_deadline(self) -> int | None:
        if self._outbox:
            return 0
        return self.speaker.next_deadline() if self.speaker else None


def _request(channel: int, method: str, path: str, body: Json | None) -> Message:
    head = RequestHead(method, path, "", (*HEADERS, ("content-type", "application/json")))
    payload = b"" if body is None else json.dumps(body).encode()
    return Message(channel, "http.request", head.encode(), payload)
