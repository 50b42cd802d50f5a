"""`Player`: plays the provider's side of a tape to whoever holds the client's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from recorder.events import Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers.base import Provider
from replay.match.compare import Difference, Matcher
from replay.match.jsontext import Json
from replay.match.requests import target_value
from replay.match.rulebook import Rulebook
from replay.player.deliveries import Deliveries
from replay.player.dressing import Base, Dressing
from replay.player.exchanges import Exchanges
from replay.player.leftover import left_over, streamed
from replay.player.line import Line, Pace, acquainted
from replay.player.mismatch import explain, misanswered, told
from replay.report import Failure, Tally, cut, difference_lines, report
from replay.script import DeliveryScript, ExchangeScript, Script, SocketScript

_NS = 1_000_000_000
_POLICY = 1008
_GOING = 1001
_NORMAL = 1000
_LATER_NS = 60 * _NS
_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two of them the code
CODE = "replay_mismatch"


def _same(text: str) -> str:
    return text


class Player:
    """A `Machine` that serves the WebSockets and HTTP exchanges of one tape, each once.

    `speed` is a factor, None for at once; `patience_s` bounds every wait for the client, beside
    the time that it needed on the tape. `spare` are exchanges from elsewhere that may be asked
    for, too. Webhooks are delivered to the URL `webhook_to`, if given. `hide` takes secrets out of
    what is reported. A client message, or an answer to a webhook, that does not fit ends
    everything: an error event, close 1008, `failure`.
    """

    def __init__(
        self,
        script: Script,
        provider: Provider,
        book: Rulebook,
        *,
        speed: float | None,
        patience_s: float = 15.0,
        spare: Sequence[ExchangeScript] = (),
        webhook_to: str | None = None,
        hide: Callable[[str], str] = _same,
    ) -> None:
        self.failure: Failure | None = None
        self._dressing = Dressing(provider)
        self._script, self._provider, self._book, self._hide = script, provider, book, hide
        self._matcher = Matcher(book, script.minted)
        self._pace = Pace(speed, int(patience_s * _NS))
        self._free = list(script.sockets)
        self._exchanges = Exchanges(
            script.exchanges,
            spare,
            self._request_differs,
            self._pace,
            book.tolerates,
            self._dressing.answer,
        )
        self._deliveries = Deliveries(
            script.deliveries, webhook_to, book, self._pace, self._reached, self._dressing.links
        )
        self._is_delivering = webhook_to is not None
        self._lines: dict[int, Line] = {}
        self._outbox: list[Message] = []
        self._active_ns: int | None = None
        self._reached_ns = 0  # how far the parts of the tape reach that were begun

    def reached_at(self, url: str) -> None:
        """Tell the URL of the server that this runs behind."""
        scheme, _, host = url.partition("://")
        self._dressing.base = Base(host, scheme == "https")

    # The machine

    def receive(self, message: Message, now: int) -> None:
        """Take one message of the client."""
        if message.kind != "ws.binary" or self._active_ns is None:
            self._active_ns = now
        if message.kind == "ws.open":
            self._open(message, now)
        elif message.kind == "webhook.response":
            self._compare(message, now)
        elif message.kind == "http.request":
            self._answer(message, now)
        elif message.kind == "ws.close":
            self._hang_up(message, now)
        elif message.kind in ("ws.text", "ws.binary"):
            self._take(message, now)

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`."""
        while self._advance(now):
            pass
        self._watch_rest(now)
        sent, self._outbox = self._outbox, []
        return sent

    def _advance(self, now: int) -> bool:
        """Hand out what is due on its own; what waits for that may be due next."""
        before, delivered = len(self._outbox), self._deliveries.sent
        self._outbox.extend(self._exchanges.due(now))
        for line in list(self._lines.values()):
            if not line.over:
                self._outbox.extend(line.due(now))
                self._watch(line, now)
        self._outbox.extend(self._deliveries.due(now))
        if self._deliveries.sent > delivered:
            self._active_ns = now
            self._reached_ns = max(self._reached_ns, self._deliveries.reached_ns)
        return len(self._outbox) > before or self._deliveries.sent > delivered

    def next_deadline(self) -> int | None:
        """When the next message is due, or a wait ends."""
        if self._outbox:
            return self._active_ns
        times = [line.deadline() for line in self._lines.values()]
        times += [self._exchanges.deadline(), self._deliveries.deadline(), self._rest_limit()]
        return min((when for when in times if when is not None), default=None)

    # Connections

    def _open(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        self._dressing.asked(head)
        if self.failure:
            self._refuse(message, "ws.open", 503)
            return
        script, found = self._socket(head)
        if script is None:
            self._fail(_unexpected(f"WebSocket to {head.path}", found, self._hide), now)
            self._refuse(message, "ws.open", 404)
            return
        self._free.remove(script)
        self._reached_ns = max(self._reached_ns, script.end_ns)
        tracker = acquainted(self._provider.tracker(), self._script, script, message)
        self._lines[message.channel] = Line(
            message.channel, script, self._matcher, tracker, self._pace, now, self._released
        )

    def _released(self, seq: int) -> int | None:
        """When the webhooks and commands that step `seq` of a socket waits for had come."""
        if not self._exchanges.was_asked(seq, self._provider.RULES.commands):
            return None
        return self._deliveries.released(seq)

    def _reached(self, step: DeliveryScript) -> bool:
        """Whether all has happened that was before a webhook."""
        if any(script.seq < step.seq for script in self._free):
            return False
        for line in self._lines.values():
            heard = line.over or line.ear.loud >= step.loud.get(line.script.channel, 0)
            if not heard or (line.script.seq < step.seq and not line.reached(step.seq)):
                return False
        return self._exchanges.reached(step.seq)

    def _socket(self, head: RequestHead) -> tuple[SocketScript | None, Difference | None]:
        """The first unused WebSocket of the tape that was opened like this."""
        first: Difference | None = None
        for script in self._free:
            if script.request is None:
                return script, None
            found = self._request_differs(target_value(script.request), target_value(head))
            if found is None:
                return script, None
            first = first or found
        return None, first

    def _request_differs(self, want: dict[str, Json], got: dict[str, Json]) -> Difference | None:
        """Paths may also carry the prefix of the proxy, or be without it."""
        prefix = self._provider.PREFIX
        path = str(got["path"])
        if want["path"] in (prefix + path, path.removeprefix(prefix)):
            got = {**got, "path": want["path"]}
        return self._matcher.match_values("", want, got)

    def _take(self, message: Message, now: int) -> None:
        line = self._lines.get(message.channel)
        if line is None or line.over or self.failure:
            return
        if not line.take(message.kind, message.body, now):
            self._fail(explain(line, message, self._matcher, self._hide), now, line, message.body)

    def _hang_up(self, message: Message, now: int) -> None:
        line = self._lines.get(message.channel)
        if line is None or line.over:
            return
        close = Close.decode(message.body)
        self._outbox.extend(line.hang_up(close, now))
        unused, missing = line.unused(), line.missing()
        if (unused or missing) and self.failure is None:
            rest = f"step {unused[0].seq} {unused[0].type}" if unused else ""
            due = f"step {missing[0].seq} {missing[0].type}" if missing else ""
            text = " and ".join(
                part
                for part in (
                    unused and f"{len(unused)} provider messages were unused, next {rest}",
                    missing and f"{due} had not been sent",
                )
                if part
            )
            self._fail(Failure(f"the client closed ({close.code}) while {text}"), now)

    def _watch(self, line: Line, now: int) -> None:
        """End a wait that took too long."""
        line.finish_waiting(now)
        if not line.expired(now):
            return
        awaited, step = line.awaited(), line.next_step()
        patience = self._pace.patience_ns / _NS
        if awaited is None and step is None:
            line.over = True
            line.notes.append(f"the client did not close within {patience:g} s of the end")
            close = Close(_NORMAL, "end of the tape")
            self._outbox.append(Message(line.channel, "ws.close", close.encode()))
            return
        if awaited:
            named = told(awaited, self._provider, self._hide)
            text = f"the client did not send {named}"
        else:
            assert step is not None
            text = (
                f"step {step.seq} {step.type} waits for {step.loud} bytes of audio that are not "
                f"silence, and the client sent {line.ear.loud}"
            )
        self._fail(Failure(f"{text} within {patience:g} s of its time"), now, line)

    # HTTP

    def _answer(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        self._dressing.asked(head)
        if self.failure:
            self._refuse(message, "http.response", 503)
            return
        found = self._exchanges.ask(message, now)
        if isinstance(found, ExchangeScript):
            self._reached_ns = max(self._reached_ns, found.end_ns)
            return
        self._fail(_unexpected(f"{head.method} {head.path}", found, self._hide), now)
        self._refuse(message, "http.response", 404)

    # Webhooks

    def _compare(self, message: Message, now: int) -> None:
        """Take the application's answer to a webhook."""
        answer = self._deliveries.take(message, now)
        if answer is not None and not self.failure:
            failure = misanswered(answer, self._matcher, self._hide)
            if failure:
                self._fail(failure, now)

    # The end

    def _fail(
        self, failure: Failure, now: int, line: Line | None = None, body: bytes | None = None
    ) -> None:
        if self.failure is not None:
            return
        self.failure = failure
        for other in self._lines.values():
            if other.over:
                continue
            other.over = True
            is_culprit = other is line
            if is_culprit:
                text = self._error(failure.headline, failure.details, body)
                self._outbox.append(Message(other.channel, "ws.text", text))
            code = _POLICY if is_culprit else _GOING
            reason = _limited(f"replay: {failure.headline}")
            self._outbox.append(Message(other.channel, "ws.close", Close(code, reason).encode()))
        self._exchanges.drop()
        self._deliveries.drop()

    def _error(self, headline: str, details: tuple[str, ...], body: bytes | None = None) -> bytes:
        text = cut("; ".join((headline, *(line.strip() for line in details))), 600)
        event_id = self._matcher.event_id(body) if body else None
        return self._provider.error_event(
            CODE, f"replay: {text}", event_id=event_id, by_client=True
        )

    def _refuse(
        self, message: Message, kind: Literal["ws.open", "http.response"], code: int
    ) -> None:
        """Answer a request or an upgrade with the failure."""
        assert self.failure
        head = ResponseHead(code, "", (("Content-Type", "application/json"),))
        body = self._error(self.failure.headline, self.failure.details)
        self._outbox.append(Message(message.channel, kind, head.encode(), body))

    def _rest_limit(self) -> int | None:
        """When the wait ends for a connection or request that the client has not begun."""
        if self.failure or self._active_ns is None or self._exchanges.deadline() is not None:
            return None
        if self._deliveries.deadline() is not None or self._deliveries.outstanding:
            return None
        rest: list[SocketScript | ExchangeScript] = [*self._free, *self._exchanges.unused]
        if not rest or any(not (line.over or line.is_held) for line in self._lines.values()):
            return None
        allow = max(0, min(script.at_ns for script in rest) - self._reached_ns)
        if self._exchanges.may_be_missing and not self._free and allow > _LATER_NS:
            allow = 0  # fetched long after the conversation
        return self._active_ns + allow + self._pace.patience_ns

    def _watch_rest(self, now: int) -> None:
        limit = self._rest_limit()
        if limit is None or now < limit:
            return
        if self._free or not self._exchanges.forgive():
            patience = self._pace.patience_ns / _NS
            self._fail(
                Failure(f"the client did not begin {self._next()} within {patience:g} s"), now
            )

    @property
    def finished(self) -> bool:
        """Whether all is over: the tape is used and every connection closed, or it failed."""
        if self._outbox or self._exchanges.deadline() is not None:
            return False
        if self.failure:
            return True
        over = all(line.over for line in self._lines.values()) and self._deliveries.over
        return over and not self._free and not self._exchanges.unused

    def give_up(self, reason: str) -> None:
        """End a replay that was not finished, such as by a signal."""
        if not self.finished:
            self._fail(Failure(reason), self._active_ns or 0)

    # The report

    @property
    def used(self) -> int:
        """Provider messages (webhooks and answers to requests, too) that went out."""
        lines = sum(line.sent for line in self._lines.values())
        return lines + self._exchanges.used + self._deliveries.sent

    @property
    def total(self) -> int:
        """Provider messages (webhooks and answers to requests, too) of the tape."""
        sockets = sum(len(script.planned) for script in self._script.sockets)
        return sockets + len(self._script.exchanges) + len(self._script.deliveries)

    def report(self) -> str:
        """What the replay came to, in under 12 lines."""
        lines = list(self._lines.values())
        wanted = sum(len(script.expected) for script in self._script.sockets)
        return report(
            self.failure,
            Tally(self.used, self.total),
            Tally(sum(sum(line.matched) for line in lines), wanted),
            self._next(),
            [streamed(line) for line in lines],
            [self._hide(note) for note in self._notes(lines)],
        )

    def _notes(self, lines: Sequence[Line]) -> list[str]:
        notes = [note for line in lines for note in line.notes] + self._exchanges.notes
        if self._script.deliveries and not self._is_delivering:
            notes.append(f"{len(self._script.deliveries)} webhooks were not sent: no --webhook-to")
        return notes

    def _next(self) -> str | None:
        """The first thing of the tape that was not used."""
        lines = list(self._lines.values())
        return left_over(lines, self._free, self._exchanges.unused, self._deliveries.unused())


def _unexpected(what: str, found: Difference | None, hide: Callable[[str], str]) -> Failure:
    """A connection or request that is not on the tape, or not any more."""
    if found is None:
        return Failure(f"the tape has no further {hide(what)}")
    return Failure(f"{hide(what)} is not on the tape", difference_lines(found, hide))


def _limited(reason: str) -> str:
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore")
