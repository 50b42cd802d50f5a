"""The simulated Vapi as a machine: REST, call sockets and monitors by channel, webhooks outward.

A `webhook.request` goes out on a channel of the machine's own (from `FIRST_CHANNEL`), with the
absolute URL as path; its `webhook.response` comes back on the same channel, with status 0 and the
reason if the server could not be reached. A `ws.close` of 1006 on the channel of an HTTP request
says that its connection breaks without an answer.
"""

from __future__ import annotations

from dataclasses import replace

from recorder.events import Kind, Message
from recorder.heads import LOST, RequestHead
from replay.simulators.common.frame import Simulator
from replay.simulators.vapi import ending, past, requests
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.errors import Answer, Json, missing
from replay.simulators.vapi.options import Options
from replay.simulators.vapi.rest import Rest
from replay.simulators.vapi.talk import Talk

_MS = 1_000_000
_POLICY = 1008


class VapiSimulator(Simulator):
    """A seeded stand-in for the service.

    Randomness comes from `seed` and times from `wall_ns` (nanoseconds since 1970 at the first
    message), so equal input at equal times gives equal bytes. Answers to upgrades and requests tell
    the seed in a header.
    """

    def __init__(self, seed: int, wall_ns: int, options: Options | None = None) -> None:
        super().__init__(seed, wall_ns)
        self._account = Account(options or Options(), seed, self._wall_ms, self._outgoing)
        past.fill(self._account, wall_ns // _MS)
        self._talks: dict[str, Talk] = {}
        self._open: dict[int, Talk] = {}
        self._rest = Rest(self._account, self)
        self._receivers["webhook.response"] = self._account.courier.receive

    def start(self, call: Call, now: int) -> None:
        """A call was created: it waits for its socket, and maybe for its assistant."""
        talk = Talk(self._account, call, self._send, self._hang_up, self._ended, now)
        self._talks[call.id] = talk
        talk.stage.tell_server("status-update", now, {"status": "queued"})
        if call.assistant is None:
            requests.ask(talk.stage, talk.begin_if_ready, talk.end, now)

    def end(self, call: Call, reason: str, now: int) -> None:
        """Hang up."""
        self._talks[call.id].end(reason, now)

    def control(self, call: Call, message: Json, now: int) -> None:
        """An inbound message of the control URL; Refusal if it is not known."""
        self._talks[call.id].control(message, now)

    def _wall_ms(self, now: int) -> int:
        return self._wall(now) // _MS

    def _outgoing(self, message: Message) -> None:
        self._outbox.append(message)

    def _run(self, now: int) -> None:
        self._account.agenda.run(now)

    def _next(self) -> int | None:
        return self._account.agenda.next()

    def _hang_up(self, channel: int, code: int, reason: str) -> None:
        self._close(channel, code, reason)
        self._open.pop(channel, None)

    def _ended(self, call: Call, now: int) -> None:
        self._talks.pop(call.id)
        ending.conclude(self._account, call, now)

    def _requested(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        answer = self._rest.handle(head, message.payload, now)
        if answer.status == 0:
            self._close(message.channel, LOST)
        else:
            self._answer(message.channel, "http.response", answer)

    def _answer(self, channel: int, kind: Kind, answer: Answer) -> None:
        told = answer.head()
        head = replace(told, headers=(*told.headers, self._seed))
        self._send(channel, kind, head.encode(), answer.body)

    def _opened(self, message: Message, now: int) -> None:
        """A socket of a call: its URL is the key. One that the call does not want is closed."""
        channel, head = message.channel, RequestHead.decode(message.body)
        call_id, _, place = head.path.strip("/").partition("/")
        if place not in ("transport", "listen"):
            self._answer(channel, "ws.open", missing("Call").answer())
            return
        self._accept(channel)
        talk = self._talks.get(call_id)
        if talk is None:
            self._hang_up(channel, _POLICY, "no such call")
            return
        if place == "transport" and talk.is_taken:
            self._hang_up(channel, _POLICY, "the call is already connected")
            return
        self._open[channel] = talk
        (talk.open if place == "transport" else talk.listen)(channel, now)

    def _text(self, message: Message, now: int) -> None:
        talk = self._open.get(message.channel)
        if talk is not None:
            talk.text(message.channel, message.body, now)

    def _binary(self, message: Message, now: int) -> None:
        talk = self._open.get(message.channel)
        if talk is not None:
            talk.audio(message.channel, message.body, now)

    def _closed(self, message: Message, now: int) -> None:
        talk = self._open.pop(message.channel, None)
        if talk is not None:
            talk.leave(message.channel, now)
