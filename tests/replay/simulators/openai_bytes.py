"""A fixed conversation with the simulator, as a digest of its bytes; run in other processes too."""

from __future__ import annotations

import hashlib
import json

from recorder.events import Message
from recorder.heads import RequestHead
from replay.simulators.openai import OpenAISimulator

TOOL = {"strict": True, "parameters": {"type": "object"}, "name": "tell_time", "type": "function"}


def digest() -> str:
    """SHA-256 over all that a typed turn and a function call bring."""
    sim = OpenAISimulator(7, 1_790_000_000_000_000_000)
    head = RequestHead("GET", "/v1/realtime", "", (("api-key", "k"),))
    sim.receive(Message(1, "ws.open", head.encode()), 0)
    content = [{"type": "input_text", "text": "Hello, what time is it in London?"}]
    item = {"type": "message", "role": "user", "content": content}
    seen = hashlib.sha256()
    now = 0
    for tools in ([], [TOOL]):
        for event in (
            {"type": "session.update", "session": {"type": "realtime", "tools": tools}},
            {"type": "conversation.item.create", "item": item},
            {"type": "response.create"},
        ):
            sim.receive(Message(1, "ws.text", json.dumps(event).encode()), now)
        for _ in range(100):
            now += 100_000_000
            for message in sim.due(now):
                seen.update(message.body)
    return seen.hexdigest()


if __name__ == "__main__":
    print(digest())
