"""A replay that can be paused, stepped and looked at by whoever can reach its port."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from recorder.errors import RecorderError
from recorder.events import Machine, Message
from recorder.heads import RequestHead, ResponseHead
from replay.player.machine import Player

CONTROL = "/replay"
"""The path of the requests that steer a replay; those below it, too."""

_WAYS = (
    "GET /replay, POST /replay/step?n=1, POST /replay/step?until=response.done, "
    "POST /replay/pause and POST /replay/resume"
)


class Remote:
    """A `Machine` around another that plays `player`.

    While it is paused time stands still for that machine: nothing goes out, no wait ends, and what
    the client sends comes at the time of the pause. Requests to `/replay` are answered here, all
    alike with the state of the replay as JSON.
    """

    def __init__(self, machine: Machine, player: Player) -> None:
        self._machine, self._player = machine, player
        self._outbox: list[Message] = []
        self._paused_ns: int | None = None
        self._lost_ns = 0  # spent in pauses that are over

    # The machine

    def receive(self, message: Message, now: int) -> None:
        """Take one message of the client, or of whoever steers."""
        if message.kind == "http.request":
            head = RequestHead.decode(message.body)
            if head.path == CONTROL or head.path.startswith(CONTROL + "/"):
                self._outbox.append(self._answer(message, head, now))
                return
        self._machine.receive(message, self._time(now))

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`."""
        answers, self._outbox = self._outbox, []
        return answers if self.paused else answers + self._machine.due(self._time(now))

    def next_deadline(self) -> int | None:
        """When there is more."""
        if self._outbox:
            return 0
        deadline = None if self.paused else self._machine.next_deadline()
        return None if deadline is None else deadline + self._lost_ns

    # Steering

    @property
    def paused(self) -> bool:
        """Whether time stands still."""
        return self._paused_ns is not None

    def pause(self, now: int) -> None:
        """Let time stand still."""
        if self._paused_ns is None:
            self._paused_ns = now

    def resume(self, now: int) -> None:
        """Go on as if no time had passed."""
        if self._paused_ns is not None:
            self._lost_ns += now - self._paused_ns
            self._paused_ns = None

    def _time(self, now: int) -> int:
        return (now if self._paused_ns is None else self._paused_ns) - self._lost_ns

    def _answer(self, message: Message, head: RequestHead, now: int) -> Message:
        status, said = 200, {}
        try:
            self._obey(head, now)
        except RecorderError as error:
            status, said = 400, {"error": str(error)}
        body = json.dumps({**said, **self._state()}, ensure_ascii=False).encode() + b"\n"
        answer = ResponseHead(status, "", (("Content-Type", "application/json"),))
        return Message(message.channel, "http.response", answer.encode(), body)

    def _obey(self, head: RequestHead, now: int) -> None:
        """Do what a request says; RecorderError if it says nothing that can be done."""
        wanted = f"{head.method} {head.path}"
        if wanted == f"POST {CONTROL}/step":
            self._step(head.query)
        elif wanted == f"POST {CONTROL}/pause":
            self.pause(now)
        elif wanted == f"POST {CONTROL}/resume":
            self.resume(now)
        elif wanted != f"GET {CONTROL}":
            raise RecorderError(f"{wanted} is nothing to do here: there are {_WAYS}")

    def _step(self, query: str) -> None:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        count, test = asked.pop("n", "1"), asked.pop("until", None)
        if asked or not count.isdecimal():
            raise RecorderError(f"?{query} is no step: write ?n=COUNT, or ?until=TEST")
        if test is None:
            self._player.advance(int(count))
        else:
            self._player.advance_until(test)

    def _state(self) -> Mapping[str, object]:
        player = self._player
        return {
            "mode": player.mode,
            "paused": self.paused,
            "steps_left": player.steps_left,
            "sent": player.used,
            "total": player.total,
            "next": player.next(),
            "finished": player.finished,
            "failure": player.failure.headline if player.failure else None,
        }
