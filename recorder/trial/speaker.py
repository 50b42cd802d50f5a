"""The client's side of a conversation as a machine: follows a script, speaks, listens, interrupts.

It keeps the microphone open after speech (the provider's turn detector lives on appended
audio), answers function calls and asks for the reply after the response that made them,
drops what it plays when the provider hears the user, and tells it how much was heard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from recorder import heads
from recorder.audio.sizes import duration_ms
from recorder.events import Kind, Message
from recorder.heads import RequestHead, ResponseHead
from recorder.trial.answering import Answering, Called
from recorder.trial.cues import Cues, Moment
from recorder.trial.doubles import Doubles
from recorder.trial.ear import Ear
from recorder.trial.microphone import Microphone
from recorder.trial.playout import PlayOut
from recorder.trial.steps import AwaitReply, Close, Cue, Interrupt, Say, Speak, Step
from recorder.trial.wording import (
    CallMade,
    Configured,
    Ready,
    Refused,
    ReplyBegan,
    ReplyEnded,
    Said,
    Signal,
    Sound,
    SpeechStarted,
    Wording,
)

Tool = Callable[[Mapping[str, Any]], str]

_NS = 1_000_000_000
_SETUP_S = 15.0
_TICK_NS = 20_000_000  # how often a cue is looked at


class Heard(NamedTuple):
    """A reply: its words, and how many milliseconds were heard if it was cut short."""

    text: str
    cut_ms: int | None = None


class _Wait(NamedTuple):
    """Go on when `ready(now)`; `at()` is when time alone may make it so."""

    ready: Callable[[int], bool]
    what: str
    timeout_s: float = _SETUP_S
    at: Callable[[], int | None] = lambda: None


class Speaker:
    """Runs `steps` on one WebSocket, opened with `head` on `channel`.

    `tools` answer function calls by name with a string, at once; `doubles` answer the others when
    they are due, and are told by whoever answers calls elsewhere. `moments` are the cues that were
    given. `finished` turns true at the end, and `failed` then says in one line why it ended early,
    or None. `heard` and `called` are what came back. Times are monotonic ns.
    """

    def __init__(
        self,
        head: RequestHead,
        steps: Sequence[Step],
        wording: Wording,
        tools: Mapping[str, Tool] | None = None,
        *,
        doubles: Doubles | None = None,
        channel: int = 1,
        chunk_ms: int = 20,
    ) -> None:
        self.failed: str | None = None
        self.finished = False
        self.called: list[Called] = []
        self.moments: list[Moment] = []
        self._head, self._steps, self._wording = head, steps, wording
        self._tools, self._channel = tools or {}, channel
        self._microphone = Microphone(wording.codec, wording.rate, chunk_ms)
        self._playout = PlayOut()
        self._doubles = doubles
        self._answering = Answering()
        self._cues: Cues | None = None
        self._outbox: list[Message] = []
        self._now = 0
        self._connected = self._ready = self._configured = False
        self._reply: str | None = None
        self._calls = 0
        self._owed = False
        self._cut_call: str | None = None
        self._unread = False  # a function's output that no reply was asked for yet
        self._replies = 0
        self._asked_at = (0, 0)
        self._words: dict[str, str] = {}
        self._cuts: dict[str, int] = {}
        self._script = self._run()
        self._wait: _Wait | None = None
        self._gives_up_at = 0

    @property
    def heard(self) -> list[Heard]:
        """The replies so far, in the order in which their words were complete."""
        return [Heard(text, self._cuts.get(item)) for item, text in self._words.items()]

    def receive(self, message: Message, now: int) -> None:
        """Take what the provider sent."""
        self._now = now
        if self.finished:
            return
        if message.kind == "ws.open":
            self._opened(ResponseHead.decode(message.body), message.payload)
        elif message.kind == "ws.close":
            close = heads.Close.decode(message.body)
            self._fail(f"the provider closed the connection: {close.code} {close.reason}".rstrip())
        elif message.kind in ("ws.text", "ws.binary"):
            read = self._wording.read if message.kind == "ws.text" else self._wording.listen
            if message.kind == "ws.binary":
                self._listen(message.body)
            for signal in read(message.body):
                self._take(signal)
        self._proceed()

    def due(self, now: int) -> list[Message]:
        """What the client sends by `now`: audio as it is recorded, then what the script says."""
        self._now = now
        if not self.finished:
            for chunk in self._microphone.due(now):
                self._hear(chunk)
            self._answer()
            self._proceed()
        sent, self._outbox = self._outbox, []
        return sent

    def next_deadline(self) -> int | None:
        """When the client next acts by itself (ns)."""
        if self._outbox or (self._wait is None and not self.finished):
            return self._now
        if self.finished or self._wait is None:
            return None
        answer = self._answering.next()
        times = (self._microphone.next_deadline(), self._wait.at(), self._gives_up_at, answer)
        return min(
            (when for when in times if when is not None and when > self._now), default=self._now
        )

    def give_up(self, why: str, now: int) -> None:
        """End before the script does."""
        self._now = now
        if not self.finished:
            self._fail(why)

    # The script

    def _proceed(self) -> None:
        """Go on with the script as far as its waits allow."""
        while not self.finished:
            if self._wait is not None and not self._wait.ready(self._now):
                if self._now >= self._gives_up_at:
                    self._fail(f"no {self._wait.what} within {self._wait.timeout_s:g} s")
                return
            self._wait = next(self._script, None)
            if self._wait is None:
                self._end()
            else:
                self._gives_up_at = self._now + int(self._wait.timeout_s * _NS)

    def _run(self) -> Iterator[_Wait]:
        self._outbox.append(Message(self._channel, "ws.open", self._head.encode()))
        yield _Wait(lambda _: self._connected, "answer to the upgrade")
        yield _Wait(lambda _: self._ready, "session")
        settings = self._wording.configure()
        if settings:
            self._send(settings)
            yield _Wait(lambda _: self._configured, "confirmation of the settings")
        has_cues = any(isinstance(step, Cue) for step in self._steps)
        speaks = has_cues or any(
            isinstance(step, Speak) or getattr(step, "pcm", b"") for step in self._steps
        )
        ear = Ear(self._wording.codec, self._wording.rate, self._now)
        cues = Cues(ear, self._doubles or Doubles(()), self._now)
        self._cues = cues if has_cues else None  # nothing else needs ears
        if (speaks or self._wording.keeps_microphone_open) and not self._wording.manual_turns:
            self._microphone.start(self._now)
        for step in self._steps:
            if isinstance(step, Close) or self.finished:
                return
            if isinstance(step, Say):
                yield from self._say(step)
            elif isinstance(step, Speak):
                yield from self._speak(step.pcm, step.rate)
            elif isinstance(step, AwaitReply):
                yield from self._await_reply(step)
            elif isinstance(step, Cue):
                yield from self._cue(step, cues)
            else:
                yield from self._interrupt(step)

    def _say(self, step: Say) -> Iterator[_Wait]:
        yield _Wait(lambda _: self._reply is None and not self._owed, "end of the reply", 60.0)
        self._mark()
        self._send(self._wording.say(step.text))

    def _speak(self, data: bytes, rate: int) -> Iterator[_Wait]:
        microphone, length_s = self._microphone, len(data) / 2 / rate
        microphone.speak(data, rate)
        if not self._wording.manual_turns:
            yield _Wait(lambda _: microphone.has_spoken, "microphone", length_s + 5)
            self._mark()
            return
        microphone.start(self._now)
        yield _Wait(lambda _: microphone.is_empty, "microphone", length_s + 5)
        microphone.stop()
        yield _Wait(lambda _: self._reply is None, "end of the reply", 60.0)
        self._mark()
        self._send(self._wording.end_turn())

    def _mark(self) -> None:
        """From here on a reply is one to this input."""
        self._asked_at = (self._replies, self._playout.count)

    def _await_reply(self, step: AwaitReply) -> Iterator[_Wait]:
        asked, _ = self._asked_at

        def played(now: int) -> bool:
            return self._replies > asked and now >= self._playout.ends_at

        yield _Wait(played, "reply", step.timeout_s, lambda: self._playout.ends_at)

    def _interrupt(self, step: Interrupt) -> Iterator[_Wait]:
        asked, item = self._asked_at
        wanted = step.after_ms * 1_000_000

        def heard_enough(now: int) -> bool:
            over = self._replies > asked and now >= self._playout.ends_at
            return over or self._playout.heard_ns(item, now) >= wanted

        def when() -> int | None:
            at = self._playout.heard_at(item, wanted)
            return self._playout.ends_at if at is None else at

        yield _Wait(heard_enough, "reply", step.timeout_s, when)
        if self._playout.heard_ns(item, self._now) < wanted:
            self._fail(f"the reply ended before {step.after_ms} ms of it could be heard")
        elif step.pcm:
            yield from self._speak(step.pcm, step.rate)
        else:
            if self._reply is not None:
                self._send(self._wording.stop())
            self._cut()

    def _cue(self, step: Cue, cues: Cues) -> Iterator[_Wait]:
        """Wait for the moment, then speak if there is something to say."""
        gives_up = cues.gives_up(step)

        def come(now: int) -> bool:
            at = cues.at(step, now)
            return now >= gives_up or (at is not None and at <= now)

        def when() -> int:
            at = cues.at(step, self._now)
            return min(gives_up, self._now + _TICK_NS if at is None else at)

        patience_s = step.timeout_ms / 1000 + _SETUP_S
        yield _Wait(come, f"anchor {step.after}", patience_s, when)
        began, at = self._now, cues.at(step, self._now)
        trigger = "anchor" if at is not None and at <= began else "timeout"
        self.moments.append(Moment(step, began, trigger))
        if step.pcm:
            yield from self._speak(step.pcm, step.rate)
        cues.spoke(step, began, self._now)

    # What the provider says

    def _listen(self, audio: bytes) -> None:
        if self._cues is not None:
            self._cues.ear.add(audio, self._now)

    def _opened(self, head: ResponseHead, payload: bytes) -> None:
        if head.status == 101:
            self._connected = True
            return
        told = payload.decode("utf-8", "replace").strip() or head.reason
        self._fail(f"the upgrade was refused with status {head.status}: {' '.join(told.split())}")

    def _take(self, signal: Signal) -> None:
        if isinstance(signal, Ready):
            self._ready = True
        elif isinstance(signal, Configured):
            self._configured = True
        elif isinstance(signal, SpeechStarted):
            self._cut()
        elif isinstance(signal, ReplyBegan):
            self._reply, self._calls = signal.reply, 0
            self._owed = False
        elif isinstance(signal, Sound):
            ms = duration_ms(len(signal.audio), self._wording.codec, self._wording.rate)
            self._playout.add(signal.item, round(ms * 1_000_000), self._now)
            if not self._wording.sends_binary:
                self._listen(signal.audio)
        elif isinstance(signal, Said):
            self._words[signal.item] = signal.text
        elif isinstance(signal, CallMade):
            self._call(signal)
        elif isinstance(signal, ReplyEnded):
            self._ended(signal)
        elif isinstance(signal, Refused) and not signal.benign:
            self._fail(signal.message)

    def _call(self, signal: CallMade) -> None:
        self._calls += 1
        tool = self._tools.get(signal.name)
        if tool is None and self._doubles is None:
            self._fail(f"the provider called {signal.name}, for which the script has no tool")
            return
        at: int | None = self._now
        try:
            arguments = json.loads(signal.arguments)
        except ValueError:
            self._cut_call = signal.name  # if the reply is cut off, so are its arguments
            return
        try:
            if tool is not None:
                output = tool(arguments)
            elif self._doubles is not None:
                made = self._doubles.call(signal.call, signal.name, arguments, self._now)
                at, output = made.answered_ns, made.output
        except Exception as problem:
            self._fail(f"the tool {signal.name} failed: {problem}")
            return
        if at is not None:
            self._answering.add(at, signal.call, Called(signal.name, signal.arguments, output))
            self._answer()

    def _answer(self) -> None:
        """Give the answers that are due, and ask for a reply once all of them are given."""
        for call, called in self._answering.due(self._now):
            self.called.append(called)
            self._send(self._wording.result(call, called.output))
            self._unread = True
        self._ask()

    def _ask(self) -> None:
        if self._unread and self._reply is None and self._answering.is_empty:
            self._unread, self._owed = False, True
            self._send(self._wording.reply())

    def _ended(self, signal: ReplyEnded) -> None:
        self._reply = None
        self._playout.complete()
        cut_call, self._cut_call = self._cut_call, None
        if cut_call and signal.status == "completed":
            self._fail(f"the provider called {cut_call} with arguments that are not JSON")
        elif signal.status == "failed":
            self._fail(f"the reply failed: {signal.problem or 'no reason was given'}")
        elif signal.status == "cancelled":
            self._unread = False
        elif self._calls:
            self._owed = True
            self._ask()
        else:
            self._replies += 1

    def _cut(self) -> None:
        """Stop playing and say how much of each item was heard."""
        if self._cues is not None:
            self._cues.ear.cut(self._now)
        for item, ms in self._playout.interrupt(self._now):
            self._cuts[item] = ms
            self._send(self._wording.heard_until(item, ms))

    # Ends

    def _hear(self, chunk: bytes) -> None:
        kind: Kind = "ws.binary" if self._wording.sends_binary else "ws.text"
        self._outbox += [Message(self._channel, kind, one) for one in self._wording.hear(chunk)]

    def _send(self, bodies: Sequence[bytes]) -> None:
        self._outbox += [Message(self._channel, "ws.text", body) for body in bodies]

    def _fail(self, why: str) -> None:
        if self.failed is None:
            self.failed = why
        self._end()

    def _end(self) -> None:
        if not self.finished and self._connected:
            body = heads.Close(1000).encode()
            self._outbox.append(Message(self._channel, "ws.close", body))
        self._microphone.stop()
        self.finished = True
