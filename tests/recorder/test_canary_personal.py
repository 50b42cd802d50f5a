"""Telephone numbers and words, planted where they cross: without `--redact-pii` they are on the
tape, with it they are found nowhere.

Each goes through a real proxy, in the traffic of Vapi (REST, webhooks and the answers to them, the
socket) or of OpenAI Realtime; whoever is on the other side gets it as it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from canaries import core
from websockets.asyncio.client import connect

from recorder.events import Event
from recorder.recording import Recording
from recorder.redact.secrets import PIECE
from tests.recorder.capture.proxy.vapi.conftest import House, open_house
from tests.recorder.capture.proxy.vapi.test_vapi_webhooks import deliver

CALL = "01990000-0000-7000-8000-00000000c0de"
Json = dict[str, Any]
_PIECE = 8  # no piece of a canary that is longer than this may be found
_planted: list[str] = []


def words(name: str) -> str:
    """What is said at one place, and nowhere else."""
    _planted.append(core(name))
    return f"so {_planted[-1]}, please"


def number(name: str) -> str:
    """A telephone number of one place."""
    digits = int(sha256(name.encode()).hexdigest(), 16) % 10**9
    _planted.append(f"1{digits:09}")
    return f"+{_planted[-1]}"


def call() -> Json:
    """A call as REST and webhooks tell it."""
    return {
        "id": CALL,
        "type": "inboundPhoneCall",
        "customer": {"number": number("customer"), "name": words("customer name")},
        "phoneNumber": {"number": number("own").removeprefix("+"), "id": "d2c1d1a5"},
        "assistantOverrides": {"variableValues": {"place": words("variable")}},
        "assistant": {"name": "Desk", "firstMessage": words("first message")},
    }


def report() -> Json:
    """The message of an end-of-call-report."""
    said = [
        {"role": "system", "message": words("prompt"), "time": 1},
        {
            "role": "user",
            "message": words("user"),
            "originalMessage": words("original"),
            "detectedThreats": [words("threat"), {"text": words("threat text")}],
        },
        {"role": "tool_calls", "toolCalls": [tool("t")], "message": ""},
    ]
    formatted = [{"role": "user", "content": words("formatted")}]
    return {
        "type": "end-of-call-report",
        "call": call(),
        "endedReason": "customer-ended-call",
        "analysis": {
            "summary": words("analysis"),
            "structuredData": {"a": [words("data")]},
            "structuredDataMulti": [{"k": {"result": words("multi")}}],
        },
        "endedMessage": words("ended"),
        "artifact": {
            "messages": said,
            "transcript": words("whole"),
            "transfers": [{"message": words("transfer"), "transcript": words("transferred")}],
            "scorecards": {"a": {"metricPoints": {"b": words("scorecard")}}},
            "messagesOpenAIFormatted": formatted,
        },
        "summary": words("summary"),
        "transcript": words("transcript"),
        "cost": 0.1,
    }


def tool(name: str) -> Json:
    """A tool call; what it says stays, but for numbers."""
    arguments = json.dumps({"city": "Berlin", "phone number": number(name)})
    return {"id": f"call_{name}", "function": {"name": "look_up", "arguments": arguments}}


class Traffic(NamedTuple):
    """All that crosses. `exchanges` are paths and bodies of a POST; of several pieces each is sent
    alone."""

    webhooks: list[Json]
    reply: Json
    exchanges: list[tuple[str, list[bytes]]]
    queries: list[str]
    frames: list[Json]
    events: list[Json]


def traffic() -> Traffic:
    """One canary in each place."""
    chat = json.dumps({"assistantId": "a", "input": words("chat")}).encode()
    half = chat.index(b"so ") + 8
    spoken = words("deltas")
    delta = {"event_id": "event_1", "item_id": "item_1", "response_id": "resp_1", "delta": ""}
    dialled = f'{{"to": "{number("split")}"}}'
    logprobs = [
        {"token": text, "bytes": list(text.encode()), "logprob": -1} for text in [words("logprob")]
    ]
    return Traffic(
        [
            {"type": "transcript", "role": "user", "transcript": words("live"), "call": call()},
            {"type": "conversation-update", "conversation": [{"content": words("conversation")}]},
            {"type": "model-output", "output": words("output")},
            {"type": "voice-input", "input": words("voice")},
            {"type": "assistant.speechStarted", "text": words("caption")},
            {"type": "tool-calls", "toolCallList": [tool("called")], "call": call()},
            {"type": "assistant-request", "call": call()},
            report(),
        ],
        {
            "assistant": {"firstMessage": words("answered")},
            "destination": {"number": number("to"), "message": words("transfer")},
        },
        [
            ("/call", [json.dumps({"customers": [call()["customer"]]}).encode()]),
            (f"/{CALL}/control", [json.dumps({"type": "say", "content": words("say")}).encode()]),
            ("/chat", [chat]),
            ("/chat/pieces", [chat[:half], chat[half:]]),
            ("/chat/events", [f"data: {json.dumps({'delta': words('sse')})}\n\n".encode()]),
            ("/sms", [f"text {number('plain')} now".encode()]),
        ],
        [f"number={quote(number('query'))}"],
        [
            {"type": "transcript", "transcriptType": "partial", "transcript": words("partial")},
            {"type": "add-message", "message": {"role": "user", "content": words("added")}},
            {"type": "model-output", "output": words("socket")},
        ],
        [
            {"type": "conversation.item.create", "item": {"content": [{"text": words("typed")}]}},
            *(
                {"type": "response.output_audio_transcript.delta", **delta, "delta": piece}
                for piece in ("", spoken[:6], spoken[6:14], spoken[14:])
            ),
            {"type": "response.output_text.done", "text": words("done")},
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "transcript": words("heard"),
                "logprobs": logprobs,
            },
            *(
                {"type": "response.function_call_arguments.delta", **delta, "delta": piece}
                for piece in (dialled[:11], dialled[11:14], dialled[14:])
            ),
        ],
    )


async def _slowly(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0.05)


async def _talk(url: str, messages: list[Json]) -> list[Json]:
    """What comes back on a socket that says all again."""
    heard = []
    async with connect(url) as socket:
        await socket.recv()
        for message in messages:
            await socket.send(json.dumps(message))
            heard.append(json.loads(await socket.recv()))
    return heard


async def cross(house: House, what: Traffic) -> None:
    """Send it all, and see that it arrives as it was."""
    house.team.reply = json.dumps(what.reply).encode()
    for webhook in what.webhooks:
        body = json.dumps({"message": webhook}).encode()
        answer = await deliver(house, body)
        assert answer.content == house.team.reply
        assert house.team.got[-1][2] == body
    async with httpx.AsyncClient(base_url=house.rest) as client:
        for path, pieces in what.exchanges:
            content = pieces[0] if len(pieces) == 1 else _slowly(pieces)
            headers = {"content-type": "application/json"}
            await client.post(path, content=content, headers=headers)
            assert house.vapi.bodies[-1][1] == b"".join(pieces)
        for query in what.queries:
            await client.get(f"/phone-number?{query}")
            assert house.vapi.bodies[-1][0].endswith(query)
    ws = house.base.replace("http", "ws")
    assert await _talk(f"{ws}/vapi/{CALL}/transport", what.frames) == what.frames
    assert await _talk(f"{ws}/openai/v1/realtime?model=m", what.events) == what.events


async def left(path: Path, *, redact_pii: bool) -> tuple[list[str], list[Event], bytes]:
    """What was planted; what the tapes have; and the bytes of the store's files."""
    _planted.clear()
    async with open_house(path, webhook_to="/hooks", redact_pii=redact_pii) as house:
        await cross(house, traffic())
        await asyncio.sleep(0.1)
        events = await house.all_events()
        targets = [
            channel.target
            for row in house.store.sessions()
            for channel in Recording(house.store, row.id).channels()
        ]
    stored = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    return list(_planted), events, stored + "\n".join(targets).encode()


