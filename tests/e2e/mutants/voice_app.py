"""A small voice application, as any team might have written it; knows nothing of this project.

    python voice_app.py BASE QUESTION.wav STOP.wav [--mutant NAME] [--tick S]

It asks for a key, connects, sets up the session, asks a spoken question, answers the function call,
plays the reply, speaks over it, stops what it plays, listens to the next reply and hangs up. Its
clock is that of an audio device: each tick takes 20 ms up from the microphone and plays 20 ms. With
`--mutant` it has one of the faults of `MUTANTS`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
import wave
from typing import Any

import httpx
import websockets

MUTANTS = (
    "skips-result",
    "doubles-result",
    "wrong-call",
    "wrong-item",
    "ignores-interruption",
    "changes-instructions",
    "drops-chunk",
    "reconnects",
    "hangs",
)
TICK = 960  # bytes of 20 ms: mono PCM16 at 24 kHz
TICK_MS = 20
LONGEST = 6_000  # ticks
TALKS_OVER_MS = 900
SESSION = {
    "type": "realtime",
    "instructions": "You tell the weather. Be brief.",
    "output_modalities": ["audio"],
    "tools": [
        {
            "type": "function",
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
    ],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "turn_detection": {
                "type": "server_vad",
                "silence_duration_ms": 600,
                "interrupt_response": False,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}},
    },
}


def read_wav(path: str) -> list[bytes]:
    """A recording in ticks."""
    with wave.open(path) as file:
        pcm = file.readframes(file.getnframes())
    return [pcm[at : at + TICK] for at in range(0, len(pcm), TICK)]


class Loudspeaker:
    """What has come of the reply that is being played, and how much of it was heard (bytes)."""

    def __init__(self) -> None:
        self.item = ""
        self.got = self.heard = 0

    def add(self, item: str, size: int) -> None:
        if item != self.item:
            self.item, self.got, self.heard = item, 0, 0
        self.got += size

    def play(self) -> None:
        self.heard = min(self.got, self.heard + TICK)

    @property
    def heard_ms(self) -> int:
        return self.heard * TICK_MS // TICK

    @property
    def is_empty(self) -> bool:
        return self.heard == self.got


class App:
    def __init__(
        self, question: list[bytes], stop: list[bytes], mutant: str, tick_s: float
    ) -> None:
        self.mutant, self.tick_s = mutant, tick_s
        self.microphone = list(question)
        self.stop = stop
        if mutant == "drops-chunk":
            loud = max(at for at, chunk in enumerate(question) if chunk.strip(b"\0"))
            del self.microphone[loud]
        self.loudspeaker = Loudspeaker()
        self.is_set_up = asyncio.Event()
        self.calls: list[dict[str, Any]] = []
        self.items: list[str] = []
        self.is_answering = False
        self.replies = 0  # in words, to their end
        self.interruptions = 0

    async def run(self, base: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            made = await http.post(
                f"{base}/v1/realtime/client_secrets",
                headers={"Authorization": "Bearer sk-voice-app"},
                json={"session": {"type": "realtime", "model": "gpt-realtime"}},
            )
        key = made.raise_for_status().json()["value"]
        url = f"ws{base.removeprefix('http')}/v1/realtime?model=gpt-realtime"
        headers = {"Authorization": f"Bearer {key}"}
        while True:
            async with websockets.connect(url, additional_headers=headers) as self.socket:
                if await self.converse():
                    return

    async def converse(self) -> bool:
        """One connection; False if there is to be another."""
        reading = asyncio.create_task(self.read())
        talking = asyncio.create_task(self.talk())
        await asyncio.wait({reading, talking}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        talking.cancel()
        if reading.done() and not reading.cancelled():
            reading.result()  # what it raised
        return await talking

    async def send(self, type_: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type_, **fields}))

    # The audio device

    async def talk(self) -> bool:
        await self.is_set_up.wait()
        if self.mutant == "hangs":
            await asyncio.sleep(60)
        for _ in range(LONGEST):
            chunk = self.microphone.pop(0) if self.microphone else bytes(TICK)
            await self.send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())
            self.loudspeaker.play()
            if self.stop and self.loudspeaker.heard_ms >= TALKS_OVER_MS:
                self.microphone, self.stop = self.stop, []
            if self.mutant == "reconnects" and self.loudspeaker.heard_ms >= TALKS_OVER_MS // 2:
                self.mutant, self.is_set_up = "", asyncio.Event()
                return False
            if self.replies and self.loudspeaker.is_empty and not self.microphone:
                return True
            await asyncio.sleep(self.tick_s)
        raise SystemExit("the conversation did not end")

    # The conversation

    async def read(self) -> None:
        async for text in self.socket:
            event = json.loads(text)
            handler = getattr(self, "on_" + event["type"].replace(".", "_"), None)
            if handler:
                await handler(event)

    async def on_error(self, event: dict[str, Any]) -> None:
        raise SystemExit(f"error: {event['error']['message']}")

    async def on_session_created(self, _: dict[str, Any]) -> None:
        session = dict(SESSION)
        if self.mutant == "changes-instructions":
            session["instructions"] = "You tell the weather. Be funny."
        await self.send("session.update", session=session)

    async def on_session_updated(self, _: dict[str, Any]) -> None:
        self.is_set_up.set()

    async def on_response_created(self, _: dict[str, Any]) -> None:
        self.is_answering = True

    async def on_response_output_item_added(self, event: dict[str, Any]) -> None:
        self.items.append(event["item"]["id"])

    async def on_response_output_audio_delta(self, event: dict[str, Any]) -> None:
        self.loudspeaker.add(event["item_id"], len(base64.b64decode(event["delta"])))

    async def on_response_function_call_arguments_done(self, event: dict[str, Any]) -> None:
        self.calls.append(event)

    async def on_input_audio_buffer_speech_started(self, _: dict[str, Any]) -> None:
        is_heard = self.is_answering or not self.loudspeaker.is_empty
        if not self.loudspeaker.item or not is_heard or self.mutant == "ignores-interruption":
            return
        item = self.items[0] if self.mutant == "wrong-item" else self.loudspeaker.item
        heard_ms = self.loudspeaker.heard_ms
        await self.send(
            "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=heard_ms
        )
        if self.is_answering:
            await self.send("response.cancel")
        self.loudspeaker = Loudspeaker()
        self.interruptions += 1

    async def on_response_done(self, event: dict[str, Any]) -> None:
        self.is_answering = False
        if self.calls:
            await self.answer_calls()
        elif event["response"]["status"] == "completed":
            self.replies += 1

    async def answer_calls(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            name = "call_of_another" if self.mutant == "wrong-call" else call["call_id"]
            item = {"type": "function_call_output", "call_id": name, "output": '{"celsius":18}'}
            times = {"skips-result": 0, "doubles-result": 2}.get(self.mutant, 1)
            for _ in range(times):
                await self.send("conversation.item.create", item=item)
        await self.send("response.create")


def main() -> None:
    parser = argparse.ArgumentParser(description="A small voice application.")
    parser.add_argument("base", help="what stands for https://api.openai.com")
    parser.add_argument("question")
    parser.add_argument("stop")
    parser.add_argument("--mutant", default="", choices=("", *MUTANTS))
    parser.add_argument("--tick", type=float, default=TICK_MS / 1000)
    asked = parser.parse_args()
    app = App(read_wav(asked.question), read_wav(asked.stop), asked.mutant, asked.tick)
    try:
        asyncio.run(app.run(asked.base))
    except (websockets.ConnectionClosed, httpx.HTTPError, OSError) as error:
        sys.exit(f"lost: {error}")
    print(f"done: {app.replies} replies, {app.interruptions} interruptions")


if __name__ == "__main__":
    main()
