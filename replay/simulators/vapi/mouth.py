"""The assistant's voice on the socket: one text at a time, in frames of 20 ms, in real time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from replay.simulators.common.agenda import Entry
from replay.simulators.vapi.errors import Json
from replay.simulators.vapi.history import Span
from replay.simulators.vapi.sound import FRAME_MS, Samples, speak
from replay.simulators.vapi.stage import MS, Stage

_FRAME_NS = FRAME_MS * MS
_PARTIAL_NS = 500 * MS


@dataclass
class Line:
    """Something to say. `then` is what happens once it was said to its end."""

    text: str
    turn_id: str
    can_be_cut: bool = True
    then: Callable[[int], None] | None = None


@dataclass
class _Speech:
    line: Line
    samples: Samples
    began: int
    turn: int
    frames: int = 0
    pending: list[Entry] = field(default_factory=list)

    @property
    def length(self) -> int:
        """In samples."""
        return int(self.samples.size)


class Mouth:
    """Says lines and reports them: speech-update, transcripts, and the stored message.

    `play` takes a frame's samples; `finished` is called after each line, cut or not.
    """

    def __init__(
        self,
        stage: Stage,
        play: Callable[[Samples, int], None],
        finished: Callable[[int], None],
    ) -> None:
        self._stage, self._play, self._finished = stage, play, finished
        self._speech: _Speech | None = None
        self.muted = False

    @property
    def line(self) -> Line | None:
        """What is being said."""
        return self._speech.line if self._speech else None

    def say(self, line: Line, now: int) -> None:
        """Begin a line; nothing else may be being said."""
        stage, rate = self._stage, self._stage.call.form.rate
        samples = speak(line.text, rate, stage.options.speech)
        frames = -(-samples.size * 1000 // (rate * FRAME_MS))
        rest = stage.call.form.until(frames) - samples.size
        samples = np.concatenate((samples, np.zeros(rest, dtype=np.int16)))
        speech = self._speech = _Speech(line, samples, now, stage.turn)
        stage.assistant_spoke = True
        stage.call.usage.characters += len(line.text)
        stage.note(now, "pipeline.botSpeechStarted", "Bot speech started", text=line.text)
        started = {"text": line.text, "turn": stage.turn, "source": "model"}
        stage.tell("speech-update", now, _update("started", speech))
        stage.tell("assistant.speechStarted", now, started)
        speech.pending = [
            stage.at(now, self._frame),
            stage.at(now + _PARTIAL_NS, self._partial),
        ]

    def cut(self, now: int) -> None:
        """Stop at once."""
        if self._speech is not None:
            self._end(now)

    def _frame(self, now: int) -> None:
        speech = self._speech
        if speech is None:
            return
        form = self._stage.call.form
        start = form.until(speech.frames)
        if start >= speech.length:
            self._end(now)
            return
        samples = speech.samples[start : form.until(speech.frames + 1)]
        speech.frames += 1
        if not self.muted:
            self._play(samples, now)
        speech.pending[0] = self._stage.at(speech.began + speech.frames * _FRAME_NS, self._frame)

    def _partial(self, now: int) -> None:
        """What has been heard so far, about every half second."""
        speech = self._speech
        if speech is None:
            return
        heard = self._heard(speech)
        if heard and heard != speech.line.text:
            self._stage.tell("transcript", now, self._transcript("partial", heard))
        speech.pending[1] = self._stage.at(now + _PARTIAL_NS, self._partial)

    def _end(self, now: int) -> None:
        stage, speech = self._stage, self._speech
        assert speech is not None
        self._speech = None
        for entry in speech.pending:
            entry.cancelled = True
        heard = self._heard(speech)
        stage.note(now, "pipeline.botSpeechStopped", "Bot speech stopped", text=heard)
        stage.tell("speech-update", now, _update("stopped", speech))
        if heard:
            stage.call.history.bot(heard, Span(stage.ms(speech.began), stage.ms(now)))
            stage.tell("transcript", now, self._transcript("final", heard))
            told = {"conversation": stage.call.history.openai()}
            stage.tell("conversation-update", now, told, server={})
        if heard == speech.line.text and speech.line.then is not None:
            speech.line.then(now)
        self._finished(now)

    def _heard(self, speech: _Speech) -> str:
        """The whole words that were played."""
        text, played = speech.line.text, self._stage.call.form.until(speech.frames)
        if played >= speech.length:
            return text
        letters = len(text) * played // speech.length
        return text[:letters].rpartition(" ")[0]

    def _transcript(self, kind: str, text: str) -> Json:
        call = self._stage.call
        named: Json = {"role": "assistant", "transcriptType": kind, "transcript": text}
        if call.asked.get("assistantId"):
            named["assistantId"] = call.asked["assistantId"]
        if call.setting("name"):
            named["assistantName"] = call.setting("name")
        return named


def _update(status: str, speech: _Speech) -> Json:
    return {"status": status, "role": "assistant", "turn": speech.turn}
