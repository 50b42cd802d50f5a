"""Tool calls: the webhook to the team's server, its answer, and what is said meanwhile."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from replay.simulators.vapi.courier import Reply
from replay.simulators.vapi.errors import Json
from replay.simulators.vapi.history import function_call
from replay.simulators.vapi.ids import Mint
from replay.simulators.vapi.mind import Call
from replay.simulators.vapi.stage import Stage

NO_RESULT = "No result returned."
_FILLERS = ("Just a sec.", "Give me a moment.", "Hold on a sec.", "One moment.")


class Outcome(NamedTuple):
    """What a run of tools came to: the result for the model, or a text to say instead."""

    result: str
    spoken: str | None
    was_async: bool


class _Made(NamedTuple):
    """A tool call with its id."""

    id: str
    call: Call


class ToolRun:
    """The tool calls of one output of the model: one webhook for each server concerned."""

    def __init__(
        self,
        stage: Stage,
        calls: Sequence[Call],
        mint: Mint,
        done: Callable[[Outcome, int], None],
    ) -> None:
        self._stage, self._done = stage, done
        self._turn_id = mint.uuid4()
        self._made = [_Made(mint.tool_call_id(), call) for call in calls]
        self._waiting = 0
        self._results: list[str] = []
        self._spoken: list[str] = []

    @property
    def is_async(self) -> bool:
        """Whether the conversation goes on without the results."""
        return all(made.call.tool.get("async") for made in self._made)

    def filler(self, chance: random.Random) -> str | None:
        """What is said while the tools work: their `request-start` message, or one of the usual
        ones for a tool that has no list of messages."""
        for made in self._made:
            messages = made.call.tool.get("messages")
            found = _message(messages, "request-start")
            if found is not None:
                return found
            if messages is None:
                return chance.choice(_FILLERS)
        return None

    def start(self, now: int) -> None:
        """Tell the client, and ask the servers."""
        stage = self._stage
        stored = [self._wire(made, as_text=True) for made in self._made]
        stage.call.history.tool_calls(stored, stage.ms(now))
        listed = [self._wire(made) for made in self._made]
        for one in stored:
            stage.tell("model-output", now, {"output": one, "turnId": self._turn_id})
        stage.tell_client("tool-calls", {"toolCalls": listed, "toolCallList": listed})
        for server, group in self._groups():
            self._ask(server, group, now)

    def _groups(self) -> list[tuple[Json | None, list[_Made]]]:
        """The calls by server: the tool's own, or the assistant's."""
        groups: dict[str, tuple[Json | None, list[_Made]]] = {}
        for made in self._made:
            own = made.call.tool.get("server") or {}
            server = own if own.get("url") else self._stage.account.server(self._stage.call)
            key = json.dumps(server, sort_keys=True)
            groups.setdefault(key, (server, []))[1].append(made)
        return list(groups.values())

    def _ask(self, server: Json | None, group: list[_Made], now: int) -> None:
        stage, self._waiting = self._stage, self._waiting + 1
        listed = [self._wire(made) for made in group]
        fields: Json = {
            "toolCalls": listed,
            "toolCallList": listed,
            "toolWithToolCallList": [
                {**made.call.tool, "toolCall": wire}
                for made, wire in zip(group, listed, strict=True)
            ],
        }
        stage.note(now, "assistant.tool.started", "Tool call started")

        def answered(reply: Reply, at: int) -> None:
            if stage.call.live:
                self._take(reply, group, at)

        if not stage.request("tool-calls", now, fields, server=server, answered=answered):
            stage.at(now, lambda at: self._take(Reply(0, b""), group, at))

    def _wire(self, made: _Made, *, as_text: bool = False) -> Json:
        as_text = as_text or self._stage.options.string_arguments
        return function_call(made.id, made.call.name, made.call.arguments, as_text=as_text)

    def _take(self, reply: Reply, group: list[_Made], now: int) -> None:
        stage, results = self._stage, _results(reply)
        for made in group:
            found = results.get(made.id, results.get("", {}))
            self._settle(made, found, now)
        told = {"conversation": stage.call.history.openai()}
        stage.tell("conversation-update", now, told, server={})
        self._waiting -= 1
        if not self._waiting:
            spoken = " ".join(self._spoken) or None
            self._done(Outcome(" ".join(self._results), spoken, self.is_async), now)

    def _settle(self, made: _Made, found: Mapping[str, Any], now: int) -> None:
        """Store the result of one call, and note what is to be said about it."""
        stage, messages = self._stage, made.call.tool.get("messages")
        result = found.get("result", found.get("error"))
        failed = "result" not in found
        text = NO_RESULT if result is None else _text(result)
        stage.call.history.tool_result(
            made.id, made.call.name, text, stage.ms(now), found.get("metadata")
        )
        stage.note(now, "assistant.tool.completed", "Tool call completed", result=text)
        told = {"toolCallId": made.id, "name": made.call.name, "result": text}
        stage.tell_client("tool-calls-result", {"toolCallResult": told})
        own = found.get("message")
        fixed = _message(messages, "request-failed" if failed else "request-complete")
        spoken = _text(own.get("content") if isinstance(own, dict) else own) if own else fixed
        if spoken:
            self._spoken.append(spoken)
        self._results.append(text)


def _message(messages: Sequence[Json] | None, kind: str) -> str | None:
    """The text of a tool's first message of a kind."""
    return next(
        (
            str(one["content"])
            for one in messages or ()
            if one.get("type") == kind and "content" in one
        ),
        None,
    )


def _text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def _results(reply: Reply) -> dict[str, Json]:
    """The results by tool call id; under "" what holds for all. Nothing if there is no use in the
    answer: a status other than 2xx, or a body that is not what was asked for."""
    if not reply.accepted:
        return {}
    try:
        body = json.loads(reply.body)
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    if isinstance(body.get("error"), str):
        return {"": {"error": body["error"]}}
    listed = body.get("results")
    if not isinstance(listed, list):
        return {}
    return {str(one.get("toolCallId")): one for one in listed if isinstance(one, dict)}
