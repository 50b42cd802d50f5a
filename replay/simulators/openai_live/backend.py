"""The backend of a session that delegates to a Responses model: calls of functions, then an answer.

A round as recorded: `session.delegation.created`, a response with the calls, the client's results
and one `response.create`, which may come before that response is complete, then a second response
under the same delegation, and the voice says its answer about a second later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from replay.simulators.common.words import pieces
from replay.simulators.openai.errors import Json
from replay.simulators.openai_live import errors, session
from replay.simulators.openai_live.mind import Call, Mind
from replay.simulators.openai_live.nested import Nested
from replay.simulators.openai_live.stage import Stage

_THINKS_MS = 300
_WRITES_MS = 12  # for each piece
_ENDS_MS = 150
_SPEAKS_MS = 800  # after the answer is complete


@dataclass
class _Work:
    """A delegation: what was said, the calls that wait for results, and those that came."""

    name: str
    said: str
    open_calls: set[str] = field(default_factory=set)
    results: list[str] = field(default_factory=list)
    last: str | None = None  # the response before
    is_over: bool = False


class Backend:
    """Does one piece of work after the other. `say(text)` is told what the voice is to say."""

    def __init__(self, stage: Stage, mind: Mind, say: Callable[[str], None]) -> None:
        self._stage, self._mind, self._say = stage, mind, say
        self._works: list[_Work] = []
        self._calls: dict[str, _Work] = {}
        self._typed: list[str] = []
        self._asked: list[str | None] = []  # ids of the wishes that wait
        self._running: Nested | None = None
        self._then: Callable[[], None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a response is being written."""
        return self._running is not None

    def delegate(
        self, said: str, calls: Sequence[Call], client_event_id: str | None = None
    ) -> None:
        """Begin work for what the user said; it waits for work that is being done."""
        work = _Work(self._stage.mint.make("item_", self._stage.now), said)
        if self._running is not None:
            self._then = lambda: self._begin(work, calls, client_event_id)
        else:
            self._begin(work, calls, client_event_id)

    def add(self, item: Json) -> None:
        """An item of the client: a result, or a message. ClientError for a call that is none; what
        repeats a result is accepted in silence."""
        if item.get("type", "message") != "function_call_output":
            parts = item.get("content", "")
            texts = [parts] if isinstance(parts, str) else [_text(each) for each in parts]
            self._typed.append(" ".join(filter(None, texts)))
            return
        call = str(item.get("call_id"))
        work = self._calls.get(call)
        if work is None:
            raise errors.no_such_call(call)
        if call in work.open_calls:
            work.open_calls.remove(call)
            work.results.append(str(item.get("output", "")))

    def create(self, event_id: str | None) -> None:
        """The client wants the backend to begin or to go on; ClientError if a result is missing."""
        waiting = next((work for work in self._works if work.open_calls), None)
        if waiting is not None and not self._typed:
            raise errors.no_output(min(waiting.open_calls))
        if self._running is not None:
            self._asked.append(event_id)
            return
        answered = next((work for work in self._works if work.results and not work.is_over), None)
        if answered is not None:
            self._run(answered, ())
            return
        said, self._typed = " ".join(self._typed), []
        config = session.backend(self._stage.session) or {}
        self.delegate(said, self._mind.calls(said, config), event_id)

    def cancel(self) -> None:
        """Drop what waits: a session that closes begins nothing more."""
        self._asked.clear()
        self._then = None

    def _begin(self, work: _Work, calls: Sequence[Call], client_event_id: str | None) -> None:
        self._works.append(work)
        self._run(work, calls, client_event_id, is_new=True)

    def _run(
        self,
        work: _Work,
        calls: Sequence[Call],
        client_event_id: str | None = None,
        *,
        is_new: bool = False,
    ) -> None:
        stage = self._stage
        config = session.backend(stage.session) or {}
        nested = self._running = Nested(stage, work.name, config, work.last)
        work.last = nested.id
        if is_new:
            told = {"id": work.name, "type": "delegation", "response_id": nested.id}
            stage.emit(
                "session.delegation.created",
                client_event_id,
                offset_ms=round(stage.clock_ms),
                delegation={**told, "target": "responses"},
            )
        nested.begin()
        stage.after(_THINKS_MS, lambda: self._write(work, nested, calls))

    def _write(self, work: _Work, nested: Nested, calls: Sequence[Call]) -> None:
        if calls:
            length = 0
            for call in calls:
                parts = pieces(call.arguments)
                name = nested.call(call.name, call.arguments, parts)
                work.open_calls.add(name)
                self._calls[name] = work
                length += len(parts)
            self._finish(nested, work, length)
            return
        output = " ".join(work.results) if work.results else None
        text = self._mind.words(work.said, output)
        work.is_over = True
        parts = pieces(text)
        nested.message(text, parts)
        self._finish(nested, work, len(parts))
        self._stage.after(_ENDS_MS + _SPEAKS_MS, lambda: self._say(text))

    def _finish(self, nested: Nested, work: _Work, written: int) -> None:
        taken = len(pieces(work.said)) + sum(len(pieces(each)) for each in work.results)

        def end() -> None:
            nested.complete(taken + 20, written)
            self._running = None
            self._go_on()

        self._stage.after(_ENDS_MS + written * _WRITES_MS, end)

    def _go_on(self) -> None:
        """Do what waited for the end of a response."""
        if self._asked:
            self.create(self._asked.pop(0))
        elif self._then is not None:
            then, self._then = self._then, None
            then()


def _text(part: object) -> str:
    return str(part.get("text", "")) if isinstance(part, dict) else ""
