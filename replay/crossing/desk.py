"""The application's server of a conversation that is held anew: answers the provider's webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from recorder.events import Message
from recorder.heads import ResponseHead
from recorder.providers.base import Provider, ToolWebhook
from recorder.trial.doubles import Doubles, Made
from replay.match.rulebook import value_at

_JSON = (("content-type", "application/json"),)


class Answer(NamedTuple):
    """An answer to a webhook, due at `at_ns`; None if it is never given."""

    at_ns: int | None
    body: bytes


class Desk:
    """Calls of tools are answered by `doubles`; everything else is acknowledged."""

    def __init__(self, provider: Provider, doubles: Doubles) -> None:
        self._provider, self._doubles = provider, doubles

    def answer(self, payload: bytes, now: int) -> Answer:
        """The answer to a delivery that comes at `now` (ns)."""
        webhooks, tools = self._provider.WEBHOOKS, self._provider.CONDUCT.tools
        assert webhooks is not None, "a provider without webhooks sent one"
        delivery = webhooks.read(payload)
        if tools is None or delivery.type != tools.type:
            return Answer(now, webhooks.acknowledgement(delivery))
        made = [self._call(tools, each, now) for each in _calls(tools, payload)]
        times = [each.answered_ns for each in made]
        results = {tools.results: [_result(tools, each) for each in made]}
        body = json.dumps(results, ensure_ascii=False).encode()
        if any(at is None for at in times):
            return Answer(None, body)
        return Answer(max((at for at in times if at is not None), default=now), body)

    def _call(self, tools: ToolWebhook, call: Mapping[str, Any], now: int) -> Made:
        """Arguments come as an object, or as its text."""
        arguments = value_at(call, tools.arguments)
        if isinstance(arguments, str):
            arguments = _read(arguments)
        known = arguments if isinstance(arguments, Mapping) else {}
        name, id_ = value_at(call, tools.name), value_at(call, tools.id)
        return self._doubles.call(str(id_), str(name), known, now)


class Beside:
    """A provider with the application's server beside it, as one machine; it does nothing more by
    itself once the caller, who has `finished`, is gone."""

    def __init__(self, provider: Any, desk: Desk, caller: Any) -> None:
        self._provider, self._desk, self._caller = provider, desk, caller
        self._waiting: list[tuple[int, Message]] = []
        self._heard_ns = 0  # when the caller was there at last

    def receive(self, message: Message, now: int) -> None:
        """What the caller says."""
        self._heard_ns = now
        self._provider.receive(message, now)

    def due(self, now: int) -> list[Message]:
        """What the provider says to the caller by `now`; its webhooks end here."""
        if not self._caller.finished:
            self._heard_ns = now
        elif now > self._heard_ns:
            return []
        sent: list[Message] = []
        while True:  # an answer may make the provider say more at once
            answers = [message for at, message in self._waiting if at <= now]
            self._waiting = [each for each in self._waiting if each[0] > now]
            for answer in answers:
                self._provider.receive(answer, now)
            said = self._provider.due(now)
            asked = [message for message in said if message.kind == "webhook.request"]
            for message in asked:
                self._take(message, now)
            sent += [message for message in said if message.kind != "webhook.request"]
            if not answers and not asked:
                return sent

    def next_deadline(self) -> int | None:
        """When it next acts by itself."""
        if self._caller.finished:
            return None
        times = [at for at, _ in self._waiting]
        own = self._provider.next_deadline()
        return min(times if own is None else [*times, own], default=None)

    def _take(self, message: Message, now: int) -> None:
        at, body = self._desk.answer(message.payload, now)
        if at is not None:
            head = ResponseHead(200, "OK", _JSON).encode()
            self._waiting.append((at, Message(message.channel, "webhook.response", head, body)))


def _calls(tools: ToolWebhook, payload: bytes) -> list[Mapping[str, Any]]:
    found = value_at(_read(payload), tools.calls)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _result(tools: ToolWebhook, made: Made) -> Mapping[str, Any]:
    if made.error is not None:
        return {tools.answer_id: made.id, tools.answer_error: made.error}
    return {tools.answer_id: made.id, tools.answer_result: made.output}


def _read(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
