"""What the parts of one session share: its settings, its time, its ids and its way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from replay.simulators.common.agenda import Agenda
from replay.simulators.openai.errors import ClientError, Json
from replay.simulators.openai.ids import Mint
from replay.simulators.openai_live import errors
from replay.simulators.openai_live.options import Options

STEP_MS = 200
"""Transcripts and acknowledgements have times in such steps (recorded sessions)."""
_MS = 1_000_000
_STALLED_NS = 500_000_000  # without input for so long, the model does not speak
Lane = Literal["all", "primary", "sidebands"]
Deliver = Callable[[bytes, Lane], None]
# Where recorded events have their id first; in the others it stands last.
_ID_FIRST = frozenset({"session.started", "session.updated", "session.closed", "response.event"})


class Stage:
    """The state of one session. `deliver` takes an encoded event and whom it is for; `now` is the
    time (ns) of what is being done. `has_media`: audio goes past the wire (WebRTC, SIP), so that
    the session's time is that of the clock."""

    def __init__(
        self,
        options: Options,
        mint: Mint,
        session: Json,
        *,
        seed: str,
        has_media: bool,
        deliver: Deliver,
        now: int,
    ) -> None:
        self.options, self.mint, self.session = options, mint, session
        self.seed, self.has_media, self.now = seed, has_media, now
        self.agenda = Agenda()
        self.began_ns = now
        self.first_ns: int | None = now if has_media else None
        self.is_started = self.is_closing = False
        self._deliver = deliver
        self._heard_ms = 0.0
        self._heard_ns = now

    def advance(self, now: int) -> None:
        """Do what is due by `now`, each thing at its own time."""
        while (when := self.agenda.next()) is not None and when <= now:
            self.now = max(self.now, when)
            self.agenda.run(when)
        self.now = max(self.now, now)

    def after(self, ms: float, action: Callable[[], None]) -> Callable[[], None]:
        """Do something `ms` from now; the result takes it back."""
        entry = self.agenda.at(self.now + round(ms * _MS), lambda _: action())

        def cancel() -> None:
            entry.cancelled = True

        return cancel

    # Time

    def hear(self, ms: float) -> bool:
        """The client's audio goes on by `ms`; whether it is the first."""
        is_first = self.first_ns is None
        if is_first:
            self.first_ns = self.now
        self._heard_ms += ms
        self._heard_ns = self.now
        return is_first

    @property
    def heard_ms(self) -> float:
        """How far the session's time has come: it moves with the client's audio."""
        return self.clock_ms if self.has_media else self._heard_ms

    @property
    def clock_ms(self) -> float:
        """Milliseconds since the first audio, by the clock: where the output is."""
        return 0.0 if self.first_ns is None else (self.now - self.first_ns) / _MS

    @property
    def is_flowing(self) -> bool:
        """Whether audio comes: without it the model does not speak."""
        return self.has_media or self.now - self._heard_ns <= _STALLED_NS

    @property
    def seconds(self) -> float:
        """What is billed: whole seconds since the start, as recorded (21.25 s are 21.0)."""
        return float((self.now - self.began_ns) // (1000 * _MS))

    # Events

    def emit(self, type_: str, /, client_event_id: str | None = None, **fields: Any) -> None:
        """Send a server event to everyone."""
        name = self.mint.make("event_", self.now)
        event: Json = {"type": type_, **fields}
        event = {"event_id": name, **event} if type_ in _ID_FIRST else {**event, "event_id": name}
        if client_event_id is not None:
            event["client_event_id"] = client_event_id
        self._deliver(encoded(event), "all")

    def send(self, body: bytes, lane: Lane) -> None:
        """Send audio."""
        self._deliver(body, lane)

    def refuse(self, error: ClientError, event_id: str | None = None) -> None:
        """Answer with an `error` event; the session goes on."""
        self.emit("error", error=errors.body(error, event_id))


def encoded(event: Json) -> bytes:
    """An event as it goes out; a lone surrogate becomes a question mark."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
