"""How the model takes part in the conversation: it hears a turn, answers, and stops when it is
talked over. No rule of it shows on the wire; what shows is the sound and the words.
"""

from __future__ import annotations

from collections.abc import Callable

from recorder.audio.vad import Edge
from replay.simulators.openai_live import session
from replay.simulators.openai_live.backend import Backend
from replay.simulators.openai_live.ear import Ear
from replay.simulators.openai_live.mind import REMARK, Mind
from replay.simulators.openai_live.mouth import Mouth
from replay.simulators.openai_live.scribe import NOISE_MS, Scribe
from replay.simulators.openai_live.stage import Stage


class Voice:
    """One session's speaker. What was said before a pause that was none belongs to the turn."""

    def __init__(self, stage: Stage, ear: Ear, mouth: Mouth) -> None:
        self.mind = Mind(stage.mint.chance, stage.options)
        self.backend = Backend(stage, self.mind, self._say)
        self._stage, self._ear, self._mouth = stage, ear, mouth
        self._scribe = Scribe(stage.seed, stage.options.transcripts)
        self._coming: Callable[[], None] | None = None  # takes back an answer that has not begun
        self._said: list[str] = []  # of the turn
        self._onset_ms = 0.0
        self._over_from: float | None = None  # where the user began to talk over the voice
        self.delegated: set[str] = set()  # to the client

    # What is heard

    def edge(self, edge: Edge) -> None:
        """The user begins to speak, or has ended."""
        if edge.kind == "start":
            self._begin(edge.at_ms)
        else:
            self._end(edge.at_ms)

    def listen(self) -> None:
        """The session's time has moved: fall silent if the user talks on, tell the words that are
        due."""
        began = self._over_from
        if began is not None and self._ear.loud_ms - began >= self._stage.options.yield_ms:
            self._over_from = None
            self._mouth.cut()
        for piece in self._scribe.told(self._stage.heard_ms, self._ear.loud_ms):
            self._stage.emit(
                "session.input_transcript.delta",
                start_ms=piece.start_ms,
                end_ms=piece.end_ms,
                delta=piece.text,
            )

    def _begin(self, at_ms: float) -> None:
        self._onset_ms = at_ms
        self._scribe.begin(at_ms)
        if self._coming is not None:
            self._coming()
            self._coming = None
        self._over_from = at_ms if self._mouth.is_speaking else None

    def _end(self, at_ms: float) -> None:
        if at_ms - self._onset_ms < NOISE_MS:
            self._scribe.drop()
            self._over_from = None
            if self._said:  # it came between a turn and its answer
                self._coming = self._stage.after(0, self._answer)
            return
        said = self._scribe.end(at_ms)
        is_over, self._over_from = self._over_from is not None, None
        if is_over and self._mouth.is_speaking:
            return  # an aside: the model speaks on
        self._said.append(said)
        latency = self.mind.latency_ms(self._stage.options)
        self._coming = self._stage.after(latency, self._answer)

    # What is said

    def _answer(self) -> None:
        said, self._said = " ".join(self._said), []
        self._coming = None
        stage = self._stage
        backend = session.backend(stage.session)
        if backend is not None:
            calls = self.mind.calls(said, backend)
            if calls:
                self.backend.delegate(said, calls)
                self._say(REMARK)
                return
        elif self._hands_over(said):
            self._say(REMARK)
            return
        self._say(self.mind.words(said))

    def _hands_over(self, said: str) -> bool:
        """Give the client work, if the user asks for something."""
        stage = self._stage
        if not self.mind.asks(said):
            return False
        name = stage.mint.make("item_", stage.now)
        self.delegated.add(name)
        stage.emit(
            "session.delegation.created",
            offset_ms=round(stage.clock_ms),
            delegation={"id": name, "type": "delegation", "target": "client"},
        )
        return True

    def _say(self, text: str) -> None:
        if not self._stage.is_closing:
            self._mouth.say(text)

    def comment(self, text: str) -> None:
        """Something that the client wants said."""
        self._say(text)

    def instruct(self, text: str) -> None:
        """A rule of the client: what is being said is broken off; a wish to speak is followed."""
        self._mouth.cut()
        if any(verb in text.lower() for verb in _SPEAKING):
            self._say(self.mind.words(""))

    def hush(self) -> None:
        """The session closes: nothing more is begun."""
        if self._coming is not None:
            self._coming()
            self._coming = None
        self.backend.cancel()


_SPEAKING = ("greet", "say ", "speak", "introduce")
