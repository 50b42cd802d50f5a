"""What GPT-Live events mean, in neutral messages.

Calls of functions and answers are those of the backend; who speaks when is found by `turns`. Every
event of the provider but audio has an `event_id`, by which what a sideband repeats is told. Field
names: the types of openai-python (`types/live`); nested events are those of the Responses API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from recorder.events import Event
from recorder.heads import RequestHead, ResponseHead
from recorder.providers.closing import closed
from recorder.providers.fields import at, number_at, text_at
from recorder.providers.neutral import (
    Configured,
    Ended,
    Neutral,
    Placed,
    Ready,
    Role,
    ToolAnswered,
    ToolCalled,
    Unknown,
    Words,
)
from recorder.providers.openai_live.backend import RESULTS, Backend, written
from recorder.providers.openai_live.routing import is_sideband, makes_session
from recorder.providers.openai_live.sides import APPEND, OUTPUT, START, Sides, Whose
from recorder.providers.openai_live.turns import Floor, Rule
from recorder.providers.openai_realtime.capture import parse
from recorder.providers.openai_realtime.faults import failed, refused

Json = Mapping[str, Any]
_ENDED_BY: dict[str, Literal["client", "provider"]] = {
    "close_requested": "client",
    "remote_hangup": "client",
    "expired": "provider",
    "content": "provider",
}
# While the input is muted or a fixture plays, what the client sends does not reach the model
# (`types/live`): the user does not take the floor. The provider's word counts.
_DEAF = {
    "session.input_audio.muted": "muted",
    "session.output_audio.fixture.playing": "fixture",
}
_HEARS = {
    "session.input_audio.unmuted": "muted",
    "session.output_audio.fixture.played": "fixture",
}
# Known, and without a meaning here.
_SILENT = frozenset(
    {
        APPEND,
        OUTPUT,
        "session.instructions.append",
        "session.instructions.appended",
        "session.thinking.appended",
        "session.commentary.appended",
        "session.input_audio.mute",
        "session.input_audio.unmute",
        "session.output_audio.fixture.play",
        "session.usage.updated",
        "session.paused",
        "session.resumed",
        "session.close",
        "response.create",
        "decision.create",
        "decision.event",
        "decision.item.create",
        "decision.item.created",
        "decision.item.delete",
        "decision.item.deleted",
        "transport.dtmf.send",
        "transport.dtmf.sent",
        "transport.dtmf.received",
        "transport.ringing",
        "transport.answered",
        "info",
    }
)


class LiveDecoder:
    """A `HearingDecoder` for one session."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule.label
        self._floor, self._sides = Floor(rule), Sides()
        self._seen: set[str] = set()  # ids of events
        self._sidebands: set[int] = set()
        self._making: set[int] = set()  # exchanges that make a session
        self._delegated: set[str] = set()  # to the client
        self._deaf: set[str] = set()  # why the model does not hear the user
        self._backend = Backend()
        self._readers: dict[str, Callable[[Json], Sequence[Neutral]]] = {
            "error": lambda message: (failed(at(message, "error")),),
            START: lambda message: (Configured("asked"),),
            "session.started": lambda message: (Configured("done"), Ready()),
            "session.update": lambda message: (Configured("asked"),),
            "session.updated": lambda message: (Configured("done"),),
            "session.closed": _ended,
            "session.delegation.created": self._delegation,
            "session.thinking.append": self._appended,
            "session.commentary.append": self._appended,
            "response.event": self._backend.read,
            "response.item.create": _item,
            "transport.failed": lambda message: (
                failed(at(message, "error"), "transport")._replace(side=None),
            ),
        }

    def decode(self, event: Event) -> Sequence[Neutral]:
        return self.hear(event, 0.0, ())

    def hear(self, event: Event, ms: float, levels: Sequence[float]) -> Sequence[Neutral]:
        if event.kind == "ws.text":
            return tuple(self._read(event, ms, levels))
        if event.kind == "ws.open" and event.sender == "client":
            if is_sideband(RequestHead.decode(event.body).path):
                self._sidebands.add(event.channel)
        elif event.kind == "ws.open":
            return refused(ResponseHead.decode(event.body))
        elif event.kind == "ws.close":
            return self._closed(event)
        elif event.kind == "http.request" and makes_session(RequestHead.decode(event.body)):
            self._making.add(event.channel)
            return (Placed("asked"),)
        elif event.kind == "http.response":
            return self._answered(event)
        return ()

    def _closed(self, event: Event) -> Sequence[Neutral]:
        """A sideband may leave, or be lost, and the session goes on."""
        self._sides.closed(event.channel)
        if event.channel in self._sidebands:
            return ()
        return (*self._floor.end(), *closed(event))

    def _answered(self, event: Event) -> Sequence[Neutral]:
        head = ResponseHead.decode(event.body)
        if event.channel in self._making and head.status < 300:
            return (Placed("done"),)
        return refused(head)

    def _read(self, event: Event, ms: float, levels: Sequence[float]) -> Iterator[Neutral]:
        now_ms = event.at_ns / 1e6
        if event.type in (APPEND, OUTPUT):
            whose = self._whose(event) if ms else None
            if whose == "user":
                heard = (0.0,) * len(levels) if self._deaf else levels
                yield from self._floor.user_sound(now_ms, ms, heard)
            elif whose == "agent":
                yield from self._floor.agent_sound(now_ms, ms, levels)
            return
        self._whose(event)
        message = parse(event.body)
        if not isinstance(message, Mapping):
            yield Unknown(event.type)
        elif not self._is_repeated(event, message):
            yield from self._meant(event.type, now_ms, message)

    def _whose(self, event: Event) -> Whose | None:
        return self._sides.whose(event.channel, event.sender, event.type, event.body)

    def end(self) -> Sequence[Neutral]:
        return tuple(self._floor.end())

    def _is_repeated(self, event: Event, message: Json) -> bool:
        name = text_at(message, "event_id") if event.sender == "provider" else ""
        if not name:
            return False
        was_seen = name in self._seen
        self._seen.add(name)
        return was_seen

    def _meant(self, type_: str, now_ms: float, message: Json) -> Iterator[Neutral]:
        if type_ in _DEAF:
            self._deaf.add(_DEAF[type_])
        elif type_ in _HEARS:
            self._deaf.discard(_HEARS[type_])
        elif type_ == "session.input_transcript.delta":
            yield from self._floor.user_words(now_ms, _piece("user", message))
        elif type_ == "session.output_transcript.delta":
            yield from self._floor.agent_words(_piece("assistant", message))
        elif reader := self._readers.get(type_):
            if type_ == "session.closed":
                yield from self._floor.end()
            yield from reader(message)
        elif type_ not in _SILENT:
            yield Unknown(type_)

    def _delegation(self, message: Json) -> Sequence[Neutral]:
        """Work for the client is a call without a name of its own: the wire tells no task. Work for
        the backend shows in its nested events."""
        name = text_at(message, "delegation", "id")
        if text_at(message, "delegation", "target") != "client" or not name:
            return ()
        self._delegated.add(name)
        told = json.dumps({"offset_ms": at(message, "offset_ms")})
        return (ToolCalled(name, "delegation", told),)

    def _appended(self, message: Json) -> Sequence[Neutral]:
        """What the client appends for a delegation is its result; the last one ends the work."""
        name = text_at(message, "delegation_id")
        if name not in self._delegated:
            return ()
        return (ToolAnswered(name, text_at(message, "content")),)


def _piece(role: Role, message: Json) -> Words:
    start, end = number_at(message, "start_ms"), number_at(message, "end_ms")
    words = text_at(message, "delta")
    return Words(role, words, "piece", "speech", start_ms=start, end_ms=end)


def _item(message: Json) -> Sequence[Neutral]:
    """What the client gives the backend: the result of a tool, or words."""
    item = at(message, "item")
    if text_at(item, "type") in RESULTS:
        return (ToolAnswered(text_at(item, "call_id"), written(at(item, "output"))),)
    words = written(at(item, "content"))
    return (Words("user", words, "final", "text"),) if words else ()


def _ended(message: Json) -> Sequence[Neutral]:
    reason = text_at(message, "reason")
    return (Ended(reason, _ENDED_BY.get(reason)),)
