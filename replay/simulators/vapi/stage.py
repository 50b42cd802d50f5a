"""What the parts of one live call share, and how it tells the client and the team's server."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from replay.simulators.common.agenda import Action, Entry
from replay.simulators.vapi import documents, names
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.courier import Answered
from replay.simulators.vapi.errors import Json, encode

MS = 1_000_000
_FINAL = 'transcript[transcriptType="final"]'


class Stage:
    """The state of one live call. `send` takes a text frame for the client and its listeners.

    `turn` counts the turns: it grows when the caller begins to speak after the assistant has.
    """

    def __init__(self, account: Account, call: Call, send: Callable[[bytes], None]) -> None:
        self.account, self.call, self._send = account, call, send
        self.options = account.options
        self.chance = random.Random(f"{call.seed}/talk")
        self.turn = 0
        self.assistant_spoke = False
        self._pending: dict[int, Entry] = {}

    def at(self, when: int, action: Action) -> Entry:
        """Do something later, unless the call has ended by then."""

        def run(now: int) -> None:
            del self._pending[entry.turn]
            action(now)

        entry = self.account.agenda.at(when, run)
        self._pending[entry.turn] = entry
        return entry

    def drop_all(self) -> None:
        """Forget what this call has yet to do."""
        for entry in self._pending.values():
            entry.cancelled = True

    def ms(self, now: int) -> int:
        """Milliseconds since 1970."""
        return self.account.wall_ms(now)

    def vary(self, ms: int) -> int:
        """A delay with the jitter of the options."""
        return ms + self.chance.randint(0, self.options.jitter_ms)

    def note(self, now: int, event: str, body: str, **attributes: object) -> None:
        """Add a row to the log of the call."""
        self.call.note(self.ms(now), event, body, **attributes)

    def tell(self, type_: str, now: int, fields: Json, *, server: Json | None = None) -> None:
        """Tell both sides, each if it has subscribed; `server` where its fields differ."""
        self.tell_client(type_, fields)
        self.tell_server(type_, now, fields if server is None else server)

    def tell_client(self, type_: str, fields: Json) -> None:
        """A text frame, not wrapped."""
        if type_ in self._wanted("clientMessages", names.CLIENT_DEFAULT):
            self._send(encode({"type": type_, **fields}))

    def tell_server(self, type_: str, now: int, fields: Json) -> None:
        """A webhook, wrapped in `message`."""
        wanted = self._wanted("serverMessages", names.SERVER_DEFAULT)
        if type_ == "transcript" and type_ not in wanted and fields["transcriptType"] == "final":
            type_ = _FINAL
        if type_ in wanted:
            self.request(type_, now, fields)

    def request(
        self,
        type_: str,
        now: int,
        fields: Json,
        *,
        server: Json | None = None,
        answered: Answered | None = None,
        timeout_s: float | None = None,
    ) -> bool:
        """A webhook whatever was subscribed; False if there is nobody to send it to."""
        server = server or self.account.server(self.call)
        if server is None:
            return False
        message = self._envelope(type_, now, fields)
        self.account.courier.send(
            server, self.call.id, message, now, answered=answered, timeout_s=timeout_s
        )
        return True

    def _envelope(self, type_: str, now: int, fields: Json) -> Json:
        call = self.call
        head = {"timestamp": self.ms(now), "type": type_, **fields}
        head.setdefault("artifact", documents.conversation(call))
        if call.asked.get("customer"):
            head["customer"] = call.asked["customer"]
        head["call"] = documents.snapshot(call)
        return head if call.assistant is None else {**head, "assistant": call.assistant}

    def _wanted(self, setting: str, default: list[str]) -> Any:
        return self.call.setting(setting, default)
