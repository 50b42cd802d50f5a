"""What a call's events mean, in neutral messages: its socket, its webhooks, its REST.

A call tells most things twice, on its socket and by webhook, and a delivery may come twice. What
has an id of its own is recognised by it. Of each type that has none, the way by which it came first
counts; of equal deliveries the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from recorder.events import Event
from recorder.heads import ResponseHead
from recorder.providers.closing import closed
from recorder.providers.fields import at
from recorder.providers.neutral import Class, Fault, Neutral, Placed, ToolAnswered, Voiced
from recorder.providers.vapi.capture import AUDIO
from recorder.providers.vapi.messages import Messages, stamps
from recorder.providers.vapi.webhooks import unwrapped

Json = Mapping[str, Any]
_TOOLS = ("tool-calls", "function-call")
_NAMELESS = ("speech-update", "transcript", "model-output", "user-interrupted", "hang")
_CREATES = ("POST /call", "POST /call/web", "POST /call/phone")


class VapiDecoder:
    """A `Decoder` for one session."""

    def __init__(self) -> None:
        self._messages = Messages()
        self._bodies: dict[tuple[int, str], bytes] = {}  # of what is under way
        self._webhooks: set[int] = set()
        self._status: dict[int, ResponseHead] = {}
        self._ways: dict[str, Literal["ws", "webhook"]] = {}
        self._delivered: set[bytes] = set()
        self._asked: dict[int, list[str]] = {}  # webhook channel -> calls of tools in it

    def decode(self, event: Event) -> Sequence[Neutral]:
        if event.kind == "ws.binary":
            speech = self._messages.speech  # before the first, audio is silence
            is_voice = event.sender == "provider" and event.type == AUDIO and speech
            return (Voiced(None, speech),) if is_voice else ()
        if event.kind == "ws.text":
            return self._frame(event)
        if event.kind == "ws.close":
            return closed(event)
        if event.kind == "http.request":
            return (Placed("asked"),) if event.type in _CREATES else ()
        if event.kind == "webhook.request":
            self._webhooks.add(event.channel)
        elif event.kind in ("webhook.response", "http.response"):
            self._status[event.channel] = ResponseHead.decode(event.body)
            return self._answered(event)
        elif (event.kind, event.sender) == ("ws.open", "provider"):
            return _refused(ResponseHead.decode(event.body), "transport")
        elif event.kind == "http.chunk":
            return self._chunk(event)
        return ()

    def _frame(self, event: Event) -> Sequence[Neutral]:
        try:
            message = json.loads(event.body)
        except (ValueError, RecursionError):
            return ()
        if event.sender != "provider" or not isinstance(message, Mapping):
            return self._messages.sent(message) if isinstance(message, Mapping) else ()
        return self._told(event.type, message, "ws")

    def _told(self, type_: str, message: Json, way: Literal["ws", "webhook"]) -> Sequence[Neutral]:
        type_ = type_.partition("[")[0]
        if type_ in _NAMELESS and self._ways.setdefault(type_, way) != way:
            return stamps(type_, message)
        return self._messages.read(type_, message)

    def _chunk(self, event: Event) -> Sequence[Neutral]:
        key = (event.channel, event.sender)
        if event.body:
            self._bodies[key] = self._bodies.get(key, b"") + event.body
            return ()
        body = self._bodies.pop(key, b"")
        if event.channel not in self._webhooks:
            return self._exchanged(event, body)
        if event.sender == "provider":
            return self._delivery(event, body)
        return self._results(event.channel, body)

    def _delivery(self, event: Event, body: bytes) -> Sequence[Neutral]:
        digest = hashlib.sha256(body).digest()
        if digest in self._delivered:
            return ()
        self._delivered.add(digest)
        message = unwrapped(body)
        if event.type in _TOOLS:
            self._asked[event.channel] = self._messages.calls_in(message)
        return self._told(event.type, message, "webhook")

    def _answered(self, event: Event) -> Sequence[Neutral]:
        """A webhook that failed, or REST that was refused."""
        head = self._status[event.channel]
        if event.channel not in self._webhooks:
            return _refused(head, "client")
        if 0 < head.status < 400:
            return ()
        reason = head.reason or "the application's server did not answer"
        code = str(head.status or "no answer")
        asked = self._asked.pop(event.channel, [])
        class_: Class = "tool" if asked else "client"
        failures = [ToolAnswered(call, reason, failed=True) for call in asked]
        return (Fault(class_, "client", code, reason), *self._messages.answered(failures))

    def _results(self, channel: int, body: bytes) -> Sequence[Neutral]:
        """The application's answer to `tool-calls`."""
        asked = self._asked.pop(channel, [])
        if not asked:
            return ()
        answer = _object(body)
        found = answer.get("results")
        results = [each for each in found if isinstance(each, Mapping)] if found else []
        if not results and ("result" in answer or "error" in answer):
            results = [{"toolCallId": call, **answer} for call in asked]
        told = [_result(each) for each in results]
        missing = set(asked) - {each.call for each in told}
        told += [ToolAnswered(call, "", failed=True) for call in asked if call in missing]
        return self._messages.answered(told)

    def _exchanged(self, event: Event, body: bytes) -> Sequence[Neutral]:
        """The whole body of an answer, or of a request."""
        if event.sender == "client":
            return ()
        if event.type in _CREATES:
            return (Placed("done"),) if self._status[event.channel].status < 300 else ()
        if event.type != "GET /call/{id}":
            return ()
        call = _object(body)
        ended = call.get("status") == "ended"
        return self._messages.read("end-of-call-report", call) if ended else ()


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _result(result: Json) -> ToolAnswered:
    error, output = result.get("error"), result.get("result")
    told = output if error is None else error
    text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    return ToolAnswered(str(at(result, "toolCallId") or ""), text, error is not None)


def _refused(head: ResponseHead, class_: Class) -> Sequence[Neutral]:
    if head.status < 400 and head.status:
        return ()
    named: dict[int, Class] = {401: "auth", 403: "auth", 429: "rate_limit"}
    side: Literal["client", "provider"] = "provider" if head.status >= 500 else "client"
    text = head.reason or "no answer"
    return (Fault(named.get(head.status, class_), side, str(head.status), text),)