async def test_without_the_option_everything_is_on_the_tape(tmp_path: Path) -> None:
    planted, events, _ = await left(tmp_path / "off.db", redact_pii=False)
    whole = b"\n".join(event.body for event in events)
    joined = _deltas(events)
    missing = [text for text in planted if text.encode() not in whole and text not in joined]
    assert not missing
    assert PIECE not in whole


async def test_with_the_option_it_is_found_nowhere(tmp_path: Path) -> None:
    planted, events, stored = await left(tmp_path / "on.db", redact_pii=True)
    whole = b"\n".join(event.body for event in events) + stored
    joined = _deltas(events)
    assert len(planted) > 40
    for text in planted:
        found = [text[at : at + _PIECE] for at in range(len(text) - _PIECE + 1)]
        assert not [piece for piece in found if piece.encode() in whole or piece in joined], text
        spelled = ", ".join(map(str, text.encode()))
        assert spelled.encode() not in whole
    assert whole.count(PIECE) > len(planted)


async def test_what_is_neither_stays_and_stays_json(tmp_path: Path) -> None:
    _, events, _ = await left(tmp_path / "on.db", redact_pii=True)
    called = next(
        json.loads(event.body)["message"]
        for event in events
        if event.type == "tool-calls" and event.kind == "http.chunk" and event.body
    )
    (one,) = called["toolCallList"]
    assert json.loads(one["function"]["arguments"]) == {
        "city": "Berlin",
        "phone number": "[redacted]",
    }
    assert (one["id"], called["call"]["id"]) == ("call_called", CALL)
    assert called["call"]["assistant"] == {"name": "Desk", "firstMessage": "[redacted]"}
    assert called["call"]["phoneNumber"] == {"number": "[redacted]", "id": "d2c1d1a5"}
    told = [json.loads(event.body) for event in events if event.kind == "ws.text"]
    completed = [each for each in told if each["type"].endswith("completed")]
    assert {each["logprobs"][0]["logprob"] for each in completed} == {-1}
    arguments = [each["delta"] for each in told if each["type"].endswith("arguments.delta")]
    assert arguments[0].startswith('{"to": "')
    assert arguments[-1].endswith('"}')


def _deltas(events: list[Event]) -> str:
    """What the pieces of streams say one after the other, of each type."""
    found: dict[tuple[str, str], str] = {}
    for event in events:
        if event.kind == "ws.text" and event.type.endswith(".delta"):
            key = (event.sender, event.type)
            found[key] = found.get(key, "") + json.loads(event.body)["delta"]
        elif event.kind == "http.chunk" and event.sender == "client":
            key = (event.sender, str(event.channel))
            found[key] = found.get(key, "") + event.body.decode()
    return "\n".join(found.values())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("call +49 (30) 901820 now", "call [redacted] now"),
        ("tel:+14155550100;ext=1", "tel:[redacted];ext=1"),
        ("at 2026-11-01T10:00:00+0100", "at 2026-11-01T10:00:00+0100"),
        ("2+2222222222", "2+2222222222"),
        ("+12 apples", "+12 apples"),
    ],
)
def test_telephone_numbers_are_told_by_their_form(text: str, left: str) -> None:
    from recorder.redact import Secrets, redact_text

    assert redact_text(Secrets(b"key", personal=True), text) == left
    assert redact_text(Secrets(b"key"), text) == text
