"""Two machines against each other on a virtual clock: a conversation without sockets or waiting.

Time stands still while messages pass and then jumps to the next deadline, so that ten minutes of a
call take as long as its messages take to compute. Equal machines converse equally.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from recorder.events import Machine, Message, Sender
from recorder.heads import ResponseHead

Application = Callable[[Message], Message | None]
Ending = Literal["quiet", "limit"]
_Way = deque[tuple[int, Message]]  # when each arrives, in order
_TALK = ("ws.text", "ws.binary")
_PINNED = 1_000_000  # crossings at one time, beyond which it will never pass


class Crossing(NamedTuple):
    """A message that passed at `at_ns`, as the provider's end of the wire sees it: its own when
    they are sent, the client's when they arrive. A `note` is the recorder's."""

    at_ns: int
    sender: Sender
    message: Message


class Wire(NamedTuple):
    """How long a message travels, in ns: `up` to the provider, `down` to the client."""

    up: int = 0
    down: int = 0


_AT_ONCE = Wire()


class Loopback:
    """Iterates over what crosses between `client` and `provider`, as it crosses.

    Begins at `start_ns` and ends when nothing is on its way and neither machine has a deadline
    (`ended` is then ``quiet``), or before the first thing later than `start_ns + limit_ns`
    (``limit``). `application` answers webhooks; without it, or if it gives None, they come back
    with status 0, as from a server that cannot be reached.

    **Ties.** At one time, what has arrived at the provider is taken first, in the order of sending
    (the client's before answers to webhooks); then what has arrived at the client; then whatever is
    due by time alone, the client's before the provider's. Whoever takes a message is asked at once
    for what it has to say to it.

    Connections end as behind sockets: the first close of either side counts, and what a side
    says on a channel that is over for it is lost. What the provider still says to a client's close
    goes before it, and then the client's close is answered with the same.
    """

    def __init__(
        self,
        client: Machine,
        provider: Machine,
        *,
        limit_ns: int,
        start_ns: int = 0,
        wire: Wire = _AT_ONCE,
        application: Application | None = None,
    ) -> None:
        self.now_ns = start_ns
        self.ended: Ending | None = None
        self._client, self._provider, self._application = client, provider, application
        self._limit_ns, self._wire = start_ns + limit_ns, wire
        self._up: _Way = deque()
        self._answers: _Way = deque()  # of the application
        self._down: _Way = deque()
        self._ways = (self._up, self._answers, self._down)
        self._open: set[int] = set()  # channels, as the client sees them
        self._left: set[int] = set()  # those whose client has closed
        self._closed: set[int] = set()  # those that the provider is done with
        self._client_ns: int | None = None  # deadlines
        self._provider_ns: int | None = None
        self._crossed: list[Crossing] = []

    def __iter__(self) -> Iterator[Crossing]:
        crossed = self._crossed
        self._ask_client()
        self._provider_ns = self._provider.next_deadline()
        self._settle()
        while True:
            if crossed:
                yield from crossed
                crossed.clear()
            when = self._next()
            if when is None or when > self._limit_ns:
                self.ended = "quiet" if when is None else "limit"
                return
            if when > self.now_ns:
                self.now_ns = when
            if not (any(self._ways) and self._settle()):
                self._act()
                self._settle()

    def _next(self) -> int | None:
        """When the next thing happens."""
        when, provider_ns = self._client_ns, self._provider_ns
        if when is None or (provider_ns is not None and provider_ns < when):
            when = provider_ns
        for way in self._ways:
            if way and (when is None or way[0][0] < when):
                when = way[0][0]
        return when

    def _settle(self) -> bool:
        """Hand over what has arrived by now, and what that brings at once; whether there was
        something."""
        now, up, answers, down = self.now_ns, self._up, self._answers, self._down
        count = 0
        while True:
            if up and up[0][0] <= now:
                self._to_provider(up.popleft()[1])
            elif answers and answers[0][0] <= now:
                self._to_provider(answers.popleft()[1])
            elif down and down[0][0] <= now:
                self._to_client(down.popleft()[1])
            else:
                return count > 0
            count += 1
            if count > _PINNED:
                raise RuntimeError(f"{_PINNED} messages at {now} ns: time stands still")

    def _act(self) -> None:
        """Let a machine do what is due by time alone."""
        now = self.now_ns
        if self._client_ns is not None and self._client_ns <= now:
            if self._ask_client() or self._client_ns is None or self._client_ns > now:
                return
            machine = self._client
        else:
            if self._ask_provider() or self._provider_ns is None or self._provider_ns > now:
                return
            machine = self._provider
        raise RuntimeError(f"{type(machine).__name__} is due and gives out nothing")

    # The client's end

    def _ask_client(self) -> bool:
        """Send what the client has due."""
        now = self.now_ns
        messages = self._client.due(now)
        for message in messages:
            channel = message.channel
            if message.kind in ("ws.open", "http.request"):
                self._open.add(channel)
            elif channel not in self._open or channel in self._left:
                continue
            if message.kind == "ws.close":
                self._left.add(channel)
            self._up.append((now + self._wire.up, message))
        self._client_ns = self._client.next_deadline()
        return bool(messages)

    def _to_client(self, message: Message) -> None:
        channel, kind = message.channel, message.kind
        if channel not in self._open:
            return
        if kind not in _TALK and _ends(message):
            self._open.discard(channel)
        self._client.receive(message, self.now_ns)
        self._ask_client()

    # The provider's end

    def _ask_provider(self) -> bool:
        """Send what the provider has due."""
        now, crossed = self.now_ns, self._crossed
        messages = self._provider.due(now)
        for message in messages:
            kind = message.kind
            if kind == "webhook.request":
                crossed.append(Crossing(now, "provider", message))
                self._deliver(message)
            elif kind == "note":
                crossed.append(Crossing(now, "recorder", message))
            elif message.channel not in self._closed:
                crossed.append(Crossing(now, "provider", message))
                self._down.append((now + self._wire.down, message))
                if kind not in _TALK and _ends(message):
                    self._closed.add(message.channel)
        self._provider_ns = self._provider.next_deadline()
        return bool(messages)

    def _to_provider(self, message: Message) -> None:
        if message.kind == "ws.close":
            self._hang_up(message)
        elif message.channel not in self._closed:
            self._crossed.append(Crossing(self.now_ns, "client", message))
            self._provider.receive(message, self.now_ns)
            self._ask_provider()

    def _hang_up(self, close: Message) -> None:
        if close.channel in self._closed:
            return
        self._provider.receive(close, self.now_ns)
        self._ask_provider()
        if close.channel not in self._closed:
            self._closed.add(close.channel)
            self._crossed.append(Crossing(self.now_ns, "client", close))
            self._down.append((self.now_ns + self._wire.down, close))

    def _deliver(self, message: Message) -> None:
        """Post a webhook and bring its answer."""
        answer = self._application(message) if self._application else None
        if answer is None:
            answer = Message(message.channel, "webhook.response", ResponseHead(0).encode())
        self._answers.append((self.now_ns + self._wire.down + self._wire.up, answer))


def _ends(message: Message) -> bool:
    """Whether a message of the provider is the last on its channel."""
    if message.kind == "ws.open":
        return ResponseHead.decode(message.body).status != 101
    return message.kind in ("ws.close", "http.response")
