"""What GPT-Live says was used: seconds of the session, and tokens of the models behind it.

`usage.seconds` is cumulative: the last one told is all of it, and only `session.closed` says that
it is final. Seconds in standby (paused WebRTC) have their own price; they are part of `seconds`
(openai-python, `types/live/session_usage`). A nested response tells its tokens once, by
`response.completed`, a decision by its `decision.event` (`types/decision`); either may be told
again on another connection. `cached_tokens` and `cache_write_tokens` are part of the input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from recorder.providers.fields import at, text_at
from recorder.providers.usage import Quantity, Usage, count, unreported

Json = Mapping[str, Any]
_KEY = "session"
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_MAKING = ("/live/sessions", "/fork")  # ends of the types of requests
_BEGUN = frozenset({"response.created", "response.in_progress"})


class LiveUsage:
    """A `UsageReader` for one session."""

    def __init__(self) -> None:
        self._model: str | None = None
        self._has_begun = self._is_closed = False
        self._ended: set[str] = set()

    def read(self, type_: str, message: Json) -> Sequence[Usage]:
        if type_ in ("session.started", "session.updated") or type_.endswith(_MAKING):
            return self._begun(at(message, "session"))
        if type_ == "session.usage.updated" and not self._is_closed:
            return self._seconds(at(message, "usage"))
        if type_ == "session.closed":
            self._is_closed = True
            self._model = text_at(message, "session", "model") or self._model
            return self._seconds(at(message, "usage"))
        if type_ == "response.event":
            return self._nested(at(message, "event"))
        if type_ == "decision.event":
            return _decided(message)
        return ()

    def _begun(self, session: object) -> Sequence[Usage]:
        """A session costs something from its start, which nothing tells until it is over. One by
        WebRTC may be told by the answer to its creation or fork alone, which names no model."""
        is_new = not self._has_begun and bool(text_at(session, "id"))
        self._has_begun = self._has_begun or is_new
        self._model = text_at(session, "model") or self._model
        if not is_new:
            return ()
        return (unreported(_KEY, "session", self._model, "the session"),)

    def _seconds(self, usage: object) -> Sequence[Usage]:
        total = count(at(usage, "seconds"))
        if total is None:
            return (unreported(_KEY, "session", self._model, "the session"),)
        standby = min(count(at(usage, "paused_seconds")) or Decimal(0), total)
        amounts = {"active": total - standby, "standby": standby}
        found = tuple(Quantity(name, each, "second") for name, each in amounts.items() if each)
        note = ""
        if not self._is_closed:
            note = f"{total} s are not confirmed: no session.closed has told the final count"
        return (Usage(_KEY, "session", self._model, found, note=note),)

    def _nested(self, event: object) -> Sequence[Usage]:
        kind, response = text_at(event, "type"), at(event, "response")
        name, model = text_at(response, "id"), text_at(response, "model") or None
        if not name or name in self._ended:
            return ()
        key = f"response {name}"
        if kind in _BEGUN:
            return (unreported(key, "backend", model, f"response {name}"),)
        if kind not in _TERMINAL:
            return ()
        self._ended.add(name)
        return (_tokens(key, model, at(response, "usage")),)


def _decided(message: Json) -> Sequence[Usage]:
    decision, name = at(message, "event", "decision"), text_at(message, "event_id")
    model = text_at(decision, "model") or None
    return (_tokens(f"decision {name}", model, at(decision, "usage")),)


def _tokens(key: str, model: str | None, usage: object) -> Usage:
    taken, given = count(at(usage, "input_tokens")), count(at(usage, "output_tokens"))
    if taken is None or given is None:
        return unreported(key, "backend", model, key)
    spared = count(at(usage, "input_tokens_details", "cached_tokens")) or Decimal(0)
    written = count(at(usage, "input_tokens_details", "cache_write_tokens")) or Decimal(0)
    cached = min(spared, taken)
    written = min(written, taken - cached)
    amounts = {
        "text_in": taken - cached - written,
        "text_cached": cached,
        "text_written": written,
        "text_out": given,
    }
    found = tuple(Quantity(name, each, "token") for name, each in amounts.items() if each)
    return Usage(key, "backend", model, found)
