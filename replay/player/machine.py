"""`Player`: plays the provider's side of a tape to whoever holds the client's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import Close, RequestHead
from recorder.providers.base import Provider
from replay.match.hearing import AudioMode
from replay.match.rulebook import Rulebook
from replay.match.rules import Rule
from replay.player.closing import NORMAL, Wrong, closings, refusal, too_early
from replay.player.dressing import Base
from replay.player.line import Line
from replay.player.modes import ModeName, Stepped
from replay.player.modes.until import parse_until
from replay.player.parts import Wishes, parts_of
from replay.player.rest import rest_limit
from replay.report import Failure, Missing, Tally
from replay.script import ExchangeScript, Script

_NS = 1_000_000_000


def _same(text: str) -> str:
    return text


class Player:
    """A `Machine` that serves the WebSockets and HTTP exchanges of one tape, each once.

    `speed` is a factor, None for at once; gaps longer than `idle_cap_s` on the tape are played as
    if they had been so long. `mode` decides when a message goes out, see `replay.player.modes`.
    `patience_s` bounds every wait for the client, beside the time that it needed on the tape.
    `spare` are exchanges from elsewhere that may be asked for, too; those `after` are waited for
    when the tape is used up, for the patience. Webhooks are delivered to the
    URL `webhook_to`, if given. `hide` takes secrets out of what is reported. `audio` is how
    streamed audio is compared. A client message, or an answer to a webhook, that does not fit ends
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
        mode: ModeName = "causal",
        idle_cap_s: float | None = None,
        spare: Sequence[ExchangeScript] = (),
        webhook_to: str | None = None,
        hide: Callable[[str], str] = _same,
        audio: AudioMode = "exact",
        after: Sequence[ExchangeScript] = (),
    ) -> None:
        self.failure: Failure | None = None
        self.mode = mode
        self._spare = {id(each) for each in spare}
        wishes = Wishes(speed, patience_s, mode, idle_cap_s, spare, webhook_to, hide, audio, after)
        self._parts = parts = parts_of(
            script, provider, book, wishes, lambda message: self._outbox.append(message)
        )
        self._mode, self._progress, self._explain = parts.mode, parts.progress, parts.explain
        self._exchanges, self._deliveries = parts.exchanges, parts.deliveries
        self._connections, self._account = parts.connections, parts.account
        self._lines = self._progress.lines
        self._outbox: list[Message] = []
        self._active_ns: int | None = None
        self._is_stale = True  # whether something has happened since `due` saw to all
        self._is_planned = False  # whether the following hold
        self._wake_ns: int | None = None
        self._alone: Line | None = None  # nothing is due before `_others_ns` but on this
        self._others_ns: int | None = None
        self._quick: dict[int, Line] = {}  # where audio matters to its own connection only

    def reached_at(self, url: str) -> None:
        """Tell the URL of the server that this runs behind."""
        scheme, _, host = url.partition("://")
        self._parts.dressing.base = Base(host, scheme == "https")

    # The machine

    def receive(self, message: Message, now: int) -> None:
        """Take one message of the client."""
        kind = message.kind
        if kind != "ws.binary" or self._active_ns is None:
            self._active_ns = now
        line = self._quick.get(message.channel)
        if line is not None and line.intake.repeats(message):
            return
        was_stale = self._is_stale
        if self._mode.in_order:
            self._outbox = self.due(now)  # what is due by now is before this
            was_stale = bool(self._outbox)
        self._is_stale = True
        if kind == "ws.text" or kind == "ws.binary":
            self._judge(self._connections.take(message, now))
            if line is not None and line.is_quiet:
                self._is_stale = was_stale
        elif kind == "ws.open":
            self._open(message, now)
        elif kind == "webhook.response":
            self._compare(message, now)
        elif kind == "http.request":
            self._answer(message, now)
        elif kind == "ws.close":
            self._judge(self._connections.hang_up(message, now))

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`."""
        if not self._is_stale:
            if not self._is_planned:
                self._plan()
            if self._wake_ns is None or now < self._wake_ns:
                return []
            line, others = self._alone, self._others_ns
            if line is not None and (others is None or now < others):
                sent, self._wake_ns = line.go(now, now), line.due_ns
                self._is_planned = line.due_ns is not None and others is None
                return sent
        self._flush(now)
        self._judge(self._connections.cut_short())
        self._watch_rest(now)
        sent, self._outbox = self._outbox, []
        self._is_stale = self._is_planned = False
        return sent

    def _flush(self, now: int) -> None:
        """Put into the outbox what is due by itself; what waits for that may be due next."""
        while self._advance(now):
            pass

    def _advance(self, now: int) -> bool:
        before, delivered = len(self._outbox), self._deliveries.sent
        answers = self._exchanges.due(now)
        if answers:
            self._progress.touch(now)
            self._outbox.extend(answers)
        for line in list(self._lines.values()):
            if not line.over:
                self._outbox.extend(line.due(now))
                self._judge(self._connections.watch(line, now))
        self._outbox.extend(self._deliveries.due(now))
        if self._deliveries.sent > delivered:
            self._active_ns = now
        return len(self._outbox) > before or self._deliveries.sent > delivered

    def next_deadline(self) -> int | None:
        """When the next message is due, or a wait ends."""
        if self._is_stale or not self._is_planned:
            if self._outbox:
                return self._active_ns
            self._plan()
        return self._wake_ns

    def _plan(self) -> None:
        """See when something is due, and whether it is on one connection only."""
        others = [self._exchanges.deadline(), self._deliveries.deadline(), self._rest_limit()]
        lines = [line for line in self._lines.values() if not line.over]
        times = [line.deadline() for line in lines]
        self._wake_ns = min((at for at in (*others, *times) if at is not None), default=None)
        self._others_ns = min((at for at in others if at is not None), default=None)
        self._quick = {line.channel: line for line in lines} if self._progress.is_deaf() else {}
        is_alone = len(lines) == 1 and lines[0].due_ns is not None
        is_alone = is_alone and self._deliveries.next_step() is None  # it may wait for the line
        is_alone = is_alone and not lines[0].is_ending
        self._alone = lines[0] if is_alone else None
        self._is_planned = True

    # Being stepped

    def advance(self, count: int = 1) -> None:
        """In mode `step`, let so many more messages go out; RecorderError in another."""
        self._stepped().advance(count)
        self._is_stale = True

    def advance_until(self, test: str) -> None:
        """In mode `step`, let all go out up to the first for which a test holds: a type, a JSON
        path, or a path and a value (`$.response.status=completed`). RecorderError for what is none,
        and in another mode."""
        self._stepped().advance_until(parse_until(test))
        self._is_stale = True

    def _stepped(self) -> Stepped:
        if not isinstance(self._mode, Stepped):
            raise RecorderError(
                f"the replay is not stepped: its mode is {self.mode}; play it with --mode step"
            )
        return self._mode

    @property
    def steps_left(self) -> int | None:
        """In mode `step`, how many messages may still go out; None up to a test, or any."""
        return self._mode.left if isinstance(self._mode, Stepped) else None

    # What comes

    def _open(self, message: Message, now: int) -> None:
        self._parts.dressing.asked(RequestHead.decode(message.body))
        if self.failure:
            self._refuse(message, 503)
        elif not self._judge(self._connections.open(message, now)):
            self._refuse(message, 404)

    def _answer(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        self._parts.dressing.asked(head)
        if self.failure:
            self._refuse(message, 503)
            return
        found = self._exchanges.ask(message, now)
        if not isinstance(found, ExchangeScript):
            wrong: Wrong | None = Wrong(self._explain.request(head, found))
        else:
            wrong = None if id(found) in self._spare else self._begin(found, now)
        if not self._judge(wrong):
            self._refuse(message, 404)

    def _begin(self, script: ExchangeScript, now: int) -> Wrong | None:
        ahead = self._mode.ahead(script.seq, f"step {script.seq} {script.type}")
        if ahead:
            return Wrong(too_early(ahead))
        self._progress.begin(script, now)
        return None

    def _compare(self, message: Message, now: int) -> None:
        """Take the application's answer to a webhook."""
        answer = self._deliveries.take(message, now)
        self._progress.touch(now)
        if answer is not None and (failure := self._explain.answer(answer)):
            self._judge(Wrong(failure))

    # What a fault takes away

    def step_of(self, channel: int, count: int) -> int:
        """The step of message `count` on a WebSocket, or of a webhook; 0 if it is none."""
        line = self._lines.get(channel)
        return line.step_of(count) if line else self._deliveries.step_of(channel)

    def serves(self, message: Message) -> bool:
        """Whether the tape has an upgrade or a request like this that was not begun yet."""
        if message.kind == "http.request":
            return self._exchanges.serves(message)
        head = RequestHead.decode(message.body)
        return self._parts.targets.socket(self._progress.free, head)[0] is not None

    def interrupt(self, channel: int, now: int) -> None:
        """Wait for nothing more of a WebSocket, or of the answer to a webhook."""
        self._is_stale = True
        line = self._lines.get(channel)
        if line:
            line.over = True
        else:
            self._deliveries.skip(channel, now)

    # The end

    def _judge(self, wrong: Wrong | None) -> bool:
        """End everything if the client did something wrong, and did not before; whether it has
        not."""
        if wrong is None:
            return True
        if self.failure is None:
            self.failure = wrong.failure
            self._is_stale = True
            self._outbox += closings(self._explain, wrong, self._lines.values())
            self._exchanges.drop()
            self._deliveries.drop()
        return False

    def _fail(self, failure: Failure) -> None:
        self._judge(Wrong(failure))

    def _refuse(self, message: Message, status: int) -> None:
        assert self.failure
        self._outbox.append(refusal(self._explain, self.failure, message, status))

    def _rest_limit(self) -> int | None:
        return None if self.failure else rest_limit(self._parts, self._active_ns)

    def _watch_rest(self, now: int) -> None:
        limit = self._rest_limit()
        if limit is None or now < limit:
            return
        if self._progress.free or not self._exchanges.forgive():
            patience = self._parts.pace.patience_ns / _NS
            self._fail(self._explain.not_begun(self._account.next(), patience))

    @property
    def finished(self) -> bool:
        """Whether all is over: the tape is used and every connection closed, or it failed."""
        if self._outbox or self._exchanges.deadline() is not None:
            return False
        return self.failure is not None or self._progress.is_over

    def give_up(self, reason: str) -> None:
        """End a replay that was not finished, such as by a signal."""
        if not self.finished:
            self._fail(Missing(reason))

    def leave(self, reason: str, now: int) -> None:
        """The application is gone, as if it had closed what is open. What may be missing is
        forgiven; a replay that has something else left fails for `reason`."""
        self._is_stale = True
        for line in self._lines.values():
            if not line.over and self.failure is None:
                close = Close(NORMAL, reason)
                hung_up = Message(line.channel, "ws.close", close.encode())
                self._judge(self._connections.hang_up(hung_up, now))
        self._outbox.clear()
        if not self._progress.free:
            self._exchanges.forgive()
        rest = self._account.next()
        if not self.finished:
            self._fail(Missing(f"{reason} before {rest}" if rest else reason))

    # The report

    @property
    def steps(self) -> Tally:
        """Messages of both sides (streamed audio aside, webhooks and answers to requests
        included) that came or went out, of those on the tape."""
        return self._account.steps

    @property
    def used(self) -> int:
        """Provider messages (webhooks and answers to requests, too) that went out."""
        return self._account.provider.used

    @property
    def total(self) -> int:
        """Provider messages (webhooks and answers to requests, too) of the tape."""
        return self._account.provider.total

    @property
    def idle_rules(self) -> list[Rule]:
        """The user's rules that held nowhere so far."""
        return self._account.idle_rules

    @property
    def last_step(self) -> int:
        """The last step of the tape that is a provider message or a webhook; 0 without one."""
        return self._account.last_step

    def next(self) -> str | None:
        """The first thing of the tape that was not used."""
        return self._account.next()

    def report(self) -> str:
        """What the replay came to, in under 12 lines."""
        return self._account.report(self.failure)
