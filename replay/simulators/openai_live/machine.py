"""The simulated GPT-Live as a machine: primary connections, sidebands, forks and HTTP exchanges."""

from __future__ import annotations

import re

from recorder.events import Message
from recorder.heads import RequestHead
from replay.simulators.common.frame import Simulator
from replay.simulators.openai import credentials
from replay.simulators.openai.errors import ClientError, Json, not_an_event
from replay.simulators.openai_live import errors, rest, session
from replay.simulators.openai_live.account import Account, Line, Sideband
from replay.simulators.openai_live.options import Options
from replay.simulators.openai_live.stage import encoded
from replay.simulators.openai_live.talk import check_event, parsed

_PRIMARY = re.compile(r"/live(?:/sessions)?/?\Z")
_NAMED = re.compile(r"/live/sessions/([^/]+)/(attach|fork)/?\Z")
_STARTS_NS = 300_000_000  # from session.start to session.started (recorded: 0.25 to 0.85 s)


class LiveSimulator(Simulator):
    """A seeded stand-in for the service.

    Randomness comes from `seed` and session times from `wall_ns` (ns since 1970 at the first
    message), so that equal input at equal times gives equal bytes; answers to upgrades and requests
    tell the seed in a header.
    """

    def __init__(self, seed: int, wall_ns: int, options: Options | None = None) -> None:
        super().__init__(seed, wall_ns)
        self._options = options or Options()
        self._waiting: dict[int, str | None] = {}  # not started; the parent of a fork
        self._open: dict[int, Line] = {}
        self._account = Account(self._options, seed, self._wall_s, self._post, self._hangup)

    def _run(self, now: int) -> None:
        for line in list(self._account.lines.values()):
            line.talk.stage.advance(now)

    def _next(self) -> int | None:
        nexts = (line.talk.stage.agenda.next() for line in self._account.lines.values())
        return min((when for when in nexts if when is not None), default=None)

    def _hangup(self, channel: int, code: int) -> None:
        self._close(channel, code)
        self._open.pop(channel, None)

    def _requested(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        answer = rest.handle(self._account, head, message.payload, now)
        self._send(message.channel, "http.response", answer.head(self._seed).encode(), answer.body)

    # Connections

    def _opened(self, message: Message, now: int) -> None:
        head, channel = RequestHead.decode(message.body), message.channel
        refused = self._refusal(head)
        if refused is not None:
            self._send(channel, "ws.open", refused.head(self._seed).encode(), refused.body)
            return
        self._accept(channel)
        named = _NAMED.search(head.path)
        if named is None or named[2] == "fork":
            self._waiting[channel] = named[1] if named else None
            return
        line = self._open[channel] = self._account.lines[named[1]]
        is_graceful = credentials.parameter(head, "graceful_close") == "true"
        line.attach(Sideband(channel, is_graceful))

    def _refusal(self, head: RequestHead) -> rest.Answer | None:
        """The answer to an upgrade that gets none, or None."""
        named = _NAMED.search(head.path)
        if named is None and not _PRIMARY.search(head.path):
            return rest.no_such_url(head)
        if credentials.key(head) is None:
            return rest.unauthorised()
        if named and named[2] == "attach" and named[1] not in self._account.lines:
            return rest.refusal(404, errors.no_such_session(named[1]))
        if named and named[2] == "fork" and named[1] not in self._account.stored:
            return rest.refusal(404, errors.not_stored(named[1]))
        return None

    def _text(self, message: Message, now: int) -> None:
        channel = message.channel
        if channel in self._waiting:
            self._start(message, now)
            return
        line = self._open.get(channel)
        if line is not None:
            line.talk.receive(message.body, is_sideband=channel != line.primary)

    def _start(self, message: Message, now: int) -> None:
        """The first frame of a primary connection."""
        channel, event_id = message.channel, None
        try:
            event = parsed(message.body)
            event_id = event["event_id"] if isinstance(event.get("event_id"), str) else None
            if event["type"] != "session.start":
                raise errors.not_started()
            check_event(event)
            line = self._account.open(self._resource(channel, event, now), now, primary=channel)
        except ClientError as error:
            self._refuse(channel, error, event_id, now)
            return
        del self._waiting[channel]
        self._open[channel] = line
        line.talk.stage.agenda.at(now + _STARTS_NS, lambda _: line.talk.begin(event_id))

    def _resource(self, channel: int, event: Json, now: int) -> Json:
        asked, parent = event["session"], self._waiting[channel]
        name, expires_at = self._account.new_id(), self._account.expires_at(now)
        if parent is None:
            return session.opened(asked, name, expires_at)
        return session.forked(
            self._account.stored[parent], asked, name, expires_at, has_media=False
        )

    def _refuse(self, channel: int, error: ClientError, event_id: str | None, now: int) -> None:
        """An error before there is a session."""
        name = self._account.mint.make("event_", now)
        told = {"type": "error", "error": errors.body(error, event_id), "event_id": name}
        self._post(channel, encoded(told))

    def _binary(self, message: Message, now: int) -> None:
        error = not_an_event("binary frames are not accepted.")
        line = self._open.get(message.channel)
        if line is not None:
            line.talk.stage.refuse(error)
        elif message.channel in self._waiting:
            self._refuse(message.channel, error, None, now)

    def _closed(self, message: Message, now: int) -> None:
        """A client is gone; without the primary connection its session ends."""
        self._waiting.pop(message.channel, None)
        line = self._open.pop(message.channel, None)
        if line is not None:
            line.leave(message.channel)
