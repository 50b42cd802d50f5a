"""The fold that makes a conversation out of neutral messages: turns, answers, items, calls, words.

A turn begins with a user's input – speech that the provider heard, or typed words – that comes
after the agent has begun to answer the one before; until then further input continues the turn.
What the agent does before any input is a turn that it began itself. What names an answer or an item
belongs to the turn in which that began, however late it comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from recorder.events import Event
from recorder.projections import drafts
from recorder.projections.rows import ErrorRow, UnknownRow, VendorRow
from recorder.projections.toolcalls import has_failed
from recorder.providers import neutral


class Now(NamedTuple):
    """The event that is being folded; `audio_ms` is what of audio it carries."""

    session: str
    seq: int
    at_ns: int
    audio_ms: float

    @property
    def moment(self) -> drafts.Moment:
        """This event."""
        return drafts.Moment(self.at_ns, self.seq)


class Conversation:
    """Folds one session, event by event in order; `rows.py` says what the parts are."""

    def __init__(self) -> None:
        self.turns: list[drafts.Turn] = []
        self.responses: dict[str, drafts.Response] = {}
        self.items: dict[str, drafts.Item] = {}
        self.calls: dict[str, drafts.ToolCall] = {}
        self.transcripts: list[drafts.Transcript] = []
        self.interruptions: list[drafts.Interruption] = []
        self.errors: list[ErrorRow] = []
        self.vendor: list[VendorRow] = []
        self.derived: set[int] = set()
        self.unknown: Counter[str] = Counter()
        self.first_unknown: dict[str, int] = {}
        self.outline = drafts.Outline(0, 0)
        self.last_ns = 0
        self._speaking: drafts.Turn | None = None  # the turn whose user is heard now
        self._heard: drafts.Moment | None = None  # the provider last heard the user begin
        self._speeches: dict[str, int] = {}  # the decoder's name of a speech -> its turn
        self._open: dict[tuple[str, str, str | None], drafts.Transcript] = {}
        self._cuts: dict[str | None, drafts.Interruption] = {}
        self._folds: dict[type, Callable[[Any, Now], None]] = {
            neutral.Ready: self._ready,
            neutral.Placed: self._placed,
            neutral.Configured: self._configured,
            neutral.UserSpeech: self._user_speech,
            neutral.Stamped: self._stamped,
            neutral.HandedOver: self._handed_over,
            neutral.Committed: self._committed,
            neutral.Asked: self._asked,
            neutral.Words: self._words,
            neutral.ItemSeen: self._item_seen,
            neutral.ResponseStarted: self._response_started,
            neutral.ResponseEnded: self._response_ended,
            neutral.Voiced: self._voiced,
            neutral.ToolCalled: self._tool_called,
            neutral.ToolAnswered: self._tool_answered,
            neutral.Interrupted: self._interrupted,
            neutral.HeardUntil: self._heard_until,
            neutral.Stalled: self._stalled,
            neutral.VendorLatency: self._vendor_latency,
            neutral.Fault: self._fault,
            neutral.Ended: self._ended,
            neutral.Unknown: self._not_known,
        }

    def take(self, event: Event, audio_ms: float, messages: Sequence[neutral.Neutral]) -> None:
        """Fold one event, its audio and what it means."""
        told = self.outline
        told.first_seq, told.last_seq = told.first_seq or event.seq, event.seq
        self.last_ns = event.at_ns
        now = Now(event.session, event.seq, event.at_ns, audio_ms)
        if event.kind == "ws.open" and event.sender == "client":
            told.connected = told.connected or now.moment
        elif event.kind == "ws.open":
            told.opened = told.opened or now.moment
        for message in messages:
            self._folds[type(message)](message, now)

    def finish(self, session: str, messages: Sequence[neutral.Neutral]) -> None:
        """Fold what is known only when the tape is over, as if its last event told it."""
        now = Now(session, self.outline.last_seq, self.last_ns, 0.0)
        for message in messages:
            self._folds[type(message)](message, now)

    # The session

    def _placed(self, message: neutral.Placed, now: Now) -> None:
        told = self.outline
        if message.edge == "asked":
            told.placed = told.placed or now.moment
        else:
            told.placed_done = told.placed_done or now.moment

    def _ready(self, message: neutral.Ready, now: Now) -> None:
        self.outline.ready = self.outline.ready or now.moment

    def _configured(self, message: neutral.Configured, now: Now) -> None:
        told = self.outline
        if message.edge == "asked":
            told.configure = told.configure or now.moment
        else:
            told.configured = told.configured or now.moment

    def _ended(self, message: neutral.Ended, now: Now) -> None:
        """A reason that the provider gives in words says more than the code of a close."""
        told = self.outline
        if told.ended is None or not message.reason[:1].isdigit():
            told.end_reason, told.ended_by = message.reason, message.by
        told.ended = told.ended or now.moment

    def _stalled(self, message: neutral.Stalled, now: Now) -> None:
        self.outline.stalls += 1

    # The user

    def _user_turn(self, origin: str, now: Now) -> drafts.Turn:
        """The turn that new input of the user belongs to."""
        last = self.turns[-1] if self.turns else None
        if last is None or last.is_answered or last.origin == "agent":
            last = drafts.Turn(now.seq, now.seq, number=len(self.turns) + 1, origin=origin)
            self.turns.append(last)
        last.touch(now.seq)
        return last

    def _user_speech(self, message: neutral.UserSpeech, now: Now) -> None:
        if message.edge == "started":
            turn = self._speaking = self._user_turn("speech", now)
            if message.is_derived:
                self.derived.add(turn.number)
            else:
                self._heard = now.moment
            if message.speech:
                self._speeches[message.speech] = turn.number
            at_ns = now.at_ns if message.was_ns is None else message.was_ns
            turn.user_started = turn.user_started or drafts.Moment(at_ns, now.seq)
        else:
            turn = self._speaking or self._user_turn("speech", now)
            turn.user_stopped = now.moment
            turn.user_stopped_stamp = _stamp(message.stamp_ms, now)
            turn.touch(now.seq)
            self._speaking = None
        if message.item:
            self._item(message.item, now).turn = turn.number

    def _stamped(self, message: neutral.Stamped, now: Now) -> None:
        """It is of the last turn in which that happened."""
        for turn in reversed(self.turns):
            if message.what == "user stopped" and turn.user_stopped is not None:
                turn.user_stopped_stamp = turn.user_stopped_stamp or _stamp(message.ms, now)
                return
            if message.what == "agent started" and turn.response is not None:
                turn.response_stamp = turn.response_stamp or _stamp(message.ms, now)
                return

    def _handed_over(self, message: neutral.HandedOver, now: Now) -> None:
        self._user_turn("speech", now)

    def _committed(self, message: neutral.Committed, now: Now) -> None:
        known = self.items.get(message.item or "")
        turn = self._turn(known.turn) if known and known.turn else self._user_turn("speech", now)
        turn.committed = now.moment
        turn.touch(now.seq)
        if message.item:
            self._item(message.item, now).turn = turn.number

    def _asked(self, message: neutral.Asked, now: Now) -> None:
        turn = self._current(now)
        turn.touch(now.seq)
        turn.asked = turn.asked or now.moment

    # The agent

    def _turn(self, number: int) -> drafts.Turn:
        return self.turns[number - 1]

    def _current(self, now: Now) -> drafts.Turn:
        """The last turn; one that the agent begins if there is none."""
        if not self.turns:
            self.turns.append(drafts.Turn(now.seq, now.seq, number=1))
        return self.turns[-1]

    def _response(self, name: str | None, now: Now) -> drafts.Response | None:
        if name is None:
            return None
        found = self.responses.get(name)
        if found is None:
            turn = self._current(now)
            found = drafts.Response(now.seq, now.seq, response=name, turn=turn.number)
            self.responses[name] = found
            turn.responses += 1
            said = self._open.get(("assistant", "speech", name))
            if said is not None:  # words came before the sound that makes it a speech
                found.written(said.first)
        found.touch(now.seq)
        return found

    def _response_started(self, message: neutral.ResponseStarted, now: Now) -> None:
        response = self._response(message.response, now)
        assert response is not None
        turn = self._turn(response.turn)
        response.started = now.moment
        response.is_backend = message.is_backend
        if turn.response is None and not message.is_backend:
            turn.response = now.moment
            turn.response_stamp = _stamp(message.stamp_ms, now)
        turn.touch(now.seq)

    def _response_ended(self, message: neutral.ResponseEnded, now: Now) -> None:
        response = self._response(message.response, now)
        assert response is not None
        response.status, response.reason = message.status, message.reason
        response.ended = now.moment
        turn = self._turn(response.turn)
        turn.ended = turn.ended if response.is_backend else now.moment
        turn.touch(now.seq)

    def _voiced(self, message: neutral.Voiced, now: Now) -> None:
        known = self.items.get(message.item or "")
        named = message.response or (known.response if known else None)
        response = self._response(named, now)
        turn = self._turn(response.turn) if response else self._current(now)
        if response is not None:
            response.voiced(now.moment, now.audio_ms)
        turn.voiced(now.moment, now.audio_ms)
        turn.touch(now.seq)
        if message.item:
            item = self._item(message.item, now)
            item.audio_ms += now.audio_ms
            item.response = item.response or message.response

    def _item(self, name: str, now: Now) -> drafts.Item:
        found = self.items.get(name)
        if found is None:
            found = self.items[name] = drafts.Item(now.seq, now.seq, item=name)
        found.touch(now.seq)
        return found

    def _item_seen(self, message: neutral.ItemSeen, now: Now) -> None:
        item = self._item(message.item, now)
        item.kind = message.kind or item.kind
        item.role = message.role or item.role
        item.response = message.response or item.response
        if item.turn is None:
            response = self._response(message.response, now)
            item.turn = response.turn if response else self._current(now).number

    # Words

    def _words(self, message: neutral.Words, now: Now) -> None:
        if message.role == "system" or not message.text:
            return
        key = (message.role, message.via, message.item or message.response or message.speech)
        transcript = self._open.get(key)
        if transcript is None:
            turn = self._turn_of(message, now)
            transcript = drafts.Transcript(now.seq, now.seq, message, turn.number, now.moment)
            self._open[key] = transcript
            self.transcripts.append(transcript)
        transcript.add(message, now.moment)
        transcript.touch(now.seq)
        turn = self._turn(transcript.turn)
        turn.touch(now.seq)
        if message.role == "assistant":
            turn.written(now.moment)
            response = self.responses.get(message.response or "")
            if response is not None:
                response.written(now.moment)
                response.touch(now.seq)
        if message.form == "final":
            del self._open[key]

    def _turn_of(self, message: neutral.Words, now: Now) -> drafts.Turn:
        if message.role == "assistant":
            response = self.responses.get(message.response or "")
            return self._turn(response.turn) if response else self._current(now)
        known = self.items.get(message.item or "")
        if known is not None and known.turn is not None:
            return self._turn(known.turn)
        if message.speech is not None:
            begun = self._speeches.get(message.speech)
            return self._turn(begun) if begun else self._current(now)
        if message.via == "text" or message.start_ms is not None:
            return self._user_turn("text" if message.via == "text" else "speech", now)
        spoken = [turn for turn in self.turns if turn.origin == "speech"]
        return spoken[-1] if spoken else self._user_turn("speech", now)

    # Tools

    def _tool_called(self, message: neutral.ToolCalled, now: Now) -> None:
        response = self._response(message.response, now)
        turn = self._turn(response.turn) if response else self._current(now)
        turn.tool_calls += 1
        turn.touch(now.seq)
        self.calls[message.call] = drafts.ToolCall(
            now.seq,
            now.seq,
            message.name,
            message.arguments,
            message.call,
            turn.number,
            message.response,
            now.moment,
        )

    def _tool_answered(self, message: neutral.ToolAnswered, now: Now) -> None:
        """A result whose call was not seen tells no name, and is no row."""
        call = self.calls.get(message.call)
        if call is None:
            return
        call.output = message.output
        call.failed = has_failed(message.failed, message.output)
        call.answered = now.moment
        call.touch(now.seq)
        self._turn(call.turn).touch(now.seq)

    # Interruptions

    def _cut(self, response: str | None, by: str, now: Now) -> drafts.Interruption:
        """The interruption of an answer; what is told of it twice is one."""
        name = response or next(reversed(self.responses), None)
        found = self._cuts.get(name)
        if found is None:
            known = self.responses.get(name or "")
            turn = self._turn(known.turn) if known else self._current(now)
            found = drafts.Interruption(now.seq, now.seq, turn.number, by, name)
            if self._heard and (known is None or known.had_begun(self._heard)):
                found.detected = self._heard
                found.touch(self._heard.seq)
            self._cuts[name] = found
            self.interruptions.append(found)
            turn.was_interrupted = True
        found.touch(now.seq)
        return found

    def _interrupted(self, message: neutral.Interrupted, now: Now) -> None:
        known = self.responses.get(message.response or next(reversed(self.responses), ""))
        if message.by == "client" and known is not None and known.status is not None:
            return  # it asked too late: there was nothing left to cancel
        found = self._cut(message.response, message.by, now)
        if message.by == "client":
            found.acted = found.acted or now.moment
        elif not message.is_derived:
            found.by = "provider"  # the client that truncated meanwhile only followed
            found.detected = found.detected or now.moment

    def _heard_until(self, message: neutral.HeardUntil, now: Now) -> None:
        item = self._item(message.item, now)
        item.heard_ms = message.ms
        found = self._cut(item.response, "client", now)
        found.item = found.item or message.item
        found.heard[message.item] = message.ms
        found.acted = found.acted or now.moment

    # Rest

    def _vendor_latency(self, message: neutral.VendorLatency, now: Now) -> None:
        number = len(self.vendor) + 1
        row = VendorRow(now.session, number, message.turn, message.name, message.ms, now.seq)
        self.vendor.append(row)

    def _fault(self, message: neutral.Fault, now: Now) -> None:
        turn = self.turns[-1].number if self.turns else None
        number = len(self.errors) + 1
        self.errors.append(ErrorRow(now.session, number, turn, now.at_ns, *message, now.seq))

    def _not_known(self, message: neutral.Unknown, now: Now) -> None:
        self.unknown[message.type] += 1
        self.first_unknown.setdefault(message.type, now.seq)

    def unknown_rows(self, session: str) -> list[UnknownRow]:
        """Types that nobody knows, by name."""
        return [
            UnknownRow(session, name, count, self.first_unknown[name])
            for name, count in sorted(self.unknown.items())
        ]


def _stamp(ms: float | None, now: Now) -> drafts.Stamp | None:
    return None if ms is None else drafts.Stamp(ms, now.seq)
