"""The application's server of a tape: what it answered to webhooks, for those that come now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from recorder.events import Message
from recorder.heads import ResponseHead
from recorder.providers.base import Provider, ToolWebhook
from replay.caller.names import Names
from replay.caller.notes import Notes
from replay.caller.tools import encoded
from replay.match.rulebook import value_at
from replay.script import DeliveryScript

_JSON = (("content-type", "application/json"),)


class Answer(NamedTuple):
    """An answer to a webhook of a type, due at `at_ns`."""

    at_ns: int
    type: str
    message: Message


class Hooks:
    """Answers each webhook as one of its type was answered on the tape, each of those once, as long
    as there are any; functions by doubles where there are some. Else it acknowledges."""

    def __init__(
        self,
        provider: Provider,
        deliveries: Sequence[DeliveryScript],
        doubles: Mapping[str, str],
        names: Names,
        notes: Notes,
    ) -> None:
        self._provider, self._doubles = provider, doubles
        self._names, self._notes = names, notes
        self._unused = list(deliveries)
        self._all = tuple(deliveries)
        self.waiting: list[Answer] = []
        self.count = 0  # webhooks that came

    def take(self, message: Message, now: int, turn: int) -> None:
        """A webhook."""
        self.count += 1
        webhooks = self._provider.WEBHOOKS
        assert webhooks is not None, "a provider without webhooks sent one"
        delivery = webhooks.read(message.payload)
        script = self._find(delivery.type, message.payload)
        head, body, gap = ResponseHead(200, "OK", _JSON), webhooks.acknowledgement(delivery), 0
        if script is not None and script.answer is not None:
            self._names.webhook(script.sent, message.payload)
            head, body, gap = script.answer, self._names.body(script.received), script.took_ns
        tools = self._provider.CONDUCT.tools
        if tools is not None and delivery.type == tools.type:
            body = self._results(tools, message.payload, body, script is not None, turn)
        answer = Message(message.channel, "webhook.response", head.encode(), body)
        self.waiting.append(Answer(now + gap, delivery.type, answer))

    def _find(self, type_: str, body: bytes) -> DeliveryScript | None:
        """One of the type, of the same functions first, unused ones first."""
        named = _called(self._provider.CONDUCT.tools, body)
        fitting = [each for each in (*self._unused, *self._all) if each.type == type_]
        alike = [
            each for each in fitting if _called(self._provider.CONDUCT.tools, each.sent) == named
        ]
        found = next(iter(alike if named else fitting), None)
        if found in self._unused:
            self._unused.remove(found)
        return found

    def _results(
        self, tools: ToolWebhook, asked: bytes, body: bytes, is_known: bool, turn: int
    ) -> bytes:
        """The results of functions: doubles, as on the tape, or an error."""
        results = []
        for call in _calls(tools, asked):
            name = str(value_at(call, tools.name))
            double = self._doubles.get(name)
            if double is None and is_known:
                return body
            if double is not None:
                self._notes.doubled.add(name)
            if double is None:
                self._notes.note(turn, f"{name} was called, on the tape it was not: no result")
                double = json.dumps({"error": f"no result of {name} is on the tape"})
            results.append({tools.answer_id: call.get(tools.id), tools.answer_result: double})
        return encoded({tools.results: results})

    def due(self, now: int) -> list[Answer]:
        """The answers that are due."""
        ready = [each for each in self.waiting if each.at_ns <= now]
        self.waiting = [each for each in self.waiting if each.at_ns > now]
        return ready

    def deadline(self) -> int | None:
        """When the next one is."""
        return min((each.at_ns for each in self.waiting), default=None)


def _calls(tools: ToolWebhook, body: bytes) -> list[Mapping[str, Any]]:
    try:
        found = value_at(json.loads(body), tools.calls)
    except ValueError:
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _called(tools: ToolWebhook | None, body: bytes) -> list[str]:
    return [str(value_at(call, tools.name)) for call in _calls(tools, body)] if tools else []
