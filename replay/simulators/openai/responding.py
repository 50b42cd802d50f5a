"""The responses of a session: one at a time in the conversation, any number outside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recorder.audio import pcm
from replay.simulators.common.agenda import Entry
from replay.simulators.common.voice import synthesise
from replay.simulators.openai import errors, requests, score, usage
from replay.simulators.openai.errors import ClientError, Json
from replay.simulators.openai.generation import Generation, Request
from replay.simulators.openai.mind import Mind, Question
from replay.simulators.openai.sound import bytes_per_ms, encode
from replay.simulators.openai.stage import Stage

_MS = 1_000_000


@dataclass
class Run:
    """A response being generated, with what is left of it."""

    generation: Generation
    beats: Iterator[score.Beat]
    segments: list[usage.Segment]
    cached: usage.Tokens
    next: Entry | None = None


class Responder:
    """Makes responses; `on_end(remaining_ms)` is told when the conversation is free again,
    and how much of the reply's audio has yet to play."""

    def __init__(self, stage: Stage, on_end: Callable[[float], None]) -> None:
        self._stage = stage
        self._on_end = on_end
        self._mind = Mind(stage.mint.chance, stage.options.replies, stage.options.cues)
        self._runs: dict[str, Run] = {}
        self._playing: tuple[str, Entry | None] | None = None

    @property
    def active(self) -> Generation | None:
        """The response of the conversation, if one is being generated."""
        inside = (run.generation for run in self._runs.values())
        return next((one for one in inside if one.request.in_conversation), None)

    def create(self, wish: Json | None) -> None:
        """Begin a response as `response.create` asks, or as a turn's end does (None)."""
        if not self._stage.answers:
            raise ClientError(
                "A transcription session does not create responses.", "invalid_value", "type"
            )
        request = requests.build(self._stage, wish or {})
        active = self.active
        if request.in_conversation and active is not None:
            raise errors.active_response(active.id)
        self._begin(request)

    def _begin(self, request: Request) -> None:
        stage = self._stage
        segments = usage.context(
            request.instructions,
            request.tools,
            request.items,
            stage.options.context_tokens,
            stage.session["truncation"],
        )
        outputs = self._mind.answer(
            Question(
                items=request.items,
                tools=request.tools,
                choice=request.choice,
                insistent=request.insistent,
                parallel=request.parallel,
                remarks=stage.session["model"].startswith("gpt-realtime-2"),
            )
        )
        generation = Generation(
            id=stage.mint.make("resp_", stage.now),
            request=request,
            outputs=outputs,
            emit=stage.emit,
            mint=stage.mint,
            conversation=stage.conversation,
            conversation_id=stage.conversation_id,
            null_predecessor=stage.options.null_predecessor,
        )
        beats = iter(score.compose(outputs, self._sound(request), stage.mint.chance))
        run = Run(generation, beats, segments, stage.cache.hit(segments))
        self._runs[generation.id] = run
        generation.created()
        if stage.speaks_beta:
            self._report_limits()
        self._start(run)

    def _start(self, run: Run) -> None:
        stage = self._stage
        wanted = sum(segment.tokens.total for segment in run.segments)
        if not stage.limit.allows(wanted, stage.now):
            message = f"Rate limit reached for {stage.session['model']} on tokens per minute."
            error = {"type": "tokens", "code": "rate_limit_exceeded", "message": message}
            self._end(run, "failed", {"type": "failed", "error": error})
            return
        stage.limit.charge(wanted, stage.now)
        jitter = stage.mint.chance.random() * stage.options.jitter_ms
        self._schedule(run, int((stage.options.latency_ms + jitter) * _MS))

    def _sound(self, request: Request) -> score.Sound | None:
        if not request.spoken:
            return None
        speed = float(self._stage.session["audio"]["output"]["speed"])
        recorded = self._stage.options.speech

        def speak(text: str) -> bytes:
            kept = recorded.get(text)
            samples = synthesise(text, speed) if kept is None else pcm.samples(kept)
            return encode(samples, request.form)

        return score.Sound(speak, bytes_per_ms(request.form), self._stage.options.pace)

    def _schedule(self, run: Run, wait_ns: int) -> None:
        """Play the next beat and all that follow it at once, or end the response."""
        beat = next(run.beats, None)
        if beat is None:
            self._end(run, "completed", None)
            return

        def play(now: int) -> None:
            self._play(run, beat, now)

        wait = wait_ns + beat.after_ns
        if wait:
            run.next = self._stage.agenda.at(self._stage.now + wait, play)
        else:
            play(self._stage.now)

    def _play(self, run: Run, beat: score.Beat, now: int) -> None:
        generation = run.generation
        if beat.act not in ("open", "close") and generation.is_full():
            details = {"type": "incomplete", "reason": "max_output_tokens"}
            self._end(run, "incomplete", details)
            return
        starts = beat.act == "sound" and generation.first_sound is None
        generation.play(beat, now)
        if starts and self._stage.is_call:
            self._buffer("started", generation.id)
            self._playing = (generation.id, None)
        self._schedule(run, 0)

    def _end(self, run: Run, status: str, details: Json | None) -> None:
        stage, generation = self._stage, run.generation
        if run.next is not None:
            run.next.cancelled = True
        del self._runs[generation.id]
        tokens = generation.tokens
        stage.limit.charge(tokens.total, stage.now)
        failed = status == "failed"
        spent = None if failed else usage.report(run.segments, run.cached, tokens)
        generation.finish(status, details, spent)
        if not stage.speaks_beta:
            self._report_limits()
        left = self._left_to_play(generation)
        if self._playing == (generation.id, None):
            stopped = stage.agenda.at(stage.now + int(left * _MS), lambda _: self._stopped())
            self._playing = (generation.id, stopped)
        if generation.request.in_conversation:
            self._on_end(left)

    def _report_limits(self) -> None:
        stage = self._stage
        stage.emit("rate_limits.updated", rate_limits=stage.limit.wire(stage.now))

    def _left_to_play(self, generation: Generation) -> float:
        """Milliseconds of audio that a client playing from the first delta has yet to hear."""
        if generation.first_sound is None:
            return 0.0
        played = (self._stage.now - generation.first_sound) / _MS
        return max(0.0, generation.sound_ms - played)

    def cancel(self, response_id: str | None) -> None:
        """Stop a response by the client's wish."""
        active = self.active
        wanted = response_id or (active.id if active is not None else "")
        run = self._runs.get(wanted)
        if run is None:
            raise errors.nothing_to_cancel()
        self._end(run, "cancelled", {"type": "cancelled", "reason": "client_cancelled"})

    def interrupt(self) -> None:
        """The user speaks: stop the response of the conversation, and what plays of it."""
        active = self.active
        if active is not None:
            details = {"type": "cancelled", "reason": "turn_detected"}
            self._end(self._runs[active.id], "cancelled", details)
        self.silence()

    def silence(self) -> None:
        """Empty the play-out buffer of a call."""
        if self._playing is None:
            return
        response_id, stopped = self._playing
        if stopped is not None:
            stopped.cancelled = True
        self._playing = None
        self._buffer("cleared", response_id)

    def _stopped(self) -> None:
        if self._playing is not None:
            response_id, self._playing = self._playing[0], None
            self._buffer("stopped", response_id)

    def _buffer(self, what: str, response_id: str) -> None:
        event_id = self._stage.mint.buffer_event_id()
        self._stage.emit(f"output_audio_buffer.{what}", event_id=event_id, response_id=response_id)
