"""A small library of tapes whose moments are all given, so that every answer about it is known.

names = fill(store)     # {"spoken": id, "typed": id, "call": id, "again": id, "left": id}
"""

from __future__ import annotations

import json
from typing import Any

from tapes import WALL_NS, Script, Take, conversation, record, session_object, tone, usage

from recorder.heads import RequestHead, ResponseHead
from recorder.store.base import Store

CALL = "01a21102-2861-7437-af6b-e9b3c57ca391"
_DAY = 86_400_000_000_000
_RATE = 16_000
_FRAME = _RATE // 50 * 2  # 20 ms
_SLOW_MS = 1_500


def fill(store: Store) -> dict[str, str]:
    """Record the library; the ids by name."""
    spoken = record(
        store,
        conversation(interrupted=True),
        trial="spring",
        model="gpt-realtime",
        external_id="sess_spoken",
    )
    typed = record(
        store,
        trouble(),
        trial="spring",
        wall_ns=WALL_NS + _DAY,
        model="gpt-tomorrow",
        external_id="sess_typed",
    )
    call = record(
        store,
        vapi_call(),
        trial="calls",
        wall_ns=WALL_NS + 2 * _DAY,
        provider="vapi",
        external_id=CALL,
    )
    again = record(
        store,
        conversation(),
        trial="spring",
        wall_ns=WALL_NS + 3 * _DAY,
        model="gpt-realtime",
        parent=spoken,
        origin="replay",
    )
    left = record(store, conversation()[:40], wall_ns=WALL_NS + 4 * _DAY, status=None)
    return {"spoken": spoken, "typed": typed, "call": call, "again": again, "left": left}


def trouble() -> list[Take]:
    """A typed question to a model without a price: an answer with two calls, of which one gets
    no result, an answer that fails, an error, a kind of message that nobody knows, and a close in
    disorder."""
    script = Script().open(query="model=gpt-tomorrow")
    script.wait(5).provider("session.created", session=session_object(model="gpt-tomorrow"))
    script.wait(10).provider("session.sparkled", brightness=3)
    text = [{"type": "input_text", "text": "Book a table, please."}]
    item = {"type": "message", "role": "user", "content": text}
    script.wait(100).client("conversation.item.create", item=item)
    script.client("response.create")
    script.wait(150).provider("response.created", response={"id": "resp_t", "output": []})
    call = {"id": "item_t", "type": "function_call", "name": "book", "call_id": "call_t"}
    script.wait(50).provider("response.output_item.added", item={**call, "arguments": ""})
    script.provider(
        "response.function_call_arguments.done",
        item_id="item_t",
        call_id="call_t",
        name="book",
        arguments='{"seats":2}',
    )
    done = {"id": "resp_t", "status": "completed", "status_details": None}
    output = [{**call, "arguments": '{"seats":2}'}]
    other = {**call, "id": "item_u", "name": "notify", "call_id": "call_u"}
    script.provider(
        "response.function_call_arguments.done",
        item_id="item_u",
        call_id="call_u",
        name="notify",
        arguments="{}",
    )
    output.append({**other, "arguments": "{}"})
    script.provider("response.done", response={**done, "output": output, "usage": usage(0, 0)})
    result = {"type": "function_call_output", "call_id": "call_t", "output": '{"error":"full"}'}
    script.wait(700).client("conversation.item.create", item=result)
    script.client("response.create")
    script.wait(120).provider("response.created", response={"id": "resp_u", "output": []})
    details = {"type": "failed", "error": {"type": "server_error", "code": "server_error"}}
    failed = {"id": "resp_u", "status": "failed", "status_details": details, "output": []}
    script.wait(30).provider("response.done", response={**failed, "usage": None})
    error = {"type": "invalid_request_error", "code": "unknown_parameter", "message": "No such."}
    script.wait(10).provider("error", error=error)
    return script.wait(20).close(1011, "internal error", sender="provider").takes


def vapi_call() -> list[Take]:
    """A call of six seconds: a greeting, a question that needs a tool, the bill."""
    user = [(1_500, 2_500)]
    agent = [(200, 900), (2_500 + _SLOW_MS, 5_000)]
    takes = [Take(0, 1, "client", "ws.open", "", RequestHead("GET", f"/{CALL}/transport").encode())]
    takes.append(Take(15, 1, "provider", "ws.open", "101", ResponseHead(101).encode()))
    for sender, marks in (("client", user), ("provider", agent)):
        for number, piece in enumerate(_pieces(marks, 5_600)):
            takes.append(Take(20 + number * 20, 1, sender, "ws.binary", "", piece))  # type: ignore[arg-type]
    takes += _told()
    return sorted(takes, key=lambda take: take.at_ms)


