"""One conversation with a client: each client event to its answers."""

from __future__ import annotations

from collections.abc import Callable

from replay.simulators.openai import beta, errors, items
from replay.simulators.openai.conversation import Item
from replay.simulators.openai.errors import ClientError, Json
from replay.simulators.openai.listening import Ear, Turn
from replay.simulators.openai.responding import Responder
from replay.simulators.openai.session import merged
from replay.simulators.openai.shapes import EVENTS
from replay.simulators.openai.stage import Stage
from replay.simulators.openai.transcription import Transcriber

_NEEDS_COMMITS = ("gpt-realtime-whisper", "gpt-live-transcribe")


class Talk:
    """The service's side of one session.

    A client event is answered at once and in order; responses and transcripts go out as their
    time comes. A function's output that arrives while the response that called it still runs is
    announced after that response.
    """

    def __init__(self, stage: Stage, session: Json) -> None:
        self.stage = stage
        stage.session = session
        self._responder = Responder(stage, self._after_response)
        self._scribe = Transcriber(stage.seed, stage.options.transcripts, stage.emit, stage.mint)
        sound = session["audio"]["input"]
        self._ear = Ear(sound["format"], sound["turn_detection"])
        self._spoken_item: str | None = None
        self._waiting: list[Json] = []

    @property
    def session_id(self) -> str:
        return str(self.stage.session["id"])

    def greet(self) -> None:
        """The first event of a connection that is not a sideband, and the session's end."""
        self.stage.emit("session.created", session=self.stage.session)

    def limit_life(self) -> None:
        """The service ends the session after its time."""
        seconds = self.stage.options.session_s
        error = errors.expired(seconds // 60)
        end = self.stage.now + seconds * 1_000_000_000
        self.stage.agenda.at(end, lambda _: self._expire(error))

    def _expire(self, error: errors.Fatal) -> None:
        self.stage.emit("error", error=error.body())
        self.stage.agenda.clear()
        self.stage.close(error.close, error.message)

    def receive(self, body: bytes) -> None:
        """Answer one text frame."""
        event_id: str | None = None
        try:
            event = _parsed(body)
            event_id = event["event_id"] if isinstance(event.get("event_id"), str) else None
            self._answer(event)
        except ClientError as error:
            self.stage.refuse(error, event_id)

    def _answer(self, event: Json) -> None:
        type_ = event.get("type")
        if not isinstance(type_, str):
            raise errors.missing_event_type()
        if self.stage.speaks_beta:
            check = beta.own_check(type_)
            if check is not None:
                check(event, "")
            event = beta.to_ga(event)
            type_ = event["type"]
        if type_ not in EVENTS:
            raise errors.unknown_event_type(type_)
        EVENTS[type_](event, "")
        _HANDLERS[type_](self, event)

    def _update(self, event: Json) -> None:
        stage, update = self.stage, event["session"]
        session = merged(stage.session, update, stage.conversation.has_voice())
        sound = session["audio"]["input"]
        model = (sound["transcription"] or {}).get("model")
        if not stage.answers and model in _NEEDS_COMMITS:
            if update.get("audio", {}).get("input", {}).get("turn_detection"):
                raise ClientError(
                    f"Turn detection is not supported with '{model}'.",
                    "invalid_value",
                    "session.audio.input.turn_detection",
                )
            sound["turn_detection"] = None
        stage.session = session
        self._ear.configure(sound["format"], sound["turn_detection"])
        stage.emit("session.updated", session=session)

    # Audio in

    def _append(self, event: Json) -> None:
        for turn in self._ear.append(items.decode_audio(event["audio"])):
            _TURNS[turn.kind](self, turn)

    def _detection(self, name: str) -> bool:
        return bool((self._ear.detection or {}).get(name))

    def _transcription_model(self) -> str | None:
        transcription = self.stage.session["audio"]["input"]["transcription"]
        return transcription["model"] if transcription else None

    def _speech_started(self, turn: Turn) -> None:
        stage, ear = self.stage, self._ear
        item_id = self._spoken_item = stage.mint.make("item_", stage.now)
        stage.emit(
            "input_audio_buffer.speech_started", audio_start_ms=turn.start_ms, item_id=item_id
        )
        self._scribe.listen(
            item_id,
            self._transcription_model(),
            lambda: ear.now_ms - turn.start_ms,
            stage.agenda,
            stage.now,
        )
        if self._detection("interrupt_response"):
            self._responder.interrupt()

    def _speech_stopped(self, turn: Turn) -> None:
        item_id = self._item_of_turn()
        self.stage.emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=turn.end_ms, item_id=item_id
        )
        audio = self._ear.take(turn.start_ms, turn.end_ms)
        self._spoken(
            item_id, audio, turn.end_ms - turn.start_ms, self._detection("create_response")
        )

    def _nobody_spoke(self, turn: Turn) -> None:
        item_id = self._item_of_turn()
        self.stage.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=turn.start_ms,
            audio_end_ms=turn.end_ms,
            item_id=item_id,
        )
        audio = self._ear.take(turn.start_ms, turn.end_ms)
        self._spoken(item_id, audio, turn.end_ms - turn.start_ms, True)

    def _item_of_turn(self) -> str:
        """The id that speech was announced with, or a new one."""
        announced, self._spoken_item = self._spoken_item, None
        return announced or self.stage.mint.make("item_", self.stage.now)

    def _commit(self, event: Json) -> None:
        cut = self._ear.commit()
        self._spoken(self._item_of_turn(), cut.audio, cut.end_ms - cut.start_ms, False)

    def _clear(self, event: Json) -> None:
        self._ear.clear()
        self._scribe.hush()
        self._spoken_item = None
        self.stage.emit("input_audio_buffer.cleared")

    def _spoken(self, item_id: str, audio: bytes, ms: int, answer: bool) -> None:
        """Audio becomes an item of the user; a response and its transcript may follow."""
        stage, form = self.stage, self._ear.form
        item = items.spoken_by_user(item_id, audio, form, self._scribe.words(audio, form, ms))
        last = stage.conversation.items[-1].id if stage.conversation.items else None
        stage.emit("input_audio_buffer.committed", previous_item_id=last, item_id=item_id)
        self._announce(item, None)
        if answer and stage.answers:
            self._try_response()
        model = self._transcription_model()
        if model is None:
            self._scribe.hush()
        else:
            self._scribe.report(item, model, stage.agenda, stage.now)

    def _try_response(self) -> None:
        try:
            self._responder.create(None)
        except ClientError as error:
            self.stage.refuse(error)

    # Items

    def _announce(self, item: Item, after: str | None) -> None:
        previous = self.stage.conversation.insert(item, after)
        for stem in ("added", "done"):
            self.stage.emit(
                f"conversation.item.{stem}", previous_item_id=previous, item=item.wire()
            )

    def _create_item(self, event: Json) -> None:
        active = self._responder.active
        if active is not None:
            item = event["item"]
            is_output = item["type"] == "function_call_output"
            if self._waiting or (is_output and item["call_id"] in active.call_ids):
                self._waiting.append(event)
                return
        self._add_item(event)

    def _add_item(self, event: Json) -> None:
        stage, source = self.stage, event["item"]
        if source["type"] == "function_call_output":
            call_id = source["call_id"]
            if not stage.conversation.has_call(call_id):
                raise errors.no_such_call(call_id)
        form = stage.session["audio"]["input"]["format"]
        made = stage.mint.make("item_", stage.now)
        item = items.build(source, made, stage.mint.call_id(), form)
        self._announce(item, event.get("previous_item_id"))

    def _after_response(self, left_to_play_ms: float) -> None:
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            try:
                self._add_item(event)
            except ClientError as error:
                self.stage.refuse(error, event.get("event_id"))
        self._ear.await_speech(left_to_play_ms)

    def _retrieve(self, event: Json) -> None:
        item = self.stage.conversation.need(event["item_id"], "retrieve")
        self.stage.emit("conversation.item.retrieved", item=item.wire_with_audio())

    def _truncate(self, event: Json) -> None:
        self.stage.conversation.truncate(event["item_id"], event["audio_end_ms"])
        self.stage.emit(
            "conversation.item.truncated",
            item_id=event["item_id"],
            content_index=event["content_index"],
            audio_end_ms=event["audio_end_ms"],
        )

    def _delete(self, event: Json) -> None:
        self.stage.conversation.delete(event["item_id"])
        self.stage.emit("conversation.item.deleted", item_id=event["item_id"])

    # Responses

    def _create_response(self, event: Json) -> None:
        self._responder.create(event.get("response"))

    def _cancel(self, event: Json) -> None:
        self._responder.cancel(event.get("response_id"))

    def _clear_output(self, event: Json) -> None:
        if not self.stage.is_call:
            raise ClientError(
                "output_audio_buffer.clear is for WebRTC and SIP calls.", "invalid_event", "type"
            )
        self._responder.silence()


def _parsed(body: bytes) -> Json:
    try:
        return errors.json_object(body)
    except ValueError as problem:
        raise errors.not_an_event(f"{problem}.") from problem


_Handler = Callable[[Talk, Json], None]

_HANDLERS: dict[str, _Handler] = {
    "session.update": Talk._update,
    "input_audio_buffer.append": Talk._append,
    "input_audio_buffer.commit": Talk._commit,
    "input_audio_buffer.clear": Talk._clear,
    "output_audio_buffer.clear": Talk._clear_output,
    "conversation.item.create": Talk._create_item,
    "conversation.item.retrieve": Talk._retrieve,
    "conversation.item.truncate": Talk._truncate,
    "conversation.item.delete": Talk._delete,
    "response.create": Talk._create_response,
    "response.cancel": Talk._cancel,
}
_TURNS: dict[str, Callable[[Talk, Turn], None]] = {
    "start": Talk._speech_started,
    "stop": Talk._speech_stopped,
    "idle": Talk._nobody_spoke,
}
