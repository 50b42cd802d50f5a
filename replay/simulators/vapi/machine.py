"""The simulated Vapi as a machine: REST, call sockets and monitors by channel, webhooks outward.

A `webhook.request` goes out on a channel of the machine's own (from `FIRST_CHANNEL`), with the
absolute URL as path; its `webhook.response` comes back on the same channel, with status 0 and the
reason if the server could not be reached. A `ws.close` of 1006 on the channel of an HTTP request
says that its connection breaks without an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from recorder.events import Kind, Message
from recorder.heads import LOST, Close, RequestHead, ResponseHead
from replay.simulators.common import SEED_HEADER
from replay.simulators.vapi import ending, past, requests
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.errors import Answer, Json, missing
from replay.simulators.vapi.options import Options
from replay.simulators.vapi.rest import Rest
from replay.simulators.vapi.talk import Talk

_MS = 1_000_000
_POLICY = 1008


class VapiSimulator:
    """A seeded stand-in for the service.

    Randomness comes from `seed` and times from `wall_ns` (nanoseconds since 1970 at the first
    message), so equal input at equal times gives equal bytes. Answers to upgrades and requests tell
    the seed in a header.
    """

    def __init__(self, seed: int, wall_ns: int, options: Options | None = None) -> None:
        self._seed = (SEED_HEADER, str(seed))
        self._wall_ns = wall_ns
        self._began: int | None = None
        self._now = 0
        self._outbox: list[Message] = []
        self._account = Account(options or Options(), seed, self._wall_ms, self._outbox_post)
        past.fill(self._account, wall_ns // _MS)
        self._talks: dict[str, Talk] = {}
        self._open: dict[int, Talk] = {}
        self._rest = Rest(self._account, self)
        self._receivers: dict[str, Callable[[Message, int], None]] = {
            "ws.open": self._opened,
            "ws.text": self._text,
            "ws.binary": self._binary,
            "ws.close": self._closed,
            "http.request": self._requested,
            "webhook.response": self._account.courier.receive,
        }

    def receive(self, message: Message, now: int) -> None:
        """Take one message; other kinds than those of a client are for the shell alone."""
        self._advance(now)
        receiver = self._receivers.get(message.kind)
        if receiver is not None:
            receiver(message, now)

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`."""
        self._advance(now)
        sent, self._outbox = self._outbox, []
        return sent

    def next_deadline(self) -> int | None:
        """The time of the next event of any call, or of what already waits."""
        return self._now if self._outbox else self._account.agenda.next()

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
        began = now if self._began is None else self._began
        return (self._wall_ns + now - began) // _MS

    def _advance(self, now: int) -> None:
        if self._began is None:
            self._began = now
        self._account.agenda.run(now)
        self._now = max(self._now, now)

    def _outbox_post(self, message: Message) -> None:
        self._outbox.append(message)

    def _send(self, channel: int, kind: Kind, body: bytes) -> None:
        self._outbox.append(Message(channel, kind, body))

    def _hang_up(self, channel: int, code: int, reason: str) -> None:
        self._send(channel, "ws.close", Close(code, reason).encode())
        self._open.pop(channel, None)

    def _ended(self, call: Call, now: int) -> None:
        self._talks.pop(call.id)
        ending.conclude(self._account, call, now)

    def _requested(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        answer = self._rest.handle(head, message.payload, now)
        if answer.status == 0:
            self._send(message.channel, "ws.close", Close(LOST).encode())
        else:
            self._answer(message.channel, "http.response", answer)

    def _answer(self, channel: int, kind: Kind, answer: Answer) -> None:
        told = answer.head()
        head = replace(told, headers=(*told.headers, self._seed))
        self._outbox.append(Message(channel, kind, head.encode(), answer.body))

    def _opened(self, message: Message, now: int) -> None:
        """A socket of a call: its URL is the key. One that the call does not want is closed."""
        channel, head = message.channel, RequestHead.decode(message.body)
        call_id, _, place = head.path.strip("/").partition("/")
        if place not in ("transport", "listen"):
            self._answer(channel, "ws.open", missing("Call").answer())
            return
        accepted = ResponseHead(101, "Switching Protocols", (self._seed,))
        self._send(channel, "ws.open", accepted.encode())
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
