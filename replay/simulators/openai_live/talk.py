"""One session with its clients: each client event to what it causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from recorder.audio import pcm
from replay.simulators.common.words import pieces
from replay.simulators.openai.errors import (
    ClientError,
    Json,
    json_object,
    missing_event_type,
    not_an_event,
    unknown_event_type,
)
from replay.simulators.openai.sound import encode
from replay.simulators.openai_live import errors, session
from replay.simulators.openai_live.appends import Append, Appends
from replay.simulators.openai_live.ear import Ear, unpacked
from replay.simulators.openai_live.mouth import FRAME_MS, Mouth, packed
from replay.simulators.openai_live.output import Output
from replay.simulators.openai_live.shapes import EVENTS
from replay.simulators.openai_live.stage import Stage, encoded
from replay.simulators.openai_live.voice import Voice

_APPEND: Final = "session.input_audio.append"
_MOST_TOKENS = 500
_FIXTURE_S = 30
_FIRST_MS = 700  # from the first audio to the first output (recorded: 600 to 800)
_USAGE_MS = 60_000
_DRAIN_MS = 200
_LONGEST_DRAIN_MS = 10_000
_TOKENS_PER_SECOND = 10  # by which the context fills; this stand-in's own


class Talk:
    """The service's side of one session, from `session.start` on. `ended` is told when it
    is over; `is_observed` tells whether a sideband listens."""

    def __init__(
        self, stage: Stage, ended: Callable[[], None], is_observed: Callable[[], bool]
    ) -> None:
        self.stage = stage
        form = stage.session["audio"].get("format") or session.PCM
        self._ended, self._is_observed = ended, is_observed
        self._ear = Ear(form, stage.options.silence_ms)
        self._mouth = Mouth(form)
        self._output = Output(stage, self._mouth, is_observed)
        self._voice = Voice(stage, self._ear, self._mouth)
        self._appends = Appends(stage)
        self._close_id: str | None = None
        self._closes_by = 0

    @property
    def id(self) -> str:
        """The session's id."""
        return str(self.stage.session["id"])

    def begin(self, client_event_id: str | None = None) -> None:
        """The session has started."""
        stage = self.stage
        stage.is_started = True
        stage.emit("session.started", client_event_id, session=stage.session)
        stage.after(_USAGE_MS, self._tell_usage)
        stage.after(stage.options.session_s * 1000, lambda: self.end("expired"))
        if stage.has_media:
            self._flow()

    def _flow(self) -> None:
        """Output begins, and comes without a pause."""
        self.stage.after(_FIRST_MS, self._tick)

    def _tick(self) -> None:
        self.stage.after(FRAME_MS, self._tick)
        self._output.frame()
        if self.stage.has_media:
            self._go_on()

    def _go_on(self) -> None:
        """The session's time has moved."""
        self._voice.listen()
        for append in self._appends.accepted():
            self._follow(append)

    def _follow(self, append: Append) -> None:
        if append.kind == "commentary":
            self._voice.comment(append.content)
        elif append.kind == "instructions":
            self._voice.instruct(append.content)

    def _tell_usage(self) -> None:
        stage = self.stage
        stage.after(_USAGE_MS, self._tell_usage)
        ratio = min(0.9, stage.seconds * _TOKENS_PER_SECOND / 128_000)
        stage.emit(
            "session.usage.updated",
            usage={"seconds": stage.seconds},
            context_window={"usage_ratio": round(ratio, 4)},
        )

    # What a client says

    def receive(self, body: bytes, *, is_sideband: bool) -> None:
        """Answer one text frame of a client."""
        event_id: str | None = None
        try:
            event = parsed(body)
            event_id = event["event_id"] if isinstance(event.get("event_id"), str) else None
            self._take(event, is_sideband=is_sideband)
        except ClientError as error:
            self.stage.refuse(error, event_id)

    def _take(self, event: Json, *, is_sideband: bool) -> None:
        type_ = event["type"]
        check_event(event)
        if type_ == "session.start":
            raise errors.started_already()
        if not self.stage.is_started:
            raise errors.not_started()
        if is_sideband and type_ == _APPEND:
            raise errors.only_primary()
        if self.stage.is_closing and type_ != _APPEND:
            raise errors.closing()
        _HANDLERS[type_](self, event)

    def _hear(self, event: Json) -> None:
        self._ear.is_deaf = self._mouth.is_playing  # input is dropped while a fixture plays
        samples = self._ear.samples(event["audio"])
        if self._is_observed():
            wide = packed(self._ear.reflected(samples))
            self.stage.send(encoded({"type": _APPEND, "audio": wide}), "sidebands")
        if self.stage.hear(self._ear.length_ms(samples)):
            self._flow()
        for edge in self._ear.feed(samples):
            self._voice.edge(edge)
        self._go_on()

    def _mute(self, event: Json) -> None:
        self._ear.is_muted = True
        self.stage.emit("session.input_audio.muted", event.get("event_id"))

    def _unmute(self, event: Json) -> None:
        self._ear.is_muted = False
        self.stage.emit("session.input_audio.unmuted", event.get("event_id"))

    def _update(self, event: Json) -> None:
        self.stage.session = session.updated(self.stage.session, event["session"])
        self.stage.emit("session.updated", event.get("event_id"), session=self.stage.session)

    def _append(self, event: Json) -> None:
        if self._mouth.is_playing:
            raise errors.fixture_is_playing()
        content, delegation = event["content"], event["delegation_id"]
        tokens = len(pieces(content))
        if tokens > _MOST_TOKENS:
            raise errors.too_long(tokens, _MOST_TOKENS)
        if delegation is not None and delegation not in self._voice.delegated:
            raise errors.no_such_delegation(delegation)
        kind = event["type"].split(".")[1]
        self._appends.add(kind, content, delegation, event.get("event_id"))

    def _play(self, event: Json) -> None:
        if self._mouth.is_playing:
            raise errors.fixture_is_playing()
        wide = unpacked(event["audio"], 2)
        if len(wide) > _FIXTURE_S * 48_000:
            raise errors.invalid_audio(f"a fixture lasts {_FIXTURE_S} s at most")
        self._mouth.play(wide, encode(pcm.samples(wide), self._ear.form))
        self.stage.emit("session.output_audio.fixture.playing", event.get("event_id"))

    def _add_item(self, event: Json) -> None:
        self._need_backend()
        self._voice.backend.add(event["item"])

    def _create(self, event: Json) -> None:
        self._need_backend()
        self._voice.backend.create(event.get("event_id"))

    def _need_backend(self) -> None:
        if session.backend(self.stage.session) is None:
            raise errors.no_backend()

    def _press(self, event: Json) -> None:
        if not self.stage.has_media:
            raise errors.only_call()
        self.stage.emit("transport.dtmf.sent", event.get("event_id"), event=event["event"])

    # The end

    def _close(self, event: Json) -> None:
        stage = self.stage
        stage.is_closing = True
        self._close_id = event.get("event_id")
        self._closes_by = stage.now + _LONGEST_DRAIN_MS * 1_000_000
        self._voice.hush()
        self._appends.refuse()
        stage.after(_DRAIN_MS, self._drain)

    def _drain(self) -> None:
        """A response that is being written may finish."""
        if self._voice.backend.is_busy and self.stage.now < self._closes_by:
            self.stage.after(_DRAIN_MS, self._drain)
        else:
            self.end("close_requested")

    def end(self, reason: str) -> None:
        """The session is over: its last event, and the end of its connections."""
        stage = self.stage
        stage.agenda.clear()
        usage = {"seconds": stage.seconds}
        client_event_id = self._close_id
        stage.emit(
            "session.closed", client_event_id, reason=reason, session=stage.session, usage=usage
        )
        self._ended()


def parsed(body: bytes) -> Json:
    """A frame as an event with a type; ClientError for one that is none."""
    try:
        event = json_object(body)
    except ValueError as problem:
        raise not_an_event(f"{problem}.") from problem
    if not isinstance(event.get("type"), str):
        raise missing_event_type()
    return event


def check_event(event: Json) -> None:
    """ClientError for an event of an unknown type or another shape."""
    if event["type"] not in EVENTS:
        raise unknown_event_type(event["type"])
    EVENTS[event["type"]](event, "")


_HANDLERS: dict[str, Callable[[Talk, Json], None]] = {
    "session.update": Talk._update,
    _APPEND: Talk._hear,
    "session.input_audio.mute": Talk._mute,
    "session.input_audio.unmute": Talk._unmute,
    "session.instructions.append": Talk._append,
    "session.thinking.append": Talk._append,
    "session.commentary.append": Talk._append,
    "session.output_audio.fixture.play": Talk._play,
    "response.item.create": Talk._add_item,
    "response.create": Talk._create,
    "transport.dtmf.send": Talk._press,
    "session.close": Talk._close,
}
