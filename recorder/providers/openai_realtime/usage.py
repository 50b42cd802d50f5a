"""What Realtime says was used: tokens of answers, and tokens or time of transcriptions.

Shapes: openai-python, `types/realtime/realtime_response_usage` and
`conversation_item_input_audio_transcription_completed_event`. `cached_tokens` are part of the
input, and reasoning is part of the text that was put out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from recorder.counting import counted
from recorder.providers.fields import at, text_at
from recorder.providers.usage import Quantity, Usage, count, unreported

Json = Mapping[str, Any]
_KINDS = ("text", "audio", "image")
_SESSIONS = frozenset(
    {
        "session.created",
        "session.updated",
        "transcription_session.created",
        "transcription_session.updated",
    }
)
_TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
_SILENT = ("cancelled", "failed")  # may end before anything was generated, and then tell nothing


class RealtimeUsage:
    """A `UsageReader` for one session. The models are those that the session has at the time."""

    def __init__(self) -> None:
        self._model: str | None = None
        self._transcriber: str | None = None
        self._nameless = 0
        self._ended: set[str] = set()  # answers, which another connection may tell again

    def read(self, type_: str, message: Json) -> Sequence[Usage]:
        if type_ in _SESSIONS:
            self._configured(at(message, "session"))
        elif type_ == "response.created":
            return self._begun(at(message, "response"))
        elif type_ == "response.done":
            return self._answered(at(message, "response"))
        elif type_ == _TRANSCRIBED:
            return self._transcribed(message)
        return ()

    def _configured(self, session: object) -> None:
        self._model = text_at(session, "model") or self._model
        told = at(session, "audio", "input", "transcription") or at(
            session, "input_audio_transcription"
        )
        self._transcriber = text_at(told, "model") or self._transcriber

    def _key(self, kind: str, name: str) -> str:
        """What identifies an answer; one without an id is not taken for another."""
        if name:
            return f"{kind} {name}"
        self._nameless += 1
        return f"{kind} #{self._nameless}"

    def _begun(self, response: object) -> Sequence[Usage]:
        """An answer that goes on, or was cut off with the connection and never tells its usage."""
        name = text_at(response, "id")
        if not name or name in self._ended:
            return ()
        model = text_at(response, "model") or self._model
        return (unreported(f"response {name}", "model", model, f"answer {name}"),)

    def _answered(self, response: object) -> Sequence[Usage]:
        name = text_at(response, "id")
        self._ended.add(name)
        key, model = self._key("response", name), text_at(response, "model") or self._model
        usage = at(response, "usage")
        if isinstance(usage, Mapping):
            return (_of_tokens(key, "model", model, usage),)
        if text_at(response, "status") in _SILENT:
            return (Usage(key, "model", model, ()),)
        return (unreported(key, "model", model, f"answer {name or 'without id'}"),)

    def _transcribed(self, message: Json) -> Sequence[Usage]:
        item, index = text_at(message, "item_id"), at(message, "content_index") or 0
        key = self._key("transcript", item and f"{item}/{index}")
        model = text_at(message, "model") or self._transcriber
        usage = at(message, "usage")
        seconds = count(at(usage, "seconds"))
        if at(usage, "type") == "duration" and seconds is not None:
            heard = Quantity("duration", seconds, "second")
            return (Usage(key, "transcriber", model, (heard,)),)
        if isinstance(usage, Mapping) and at(usage, "type") != "duration":
            return (_of_tokens(key, "transcriber", model, usage, writes="text"),)
        return (unreported(key, "transcriber", model, f"transcript of {item or 'an item'}"),)


def _of_tokens(key: str, component: str, model: str | None, usage: Json, writes: str = "") -> Usage:
    """Tokens by kind. `writes` is the kind of all output where no details tell it. What the
    details leave over of a total is of no known kind, and so has no price."""
    taken, given = at(usage, "input_token_details"), at(usage, "output_token_details")
    cached, note = _cached(taken)
    fresh = {kind: _tokens(taken, kind) - cached.get(kind, Decimal(0)) for kind in _KINDS}
    made = {kind: _tokens(given, kind) for kind in _KINDS}
    left_in = _left(usage, "input_tokens", [*fresh.values(), *cached.values()])
    left_out = _left(usage, "output_tokens", made.values())
    if writes:
        made[writes] += left_out
        left_out = Decimal(0)
    if count(at(usage, "input_tokens")) is None or count(at(usage, "output_tokens")) is None:
        return unreported(key, component, model, key)
    amounts = {
        **{f"{kind}_in": amount for kind, amount in fresh.items()},
        **{f"{kind}_cached": amount for kind, amount in cached.items()},
        "other_in": left_in,
        **{f"{kind}_out": amount for kind, amount in made.items()},
        "other_out": left_out,
    }
    found = tuple(Quantity(name, each, "token") for name, each in amounts.items() if each)
    return Usage(key, component, model, found, note=f"{key}: {note}" if note else "")


def _cached(taken: object) -> tuple[dict[str, Decimal], str]:
    """Cached tokens by kind. Those of no known kind are left at the full rate, with a note; so are
    those beyond what there was of a kind."""
    told = at(taken, "cached_tokens_details")
    cached = {kind: min(_tokens(told, kind), _tokens(taken, kind)) for kind in _KINDS}
    missing = (count(at(taken, "cached_tokens")) or Decimal(0)) - sum(cached.values())
    if missing > 0:
        return cached, f"{counted(missing, 'cached token')} of unknown kind priced at the full rate"
    return cached, ""


def _left(usage: Json, total: str, counted: Iterable[Decimal]) -> Decimal:
    return max(Decimal(0), (count(at(usage, total)) or Decimal(0)) - sum(counted))


def _tokens(details: object, kind: str) -> Decimal:
    return count(at(details, f"{kind}_tokens")) or Decimal(0)
