"""Who has the floor in a GPT-Live session: a rule over levels of sound and pieces of transcripts.

The wire has no turns, no answers and no interruptions. This is what stands in their place; the
numbers are ours, but for the separation of 500 ms and the back-channel of 1000 ms, which are those
of OpenAI's `TranscriptGrouper` (openai-python, `lib/live`).

A *speech* of the user begins with `onset_ms` of sound without a break and ends after `gap_ms` of
silence; one of the agent begins with its first sound, or with words that come before it, and ends
after `pause_ms` of silence. A speech of the user begins a turn at once where the agent is silent.
Where the agent speaks it is held back: it begins a turn when it has lasted `backchannel_ms`, or
when the agent falls silent; if it ends, and the agent goes on, it was an aside. The agent was
interrupted if it spoke on for `overlap_ms` at least, and `yield_ms` at most, after the user began.

Pieces of transcripts come late (the user's 0.2 to 0.5 s after their end), so that they belong to
the speech that they overlap, or else to the last one. A tape without sound has the words alone: a
gap of `gap_ms` then parts two speeches of the user, one of `silence_ms` two of the agent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.providers.neutral import LEVEL_MS, Interrupted, Neutral, UserSpeech, Voiced, Words

_FULL_SCALE = 32768.0
_REMEMBERED = 16  # speeches that late words may still be of
_SLACK_MS = 400.0  # by which places of words and of sound may differ: two of the service's steps


class Rule(NamedTuple):
    """The parameters, see above. `user_dbfs`, `agent_dbfs`: RMS of a step from which it is sound;
    the agent's lane is made, so that almost nothing in it is noise (peaks of 20 were seen)."""

    user_dbfs: float = -45.0
    agent_dbfs: float = -60.0
    onset_ms: int = 60
    gap_ms: int = 500
    pause_ms: int = 600
    silence_ms: int = 2_000
    backchannel_ms: int = 1_000
    overlap_ms: int = 200
    yield_ms: int = 2_000

    @property
    def label(self) -> str:
        """Name, version and parameters in one line."""
        given = " ".join(f"{name}={value:g}" for name, value in self._asdict().items())
        return f"live-floor/2 {given}"


@dataclass
class _Speech:
    """A speech of the user. `is_told`: it began a turn. `held`: its words until that is settled."""

    name: str
    start_ms: float  # in the audio of the user
    began_ms: float  # on the clock of the tape
    over: str | None  # the speech of the agent in which it began
    is_written: bool = False  # known by words alone
    end_ms: float | None = None
    is_told: bool = False
    is_aside: bool = False
    held: list[Words] = field(default_factory=list)

    @property
    def is_pending(self) -> bool:
        return not self.is_told and not self.is_aside


