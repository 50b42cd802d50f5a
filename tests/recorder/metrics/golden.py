"""A session of each provider, every moment given: two turns, an interruption, a tool, a bill."""

from __future__ import annotations

import json
from typing import Any

from tapes import Take, tone
from worked import (
    VAPI_RATE,
    appends,
    delta,
    frames,
    hook,
    joined,
    silence,
    text,
)

from recorder.heads import Close, RequestHead, ResponseHead

TRANSCRIBER = "gpt-4o-mini-transcribe"


def _usage(
    texts: tuple[int, int], audios: tuple[int, int], text_out: int, audio_out: int = 0
) -> dict[str, Any]:
    """Tokens of an answer: (all, of them cached) of the input by kind, and the output."""
    cached = {"text_tokens": texts[1], "audio_tokens": audios[1]}
    return {
        "input_tokens": texts[0] + audios[0],
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": texts[0],
            "audio_tokens": audios[0],
            "cached_tokens": texts[1] + audios[1],
            "cached_tokens_details": cached,
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def _created(at_ms: float, name: str) -> Take:
    return text(at_ms, "provider", "response.created", response={"id": name})


def _done(at_ms: float, name: str, usage: dict[str, Any]) -> Take:
    done = {"id": name, "status": "completed", "usage": usage}
    return text(at_ms, "provider", "response.done", response=done)


def _heard(at_ms: float, edge: str, item: str) -> Take:
    return text(at_ms, "provider", f"input_audio_buffer.{edge}", item_id=item)


def openai_session() -> list[Take]:
    """The user speaks from 1000 to 2000, and over the answer from 3800 to 4400."""
    microphone = silence(1000) + tone(1000) + silence(1800) + tone(600) + silence(1600)
    model = {"model": "gpt-realtime", "audio": {"input": {"transcription": {"model": TRANSCRIBER}}}}
    words = {
        "transcript": "Tell me of the weather.",
        "usage": {
            "type": "tokens",
            "input_tokens": 12,
            "output_tokens": 6,
            "input_token_details": {"text_tokens": 2, "audio_tokens": 10},
        },
    }
    call = {"call_id": "call_1", "name": "look", "arguments": '{"city":"Oslo"}'}
    result = {"type": "function_call_output", "call_id": "call_1", "output": '"rain"'}
    takes = [
        Take(0, 1, "client", "ws.open", "", RequestHead("GET", "/v1/realtime").encode()),
        Take(20, 1, "provider", "ws.open", "101", ResponseHead(101).encode()),
        text(50, "provider", "session.created", session=model),
        *appends(0, microphone),
        _heard(1200, "speech_started", "item_u"),
        _heard(2500, "speech_stopped", "item_u"),
        _heard(2502, "committed", "item_u"),
        _created(2510, "resp_1"),
        text(
            2700,
            "provider",
            "response.output_audio_transcript.delta",
            response_id="resp_1",
            item_id="item_a",
            delta="The weather",
        ),
        delta(2740, silence(60) + tone(940)),
        delta(2800, tone(1000)),
        text(
            2900,
            "provider",
            "conversation.item.input_audio_transcription.completed",
            item_id="item_u",
            content_index=0,
            **words,
        ),
        _done(3000, "resp_1", _usage((50, 0), (100, 0), 20, 40)),
        _heard(4000, "speech_started", "item_v"),
        text(4010, "client", "conversation.item.truncate", item_id="item_a", audio_end_ms=1250),
        _heard(4900, "speech_stopped", "item_v"),
        _heard(4902, "committed", "item_v"),
        _created(4910, "resp_2"),
        text(
            5100,
            "provider",
            "response.function_call_arguments.done",
            response_id="resp_2",
            item_id="item_c",
            **call,
        ),
        _done(5110, "resp_2", _usage((80, 64), (220, 128), 15)),
        text(5400, "client", "conversation.item.create", item=result),
        text(5401, "client", "response.create"),
        _created(5410, "resp_3"),
        delta(5700, tone(500), "resp_3", "item_b"),
        _done(5800, "resp_3", _usage((120, 64), (260, 192), 10, 10)),
        Take(6300, 1, "client", "ws.close", "1000", Close(1000).encode()),
    ]
    return sorted(takes, key=lambda take: take.at_ms)


def _bill() -> list[dict[str, Any]]:
    model = {"provider": "openai", "model": "gpt-4.1"}
    voice = {"provider": "11labs", "voiceId": "v", "model": "eleven_turbo_v2_5"}
    heard = {"provider": "deepgram", "model": "nova-3"}
    tokens = {"promptTokens": 800, "cachedPromptTokens": 300, "completionTokens": 40}
    return [
        {"type": "transcriber", "transcriber": heard, "minutes": 0.2, "cost": 0.002},
        {"type": "model", "model": model, "cost": 0.0021, **tokens},
        {"type": "voice", "voice": voice, "characters": 45, "cost": 0.00225},
        {"type": "vapi", "subType": "normal", "minutes": 0.2, "cost": 0.01},
    ]


def answered(at_ms: float, channel: int, results: list[dict[str, str]]) -> list[Take]:
    """The application's answer to a webhook."""
    body = json.dumps({"results": results}).encode()
    return [
        Take(at_ms, channel, "client", "webhook.response", "200", ResponseHead(200).encode()),
        Take(at_ms, channel, "client", "http.chunk", "tool-calls", body),
        Take(at_ms, channel, "client", "http.chunk", "tool-calls", b""),
    ]


def vapi_session(wall_ms: float) -> list[Take]:
    """The user speaks from 1000 to 2000, and over the answer (2900 to 4800) from 4600 to 5200; the
    agent sounds again from 6100 to 6800."""
    call: dict[str, Any] = {"id": "call_1", "type": "function"}
    call["function"] = {"name": "look", "arguments": {"city": "Oslo"}}
    speeches = (
        (1250, "user", "started", 1150),
        (2400, "user", "stopped", 2350),
        (2880, "assistant", "started", 2850),
        (4750, "user", "started", 4700),
        (4800, "assistant", "stopped", 4790),
        (5600, "user", "stopped", 5550),
        (6080, "assistant", "started", 6060),
        (6820, "assistant", "stopped", 6810),
    )
    takes = [*joined(), *frames("client", _lane((1000, 2000), (4600, 5200)))]
    takes += frames("provider", _lane((2900, 4800), (6100, 6800)))
    takes.append(text(15, "provider", "status-update", status="in-progress"))
    for channel, (at, role, status, stamp) in enumerate(speeches, 2):
        facts = {"role": role, "status": status, "timestamp": wall_ms + stamp}
        takes += hook(at, channel, "speech-update", **facts)
    for at, words in ((2450, "Book a table."), (5650, "No, in Oslo.")):
        final = {"role": "user", "transcriptType": "final", "transcript": words}
        takes.append(text(at, "provider", "transcript", **final))
    takes.append(text(4770, "provider", "user-interrupted", turnId="t1"))
    takes += hook(5700, 20, "tool-calls", toolCallList=[call])
    takes += answered(5950, 20, [{"toolCallId": "call_1", "result": "rain"}])
    report = {"endedReason": "customer-ended-call", "costs": _bill(), "cost": 0.01635}
    takes += hook(7000, 21, "end-of-call-report", **report)
    return sorted(takes, key=lambda take: take.at_ms)


def _lane(*marks: tuple[int, int]) -> bytes:
    """Seven seconds of silence, with a tone in each (start, end)."""
    lane, at = b"", 0
    for start, end in marks:
        lane += silence(start - at, VAPI_RATE) + tone(end - start, rate=VAPI_RATE)
        at = end
    return lane + silence(7000 - at, VAPI_RATE)
