"""One live call on its socket: from the upgrade to the hang-up, and who listens in.

It ends by the client's close or `end-call`, by the assistant, by silence, by its longest duration,
by deletion, or because no audio comes in time.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from recorder.events import Kind
from replay.simulators.common.agenda import Entry
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import DID_NOT_JOIN, Call
from replay.simulators.vapi.caller import Caller
from replay.simulators.vapi.errors import Json, Refusal
from replay.simulators.vapi.history import Span
from replay.simulators.vapi.mouth import Line
from replay.simulators.vapi.replier import Replier
from replay.simulators.vapi.sound import FRAME_MS, Samples
from replay.simulators.vapi.stage import MS, Stage

_S = 1_000_000_000
_START_NS = 140 * MS  # from the socket to `in-progress`
_MONITOR_NS = 100 * MS  # how much later monitors hear
_JOIN_S, _SILENCE_S, _LONGEST_S = 15, 30, 600

Send = Callable[[int, Kind, bytes], None]
Ended = Callable[[Call, int], None]


class Talk:
    """A call that has not ended. `send` takes a channel, a kind of message and its body; `ended`
    is told once it is over, `hang_up` closes a channel."""

    def __init__(
        self,
        account: Account,
        call: Call,
        send: Send,
        hang_up: Callable[[int, int, str], None],
        ended: Ended,
        now: int,
    ) -> None:
        self.call, self._send, self._hang_up, self._ended = call, send, hang_up, ended
        self.stage = Stage(account, call, self._text_out)
        self._channel: int | None = None
        self._listeners: dict[int, bool] = {}
        self._replier = Replier(self.stage, self._play, self.end)
        self._caller = Caller(self.stage, self._replier)
        self._has_audio = False
        self._quiet_since = 0
        self._tick: Entry | None = None
        self._ticked = now
        self._join: Entry | None = None
        self._expect_audio(now)

    # Sockets

    @property
    def is_taken(self) -> bool:
        """Whether the call has its socket."""
        return self._channel is not None

    def open(self, channel: int, now: int) -> None:
        """The client's socket; the call begins once its assistant is known."""
        self._channel = channel
        self._expect_audio(now)
        self.stage.note(now, "call.transportConnected", "Transport connected")
        self.begin_if_ready(now)

    def begin_if_ready(self, now: int) -> None:
        """Begin if both the socket and the assistant are there."""
        if self._channel is not None and self.call.assistant is not None:
            self.stage.at(now + _START_NS, self._begin)

    def listen(self, channel: int, now: int) -> None:
        """A monitor: gets stereo PCM (left the caller, right the assistant) and the text frames."""
        self._listeners[channel] = True
        if self._tick is None:
            self._ticked = now
            self._tick = self.stage.at(now + FRAME_MS * MS, self._mix)

    def leave(self, channel: int, now: int) -> None:
        """A socket was closed by its client."""
        if channel == self._channel:
            self._channel = None
            self.end("customer-ended-call", now)
        else:
            self._listeners.pop(channel, None)

    def _begin(self, now: int) -> None:
        stage, call = self.stage, self.call
        call.begin(stage.ms(now), now)
        stage.note(now, "call.started", "Call started")
        for message in call.plan("model").get("messages") or []:
            if message.get("role") == "system":
                call.history.system(str(message.get("content", "")), stage.ms(now))
        stage.tell("status-update", now, {"status": "in-progress"})
        stage.tell("assistant.started", now, {"newAssistant": call.assistant})
        longest = call.setting("maxDurationSeconds", _LONGEST_S)
        stage.at(now + _ns(longest), lambda at: self.end("exceeded-max-duration", at))
        self._quiet_since = now
        self._check_silence(now)
        self._replier.greet(now)

    # Audio

    def audio(self, channel: int, data: bytes, now: int) -> None:
        """What a client sent; nothing is heard of a monitor, or before the call has begun."""
        if channel != self._channel:
            return
        if not self._has_audio:
            self._has_audio = True
            if self._join is not None:
                self._join.cancelled = True
        if self.call.started_ms is None:
            return
        samples = self._caller.hear(data, now)
        if self._caller.speaking:
            self._quiet_since = now
        length_ns = samples.size * _S // self.call.form.rate
        self.call.customer.put(samples, now - length_ns - self.call.started_ns)

    def _play(self, samples: Samples, now: int) -> None:
        self._quiet_since = now
        self.call.bot.put(samples, now - self.call.started_ns)
        if self._channel is not None:
            self._send(self._channel, "ws.binary", self.call.form.encode(samples))

    def _mix(self, now: int) -> None:
        """20 ms of both sides, for the monitors."""
        self._tick = None
        if not self._listeners:
            return
        if self.call.started_ms is not None:
            rate, since = self.call.form.rate, self.call.started_ns
            times = (self._ticked - _MONITOR_NS, now - _MONITOR_NS)
            start, end = (max(0, at - since) * rate // _S for at in times)
            both = [lane.part(start, end) for lane in (self.call.customer, self.call.bot)]
            body = np.stack(both, axis=1).astype("<i2").tobytes()
            for channel in self._listeners:
                self._send(channel, "ws.binary", body)
        self._ticked = now
        self._tick = self.stage.at(now + FRAME_MS * MS, self._mix)

    def _text_out(self, body: bytes) -> None:
        channels = [] if self._channel is None else [self._channel]
        for channel in (*channels, *self._listeners):
            self._send(channel, "ws.text", body)

    # What the client says in words

    def text(self, channel: int, data: bytes, now: int) -> None:
        """A text frame; one that is of no use is passed over, as the service does."""
        if channel != self._channel:
            return
        try:
            message = json.loads(data)
            self.control(message if isinstance(message, dict) else {}, now)
        except (ValueError, Refusal):
            self.stage.note(now, "call.messageIgnored", "Message ignored")

    def control(self, message: Json, now: int) -> None:
        """An inbound message, from the socket or the control URL; Refusal for an unknown one."""
        known = {
            "say": self._say,
            "add-message": self._add,
            "control": self._switch,
            "end-call": self._end_call,
            "hangup": self._end_call,
        }
        handler = known.get(str(message.get("type")))
        if handler is None:
            listed = ", ".join(known)
            raise Refusal(400, [f"type must be one of the following values: {listed}"])
        if self.call.started_ms is None and handler != self._end_call:
            raise Refusal(400, "The call has not started.")
        handler(message, now)

    def _end_call(self, message: Json, now: int) -> None:
        self.end("assistant-ended-call-with-hangup-task", now)

    def _say(self, message: Json, now: int) -> None:
        content = message.get("content")
        if not isinstance(content, str) or not content:
            raise Refusal(400, ["content must be a string"])
        then = self._end_after if message.get("endCallAfterSpoken") else None
        if message.get("interruptAssistantEnabled"):
            self._replier.mouth.cut(now)
        can_be_cut = message.get("interruptionsEnabled") is not False
        line = Line(content, self._replier.mint.uuid4(), can_be_cut, then)
        self._replier.say(line, now)

    def _end_after(self, now: int) -> None:
        self.end("assistant-ended-call-after-message-spoken", now)

    def _add(self, message: Json, now: int) -> None:
        added = message.get("message")
        if not isinstance(added, dict) or not isinstance(added.get("content"), str):
            raise Refusal(400, ["message must be an object"])
        text, role, ms = added["content"], added.get("role"), self.stage.ms(now)
        if role == "user":
            self.call.history.user(text, Span(ms, ms))
        elif role == "assistant":
            self.call.history.bot(text, Span(ms, ms))
        else:
            self.call.history.system(text, ms)
        if message.get("triggerResponseEnabled") is not False:
            self._replier.consider(text if role == "user" else "", now)

    def _switch(self, message: Json, now: int) -> None:
        wish = str(message.get("control"))
        switch, _, who = wish.partition("-")
        if wish == "say-first-message":
            self._replier.greet(now)
        elif who == "assistant" and switch in ("mute", "unmute"):
            self._replier.mouth.muted = switch == "mute"
        elif who == "customer" and switch in ("mute", "unmute"):
            self._caller.muted = switch == "mute"
        else:
            raise Refusal(400, ["control must be one of the known values"])

    # Ends

    def _expect_audio(self, now: int) -> None:
        """The client has this long to join and to send."""
        if self._join is not None:
            self._join.cancelled = True
        limit = self.call.setting("customerJoinTimeoutSeconds", _JOIN_S)
        self._join = self.stage.at(now + _ns(limit), lambda at: self.end(DID_NOT_JOIN, at))

    @property
    def _patience(self) -> int:
        return _ns(self.call.setting("silenceTimeoutSeconds", _SILENCE_S))

    def _check_silence(self, now: int) -> None:
        """End the call once nobody has spoken for too long and nothing is under way."""
        if self._replier.busy:
            self._quiet_since = now
        deadline = self._quiet_since + self._patience
        if now >= deadline:
            self.end("silence-timed-out", now)
        else:
            self.stage.at(deadline, self._check_silence)

    def end(self, reason: str, now: int) -> None:
        """The call is over: what was being said is cut, and the sockets are closed."""
        if not self.call.live:
            return
        stage = self.stage
        self.call.end(reason, stage.ms(now))
        self._replier.mouth.cut(now)
        stage.note(now, "call.ended", "Call ended", endedReason=reason)
        stage.tell_client("status-update", {"status": "ended", "endedReason": reason})
        stage.drop_all()
        for channel in (*([] if self._channel is None else [self._channel]), *self._listeners):
            self._hang_up(channel, 1000, "")
        self._ended(self.call, now)


def _ns(seconds: object) -> int:
    return round(float(str(seconds)) * _S)
