"""What the user's audio says, and the events that tell the client.

Each spoken turn takes the next scripted transcript, or words made up from the seed, as many as
fit into its length. A streaming model (`gpt-realtime-whisper`) sends words while the user still
speaks, before the item exists, each with its leading space; `whisper-1` sends one delta.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Sequence

from recorder.audio.pcm import rms_dbfs
from replay.simulators.common.agenda import Agenda, Entry
from replay.simulators.common.words import MS_PER_WORD, pieces, utterance
from replay.simulators.openai.conversation import Item
from replay.simulators.openai.errors import Json
from replay.simulators.openai.generation import Emit
from replay.simulators.openai.ids import Mint
from replay.simulators.openai.sound import decode
from replay.simulators.openai.usage import of_transcription

_STREAMING = "gpt-realtime-whisper"
_WHOLE = "whisper-1"
_MS = 1_000_000
_DELAY_MS = 60
_STEP_MS = 15
_SILENCE_DBFS = -60.0
_TYPE = "conversation.item.input_audio_transcription"


class Transcriber:
    """Knows the words of the current turn and reports them at their time."""

    def __init__(self, seed: str, script: Sequence[str], emit: Emit, mint: Mint) -> None:
        self._seed = seed
        self._script = script
        self._emit = emit
        self._mint = mint
        self._turn = 0
        self._sent = 0
        self._live: Entry | None = None

    def words(self, audio: bytes, form: Json, ms: int) -> str:
        """What this audio says; nothing if it is silent. The next audio is another turn."""
        whole = audio[: len(audio) // 2 * 2]
        silent = rms_dbfs(decode(whole, form)) < _SILENCE_DBFS
        text = "" if silent else self._text(ms)
        self._turn += 0 if silent else 1
        return text

    def _scripted(self) -> str | None:
        return self._script[self._turn].strip() if self._turn < len(self._script) else None

    def _text(self, ms: int) -> str:
        scripted = self._scripted()
        if scripted is not None:
            return scripted
        chance = random.Random(f"{self._seed}/turn/{self._turn}")
        words = itertools.islice(utterance(chance), max(1, ms // MS_PER_WORD))
        return " ".join(words).capitalize() + "."

    def listen(
        self,
        item_id: str,
        model: str | None,
        heard_ms: Callable[[], float],
        agenda: Agenda,
        now: int,
    ) -> None:
        """Speech has begun: a streaming model sends words as they are heard."""
        self._sent = 0
        if model == _STREAMING:
            self._next_live(item_id, heard_ms, agenda, now)

    def _next_live(
        self, item_id: str, heard_ms: Callable[[], float], agenda: Agenda, now: int
    ) -> None:
        def send(when: int) -> None:
            known = pieces(self._text(int(heard_ms())))[:-1]
            if self._sent < min(len(known), int(heard_ms() // MS_PER_WORD)):
                self._delta(item_id, known[self._sent] if self._sent else f" {known[0]}")
                self._sent += 1
            self._next_live(item_id, heard_ms, agenda, when)

        self._live = agenda.at(now + MS_PER_WORD * _MS, send)

    def hush(self) -> None:
        """Speech has ended or was discarded: send nothing more ahead of the item."""
        if self._live is not None:
            self._live.cancelled = True
            self._live = None

    def report(self, item: Item, model: str, agenda: Agenda, now: int) -> None:
        """The item exists: send the rest of its words, then all of them."""
        self.hush()
        rest = pieces(item.spoken)[self._sent :]
        if model == _WHOLE and rest:
            rest = ["".join(rest)]
        if model == _STREAMING and rest and not self._sent:
            rest[0] = f" {rest[0]}"
        self._sent = 0
        when = now + _DELAY_MS * _MS
        for piece in rest:
            agenda.at(when, functools.partial(self._due_delta, item.id, piece))
            when += (_STEP_MS + self._mint.chance.randrange(_STEP_MS)) * _MS
        agenda.at(when, lambda _: self._completed(item, model))

    def _due_delta(self, item_id: str, delta: str, _now: int) -> None:
        self._delta(item_id, delta)

    def _delta(self, item_id: str, delta: str) -> None:
        self._emit(
            f"{_TYPE}.delta",
            item_id=item_id,
            content_index=0,
            delta=delta,
            obfuscation=self._mint.noise(16 - len(delta)),
        )

    def _completed(self, item: Item, model: str) -> None:
        item.body["content"][0]["transcript"] = item.spoken
        self._emit(
            f"{_TYPE}.completed",
            item_id=item.id,
            content_index=0,
            transcript=item.spoken,
            usage=of_transcription(model, item.ms, item.spoken),
        )