class Floor:
    """Follows one session: sound and words of both sides in the order of the tape, `now_ms` on its
    clock."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._loud = {
            "user": _FULL_SCALE * 10 ** (rule.user_dbfs / 20),
            "agent": _FULL_SCALE * 10 ** (rule.agent_dbfs / 20),
        }
        self._user = self._agent = 0  # speeches of either
        self._at_ms = 0.0  # of the user's audio
        self._run_ms = 0.0  # of sound before a speech, of silence in one
        self._speeches: deque[_Speech] = deque(maxlen=_REMEMBERED)
        self._speaking: _Speech | None = None
        self._agent_has_sound = False
        self._words_end_ms: float | None = None  # where the last words of the agent ended
        self._answering: str | None = None  # the speech of the agent that is under way
        self._quiet_ms = 0.0  # of silence in it
        self._voiced_ms = 0.0  # when it was last heard, on the clock of the tape

    # Sound

    def user_sound(self, now_ms: float, ms: float, levels: Sequence[float]) -> Iterator[Neutral]:
        """`ms` of the user's audio."""
        for offset, step, level in _steps(ms, levels):
            self._at_ms += step
            is_loud = level >= self._loud["user"]
            speech = self._speaking
            if speech is None:
                self._run_ms = self._run_ms + step if is_loud else 0.0
                if self._run_ms >= self._rule.onset_ms:
                    began_ms = now_ms + offset - self._run_ms
                    yield from self._begun(self._at_ms - self._run_ms, began_ms)
                continue
            self._run_ms = 0.0 if is_loud else self._run_ms + step
            lasted = self._at_ms - speech.start_ms
            if speech.is_pending and is_loud and lasted >= self._rule.backchannel_ms:
                yield from self._told(speech)
            if self._run_ms >= self._rule.gap_ms:
                speech.end_ms = self._at_ms - self._run_ms
                self._speaking, self._run_ms = None, 0.0

    def agent_sound(self, now_ms: float, ms: float, levels: Sequence[float]) -> Iterator[Neutral]:
        """`ms` of the agent's audio; silence is no answer."""
        self._agent_has_sound = True
        is_heard = False
        for offset, step, level in _steps(ms, levels):
            if level >= self._loud["agent"]:
                is_heard, self._quiet_ms = True, 0.0
                self._voiced_ms = now_ms + offset
                continue
            self._quiet_ms += step
            if self._answering and not is_heard and self._quiet_ms >= self._rule.pause_ms:
                yield from self._silent()
        if is_heard:
            yield from self._went_on()
            yield Voiced(response=self._answer())

    def _begun(
        self, start_ms: float, began_ms: float, *, is_written: bool = False
    ) -> Iterator[Neutral]:
        self._user += 1
        name, over = f"user_{self._user}", self._answering
        speech = _Speech(name, start_ms, began_ms, over, is_written)
        self._speeches.append(speech)
        if not is_written:
            self._speaking, self._run_ms = speech, 0.0
        if speech.over is None:
            yield from self._told(speech)

    def _told(self, speech: _Speech) -> Iterator[Neutral]:
        """A speech of the user begins a turn; its words come after that."""
        speech.is_told = True
        yield UserSpeech(
            "started",
            media_ms=speech.start_ms,
            speech=speech.name,
            is_derived=True,
            was_ns=round(speech.began_ms * 1e6),
        )
        yield from speech.held
        speech.held.clear()

    def _went_on(self) -> Iterator[Neutral]:
        """The agent speaks: a pending speech of the user that is over was an aside."""
        for speech in self._speeches:
            if speech.is_pending and speech.end_ms is not None:
                speech.is_aside = True
                yield from speech.held
                speech.held.clear()

    def _silent(self) -> Iterator[Neutral]:
        """The agent's speech is over; the user may have ended it."""
        name, self._answering = self._answering, None
        over = [each for each in self._speeches if each.over == name and not each.is_aside]
        for speech in over[:1]:
            spoke_on = self._voiced_ms - speech.began_ms
            if self._rule.overlap_ms <= spoke_on <= self._rule.yield_ms:
                silent_ns = round(self._voiced_ms * 1e6)
                yield Interrupted("provider", name, is_derived=True, was_ns=silent_ns)
        yield from self._settled()

    def _settled(self) -> Iterator[Neutral]:
        for speech in self._speeches:
            if speech.is_pending:
                yield from self._told(speech)

    def _answer(self) -> str:
        """The speech of the agent that is under way, or a new one."""
        if self._answering is None:
            self._agent += 1
            self._answering = f"speech_{self._agent}"
            self._quiet_ms = 0.0
        return self._answering

    # Words

    def user_words(self, now_ms: float, words: Words) -> Iterator[Neutral]:
        """A piece of the user's transcript."""
        speech = self._speech_of(words)
        if speech is None:
            start = 0.0 if words.start_ms is None else words.start_ms
            yield from self._begun(start, now_ms, is_written=True)
            speech = self._speeches[-1]
        if speech.is_written:
            speech.end_ms = words.end_ms
        words = words._replace(speech=speech.name)
        if speech.is_pending:
            speech.held.append(words)
        else:
            yield words

    def _speech_of(self, words: Words) -> _Speech | None:
        """The last speech that a piece may be of; None if it begins one."""
        start, end = words.start_ms, words.end_ms
        last = self._speeches[-1] if self._speeches else None
        if last is None or start is None or end is None:
            return last
        for speech in reversed(self._speeches):
            until = speech.end_ms
            if speech.is_written:
                if until is None or 0 <= start - until < self._rule.gap_ms:
                    return speech
            elif speech.start_ms - _SLACK_MS <= end and (
                until is None or start <= until + _SLACK_MS
            ):
                return speech
        return None if last.is_written else last

    def agent_words(self, words: Words) -> Iterator[Neutral]:
        """A piece of the agent's transcript."""
        if not self._agent_has_sound and self._answering and self._is_apart(words):
            yield from self._silent()
        self._words_end_ms = words.end_ms
        is_new = self._answering is None
        name = self._answer()
        self._quiet_ms = 0.0
        if is_new:
            yield from self._went_on()
        yield words._replace(response=name)

    def _is_apart(self, words: Words) -> bool:
        """Without sound: after a long gap, or when the user has spoken since."""
        last = self._words_end_ms
        if last is None or words.start_ms is None:
            return False
        has_spoken = any(each.start_ms >= last for each in self._speeches)
        return has_spoken or words.start_ms - last >= self._rule.silence_ms

    def end(self) -> Iterator[Neutral]:
        """The session is over: what was held back is told."""
        yield from self._settled()


def _steps(ms: float, levels: Sequence[float]) -> Iterator[tuple[float, float, float]]:
    """Where in the sound each step ends, its length and its level."""
    offset = 0.0
    for level in levels:
        step = min(float(LEVEL_MS), ms - offset)
        offset += step
        yield offset, step, level