def _pieces(marks: list[tuple[int, int]], total_ms: int) -> list[bytes]:
    lane = bytearray(_RATE * total_ms // 1000 * 2)
    for start, end in marks:
        wave = tone(end - start, rate=_RATE)
        at = _RATE * start // 1000 * 2
        lane[at : at + len(wave)] = wave
    return [bytes(lane[at : at + _FRAME]) for at in range(0, len(lane), _FRAME)]


def _told() -> list[Take]:
    call = {"id": "tool-1", "type": "function"}
    call["function"] = {"name": "look_up", "arguments": {"city": "Oslo"}}  # type: ignore[assignment]
    answer = {"results": [{"toolCallId": "tool-1", "result": "rain"}]}
    latencies = [{"transcriberLatency": 180, "modelLatency": 420, "voiceLatency": 280}]
    said = {"transcript": "What is the weather in Oslo?", "transcriptType": "final"}
    return [
        *_hook(18, 2, "status-update", status="in-progress"),
        *_hook(210, 3, "speech-update", role="assistant", status="started"),
        *_words(880, 4, "assistant", "Good day, how can I help?"),
        *_hook(930, 5, "speech-update", role="assistant", status="stopped"),
        *_hook(1_600, 6, "speech-update", role="user", status="started"),
        *_hook(2_900, 7, "speech-update", role="user", status="stopped"),
        *_hook(2_950, 8, "transcript", role="user", **said),
        *_hook(3_100, 9, "tool-calls", {"took": 250, **answer}, toolCallList=[call]),
        *_hook(4_020, 10, "speech-update", role="assistant", status="started"),
        *_words(4_900, 11, "assistant", "It rains in Oslo."),
        *_hook(5_050, 12, "speech-update", role="assistant", status="stopped"),
        *_hook(
            5_700,
            13,
            "end-of-call-report",
            endedReason="customer-ended-call",
            artifact={"performanceMetrics": {"turnLatencies": latencies}},
            costs=_bill(),
            cost=0.0158,
        ),
    ]


def _bill() -> list[dict[str, Any]]:
    model = {"provider": "anthropic", "model": "claude-sonnet-4-5-20250929"}
    voice = {"provider": "11labs", "voiceId": "v", "model": "eleven_turbo_v2_5"}
    return [
        {"type": "transcriber", "transcriber": {"provider": "deepgram", "model": "nova-3"}}
        | {"minutes": 0.1, "cost": 0.0011},
        {"type": "model", "model": model, "promptTokens": 1000, "completionTokens": 50}
        | {"cost": 0.00695},
        {"type": "voice", "voice": voice, "characters": 45, "cost": 0.00275},
        {"type": "vapi", "subType": "normal", "minutes": 0.1, "cost": 0.005},
    ]


def _words(at_ms: float, channel: int, role: str, text: str) -> list[Take]:
    return _hook(at_ms, channel, "transcript", role=role, transcript=text, transcriptType="final")


def _hook(at_ms: float, channel: int, type_: str, answer: Any = None, **fields: Any) -> list[Take]:
    """A delivery of Vapi and, after 5 ms or what the answer `took`, the application's answer."""
    reply = dict(answer or {})
    later = at_ms + reply.pop("took", 5)
    stamped = {"timestamp": WALL_NS / 1e6 + 2 * _DAY / 1e6 + at_ms - 40, **fields}
    body = json.dumps({"message": {"type": type_, "call": {"id": CALL}, **stamped}}).encode()
    head = RequestHead("POST", "/webhooks/vapi").encode()
    return [
        Take(at_ms, channel, "provider", "webhook.request", type_, head),
        Take(at_ms, channel, "provider", "http.chunk", type_, body),
        Take(at_ms, channel, "provider", "http.chunk", type_, b""),
        Take(later, channel, "client", "webhook.response", "200", ResponseHead(200).encode()),
        Take(later, channel, "client", "http.chunk", type_, json.dumps(reply).encode()),
        Take(later, channel, "client", "http.chunk", type_, b""),
    ]
