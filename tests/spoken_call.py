"""A spoken call of any length as takes: what a caller who books a table and an agent say to each
other, with tools, interruptions and an error. The sound is that of `fixtures/audio`."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pybase64 import b64encode_as_string
from tapes import RATE, Script, Take, session_object

from recorder.audio.files import read_audio

AUDIO = Path(__file__).parents[1] / "fixtures" / "audio"
HOSTILE = "Book it for <script>alert(1)</script></script><!-- & \u2028 two."
CALLER = ("caller-book", "caller-correct", "caller-weather", "caller-thanks")
AGENT = ("agent-confirm", "agent-weather", "agent-greeting")
_PIECE_MS = 20
_TAIL_MS = 6_000


class Clip(NamedTuple):
    """What is said, and where in it there is sound."""

    pcm: NDArray[np.int16]
    text: str
    on_ms: float
    off_ms: float

    @property
    def ms(self) -> float:
        return self.pcm.size * 1000 / RATE


@cache
def clip(name: str) -> Clip:
    (about,) = [
        each
        for each in json.loads((AUDIO / "index.json").read_text())["clips"]
        if each["file"] == f"{name}.flac"
    ]
    samples, _ = read_audio(AUDIO / about["file"])
    return Clip(samples, about["text"], about["lead_ms"], about["ms"] - about["tail_ms"])


def spoken_call(seconds: float, seed: int = 1) -> list[Take]:
    """A call of about `seconds`, on one clock; every fourth turn calls a tool, every fifth answer
    is interrupted, and the words of the second turn are markup."""
    return _Call(seconds * 1000, random.Random(seed)).takes()


class _Call:
    def __init__(self, end_ms: float, chance: random.Random) -> None:
        self._end_ms, self._chance = end_ms, chance
        self._script = Script()
        self._microphone = np.zeros(int(end_ms * RATE / 1000), np.int16)
        self._turn = 0
        self._context = 300

    def takes(self) -> list[Take]:
        script = self._script.open()
        script.wait(5)
        heard = session_object()
        heard["audio"]["input"]["transcription"] = {"model": "gpt-4o-mini-transcribe"}
        script.provider("session.created", session=heard)
        script.wait(5).client("session.update", session={"type": "realtime"})
        script.wait(30).provider("session.updated", session=heard)
        at = 800.0
        while at + _TAIL_MS < self._end_ms:
            at = self._one_turn(at)
        self._speak()
        self._at(self._end_ms).close()
        self._at(self._end_ms + 2).close(sender="provider")
        return sorted(script.takes, key=lambda take: take.at_ms)

    def _at(self, ms: float) -> Script:
        self._script.at_ms = ms
        return self._script

    def _speak(self) -> None:
        """The microphone is open all the time."""
        step = RATE * _PIECE_MS // 1000
        for place in range(0, self._microphone.size, step):
            pcm = self._microphone[place : place + step].astype("<i2").tobytes()
            script = self._at(60 + (place // step + 1) * _PIECE_MS)
            script.client("input_audio_buffer.append", audio=b64encode_as_string(pcm))

    def _say(self, said: Clip, at: float) -> float:
        """Into the microphone from `at` on; when it ends."""
        start = int((at - 60 - _PIECE_MS) * RATE / 1000)
        room = self._microphone[start : start + said.pcm.size]
        room += said.pcm[: room.size]
        return at + said.off_ms

    def _one_turn(self, at: float) -> float:
        self._turn += 1
        said = clip(CALLER[self._turn % len(CALLER)])
        text = HOSTILE if self._turn == 2 else said.text
        off = self._say(said, at)
        item = f"item_user_{self._turn}"
        self._at(at + said.on_ms + 190).provider(
            "input_audio_buffer.speech_started", audio_start_ms=int(at), item_id=item
        )
        stopped = off + 500 + self._chance.uniform(20, 90)
        self._at(stopped).provider(
            "input_audio_buffer.speech_stopped", audio_end_ms=int(off), item_id=item
        )
        self._at(stopped + 2).provider("input_audio_buffer.committed", item_id=item)
        self._at(stopped + self._chance.uniform(150, 500)).provider(
            "conversation.item.input_audio_transcription.completed",
            item_id=item,
            transcript=text,
            usage=_heard_usage(said),
        )
        if self._turn == 3:
            error = {"type": "server_error", "code": "session_stalled", "message": "Try again."}
            self._at(stopped + 40).provider("error", error=error)
        begun = stopped + 10
        if self._turn % 4 == 0:
            begun = self._tool(begun)
        return self._answer(begun)

    def _tool(self, at: float) -> float:
        response = {"id": f"resp_tool_{self._turn}", "output": []}
        call = {
            "id": f"item_call_{self._turn}",
            "type": "function_call",
            "call_id": f"call_{self._turn}",
            "name": "find_table",
            "arguments": '{"party":2}',
        }
        self._at(at).provider("response.created", response=response)
        done = at + self._chance.uniform(250, 450)
        self._at(done).provider(
            "response.function_call_arguments.done",
            item_id=call["id"],
            call_id=call["call_id"],
            name=call["name"],
            arguments=call["arguments"],
            response_id=response["id"],
        )
        ended = {**response, "status": "completed", "output": [call], "usage": self._usage(0, 18)}
        self._at(done + 5).provider("response.done", response=ended)
        answered = done + self._chance.uniform(300, 900)
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": '"free"'}
        self._at(answered).client("conversation.item.create", item=output)
        self._at(answered + 1).client("response.create")
        return answered + 20

    def _answer(self, at: float) -> float:
        said = clip(AGENT[self._turn % len(AGENT)])
        response, item = f"resp_{self._turn}", f"item_agent_{self._turn}"
        self._at(at).provider("response.created", response={"id": response, "output": []})
        first = at + 220 + self._chance.lognormvariate(4.8, 0.7)
        names = {"response_id": response, "item_id": item}
        self._at(first - 30).provider(
            "response.output_audio_transcript.delta", **names, delta=said.text
        )
        step = RATE // 5
        for place in range(0, said.pcm.size, step):
            data = b64encode_as_string(said.pcm[place : place + step].astype("<i2").tobytes())
            self._at(first + place // step * 90).provider(
                "response.output_audio.delta", **names, content_index=0, delta=data
            )
        last = first + said.pcm.size // step * 90 + 20
        if self._turn % 5 == 0 and first + 700 + _TAIL_MS < self._end_ms:
            return self._barge_in(first, last, said, item)
        self._at(last).provider(
            "response.output_audio_transcript.done", **names, transcript=said.text
        )
        self._done(last + 5, "completed", said)
        return first + said.ms + self._chance.uniform(500, 900)

    def _barge_in(self, first: float, last: float, said: Clip, item: str) -> float:
        """The answer is cut off where the provider hears the next turn's speech."""
        at = first + 700
        heard = int(at + 395 - first)
        self._at(at + 395).client(
            "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=heard
        )
        self._done(max(last, at + 400), "cancelled", said)
        return at

    def _done(self, at: float, status: str, said: Clip) -> None:
        response = {"id": f"resp_{self._turn}", "status": status, "output": []}
        usage = self._usage(int(said.ms / 100), int(said.ms / 50))
        self._at(at).provider("response.done", response={**response, "usage": usage})

    def _usage(self, audio_in: int, out: int) -> dict[str, Any]:
        """The context grows, and most of it is cached."""
        before = self._context
        self._context += audio_in + out
        cached = before * 3 // 4
        return {
            "total_tokens": before + audio_in + out,
            "input_tokens": before + audio_in,
            "output_tokens": out,
            "input_token_details": {
                "text_tokens": 300,
                "audio_tokens": before - 300 + audio_in,
                "cached_tokens": cached,
                "cached_tokens_details": {
                    "text_tokens": min(300, cached),
                    "audio_tokens": max(0, cached - 300),
                },
            },
            "output_token_details": {"text_tokens": out // 4, "audio_tokens": out - out // 4},
        }


def _heard_usage(said: Clip) -> dict[str, Any]:
    tokens = int(said.ms / 100)
    details = {"text_tokens": 0, "audio_tokens": tokens}
    return {
        "type": "tokens",
        "input_tokens": tokens,
        "output_tokens": 12,
        "total_tokens": tokens + 12,
        "input_token_details": details,
    }
