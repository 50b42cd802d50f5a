"""What the parts of one conversation share: its settings, its items, its time and its voice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from replay.simulators.common.agenda import Agenda
from replay.simulators.openai import beta
from replay.simulators.openai.conversation import Conversation
from replay.simulators.openai.errors import ClientError, Fatal, Json
from replay.simulators.openai.ids import Mint
from replay.simulators.openai.options import Options
from replay.simulators.openai.usage import PromptCache, RateLimit

Deliver = Callable[[bytes, bool], None]


class Stage:
    """The state of one session.

    `deliver` takes an encoded event and whether it is reply audio, which a call's sideband does
    not carry; `close` ends the connections with a code and a reason. `now` is the time (ns) of
    what is being done.
    """

    def __init__(
        self,
        options: Options,
        mint: Mint,
        limit: RateLimit,
        *,
        seed: str,
        speaks_beta: bool,
        is_call: bool,
        deliver: Deliver,
        close: Callable[[int, str], None],
        now: int,
    ) -> None:
        self.options, self.mint, self.limit = options, mint, limit
        self.seed, self.speaks_beta, self.is_call = seed, speaks_beta, is_call
        self._deliver, self.close = deliver, close
        self.now = now
        self.agenda = Agenda()
        self.conversation = Conversation()
        self.conversation_id = mint.make("conv_", now)
        self.cache = PromptCache()
        self.session: Json = {}

    @property
    def answers(self) -> bool:
        """Whether this session makes responses; one for transcription does not."""
        return bool(self.session["type"] == "realtime")

    def advance(self, now: int) -> None:
        """Do what is due by `now`, each thing at its own time."""
        while (when := self.agenda.next()) is not None and when <= now:
            self.now = max(self.now, when)
            self.agenda.run(when)
        self.now = max(self.now, now)

    def emit(self, type_: str, /, **fields: Any) -> None:
        """Send a server event, in the dialect of the connection."""
        event: Json | None = {
            "type": type_,
            "event_id": self.mint.make("event_", self.now),
            **fields,
        }
        if self.speaks_beta:
            event = beta.from_ga(event or {})
        if event is None:
            return
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )
        self._deliver(body, type_ == "response.output_audio.delta")

    def refuse(self, error: ClientError, event_id: str | None = None) -> None:
        """Answer with an `error` event; a fatal one also closes."""
        self.emit("error", error=error.body(event_id))
        if isinstance(error, Fatal):
            self.agenda.clear()
            self.close(error.close, error.reason)
