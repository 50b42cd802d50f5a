"""What the model behind the voice does: its answers and calls, told by nested events.

A nested event is one of the Responses API; its snapshots are thinned, so that calls are taken from
`response.output_item.done`, which has name and call id (recorded sessions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from recorder.providers.fields import at, text_at
from recorder.providers.neutral import (
    Neutral,
    ResponseEnded,
    ResponseStarted,
    ToolAnswered,
    ToolCalled,
    Words,
)
from recorder.providers.openai_realtime.faults import failed

Json = Mapping[str, Any]
Status = Literal["completed", "incomplete", "failed"]
_ENDS: dict[str, Status] = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})
"""Types of items with which a client answers a call."""


def written(content: object) -> str:
    """The words of an item's content or output: a text, or parts of which some have one."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(words for part in parts if (words := text_at(part, "text")))


class Backend:
    """Follows the nested events of one session."""

    def __init__(self) -> None:
        self._under: dict[str, str] = {}  # delegation -> its answer that is under way
        self._called: set[str] = set()
        self._started: set[str] = set()

    def read(self, message: Json) -> Sequence[Neutral]:
        """The meaning of a `response.event`; nothing of what is only a piece."""
        event, work = at(message, "event"), text_at(message, "delegation_id")
        kind, name = text_at(event, "type"), text_at(event, "response", "id")
        if kind == "response.created" and name:
            self._under[work] = name
            if name in self._started:
                return ()
            self._started.add(name)
            return (ResponseStarted(name, is_backend=True),)
        if kind in _ENDS and name:
            return self._ended(name, _ENDS[kind], at(event, "response"))
        if kind == "response.output_item.done":
            return self._item(at(event, "item"), self._under.get(work))
        return ()

    def _ended(self, name: str, status: Status, response: object) -> Sequence[Neutral]:
        reason = text_at(response, "incomplete_details", "reason")
        reason = reason or text_at(response, "error", "code")
        ended = ResponseEnded(name, status, reason or None)
        if status != "failed":
            return (ended,)
        return (ended, failed(at(response, "error"), "model"))

    def _item(self, item: object, response: str | None) -> Sequence[Neutral]:
        kind = text_at(item, "type")
        if kind in ("function_call", "custom_tool_call"):
            told = text_at(item, "arguments") or text_at(item, "input")
            return self._call(text_at(item, "call_id"), item, told, response)
        if kind == "mcp_call":
            error = at(item, "error")
            output = text_at(item, "output") or text_at(error, "message")
            call = text_at(item, "id")
            made = self._call(call, item, text_at(item, "arguments"), response)
            return (*made, ToolAnswered(call, output, error is not None)) if made else ()
        if kind == "message":
            words = written(at(item, "content")).strip()
            told_of = text_at(item, "id") or None
            said = Words("assistant", words, "final", "text", told_of, response)
            return (said,) if words else ()
        return ()

    def _call(
        self, call: str, item: object, arguments: str, response: str | None
    ) -> Sequence[Neutral]:
        if not call or call in self._called:
            return ()
        self._called.add(call)
        return (ToolCalled(call, text_at(item, "name"), arguments, response),)
