"""The caller's side of a call: when speech begins and ends, what it says, and whether it cuts in.

As in recorded calls, the words come before the end of the speech is told: conversation-update,
final transcript, speech-update stopped. Speech over the assistant interrupts it once it has lasted
`stopSpeakingPlan.voiceSeconds`, or once `numWords` words are known where more than none are wanted.
"""

from __future__ import annotations

import itertools
import random
from typing import Protocol

from recorder.audio.vad import EnergyVad
from replay.simulators.common.agenda import Entry
from replay.simulators.common.words import MS_PER_WORD, utterance
from replay.simulators.vapi.errors import Json
from replay.simulators.vapi.history import Span
from replay.simulators.vapi.sound import Samples
from replay.simulators.vapi.stage import MS, Stage

_PARTIAL_NS = 500 * MS
VAD_FRAME_MS = 20
START_MS = 60
STOP_MS = 300


class Listener(Protocol):
    """Who the caller talks to."""

    def interruptible(self) -> bool:
        """Whether the assistant is speaking and may be cut."""
        ...

    def interrupt(self, now: int) -> None:
        """The caller cuts in."""
        ...

    def wait(self) -> None:
        """The caller speaks: nothing is said until it is over."""
        ...

    def answer(self, said: str, ended: int, now: int) -> None:
        """The caller has spoken, up to `ended`."""
        ...


class Caller:
    """Listens to the audio that comes in."""

    def __init__(self, stage: Stage, listener: Listener) -> None:
        self._stage, self._listener = stage, listener
        self._rest = b""
        self._heard = 0
        self._onset: int | None = None
        self._due: list[Entry] = []
        self._script = iter(stage.options.transcripts)
        self._words: str | None = None
        self._turns = 0
        self._vad = EnergyVad(
            stage.call.form.rate, frame_ms=VAD_FRAME_MS, start_ms=START_MS, stop_ms=STOP_MS
        )
        self.muted = False

    @property
    def speaking(self) -> bool:
        return self._onset is not None

    def hear(self, data: bytes, now: int) -> Samples:
        """Take audio cut anywhere; return its samples."""
        form = self._stage.call.form
        data = self._rest + data
        whole = len(data) - len(data) % form.width
        samples, self._rest = form.decode(data[:whole]), data[whole:]
        if self.muted:
            samples = samples * 0
        self._heard += samples.size
        for edge in self._vad.feed(samples):
            ago = self._heard * 1000 / form.rate - edge.at_ms
            changed = now - round(ago * MS)
            if edge.kind == "start":
                self._started(changed, now)
            else:
                self._stopped(changed, now)
        return samples

    def _started(self, onset: int, now: int) -> None:
        stage, self._onset = self._stage, onset
        if stage.assistant_spoke:
            stage.turn, stage.assistant_spoke = stage.turn + 1, False
        stage.note(now, "pipeline.userSpeechStarted", "User speech started")
        stage.tell("speech-update", now, self._update("started"))
        self._due = [stage.at(now + _PARTIAL_NS, self._partial)]
        if self._listener.interruptible():
            self._due.append(stage.at(self._cuts_in_at(onset, now), self._interrupt))
        self._listener.wait()

    def _cuts_in_at(self, onset: int, now: int) -> int:
        plan = self._stage.call.plan("stopSpeakingPlan")
        words = plan.get("numWords") or 0
        voice = plan.get("voiceSeconds")
        ms = words * MS_PER_WORD if words else 1000 * (0.2 if voice is None else voice)
        return max(now, onset + round(ms * MS))

    def _interrupt(self, now: int) -> None:
        if self._listener.interruptible():
            self._listener.interrupt(now)

    def _partial(self, now: int) -> None:
        if self._onset is None:
            return
        ms = (now - self._onset) // MS
        known = self._text(ms).split()[: max(1, ms // MS_PER_WORD)]
        self._stage.tell("transcript", now, self._transcript("partial", " ".join(known)))
        self._due[0] = self._stage.at(now + _PARTIAL_NS, self._partial)

    def _stopped(self, ended: int, now: int) -> None:
        stage, onset = self._stage, self._onset
        assert onset is not None
        text = self._text((ended - onset) // MS)
        self._words, self._onset, self._turns = None, None, self._turns + 1
        for entry in self._due:
            entry.cancelled = True
        stage.call.history.user(text, Span(stage.ms(onset), stage.ms(ended)))
        told = {"conversation": stage.call.history.openai()}
        stage.tell("conversation-update", now, told, server={})
        stage.tell("transcript", now, self._transcript("final", text))
        stage.tell("speech-update", now, self._update("stopped"))
        stage.note(now, "pipeline.userSpeechStopped", "User speech stopped", text=text)
        self._listener.answer(text, ended, now)

    def _text(self, ms: int) -> str:
        """The words of this turn: scripted, or as many made up as fit into its length."""
        if self._words is None:
            self._words = next(self._script, "")
        if self._words.strip():
            return self._words.strip()
        chance = random.Random(f"{self._stage.call.seed}/turn/{self._turns}")
        made = itertools.islice(utterance(chance), max(1, ms // MS_PER_WORD))
        return " ".join(made).capitalize() + "."

    def _update(self, status: str) -> Json:
        return {"status": status, "role": "user", "turn": self._stage.turn}

    def _transcript(self, kind: str, text: str) -> Json:
        return {"role": "user", "transcriptType": kind, "transcript": text}
