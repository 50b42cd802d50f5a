"""The assistant's side of a call: from what the caller said to what it hears.

After a turn the end is waited for (`startSpeakingPlan`), then the model takes its time to the first
word, then the voice to the first audio. While the caller speaks nothing new is begun; what was
under way is thrown away and thought of anew, with all that was said.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replay.simulators.common.agenda import Action, Entry
from replay.simulators.common.words import pieces
from replay.simulators.vapi.call import Latency
from replay.simulators.vapi.caller import STOP_MS
from replay.simulators.vapi.ids import Mint
from replay.simulators.vapi.mind import Call, Mind
from replay.simulators.vapi.mouth import Line, Mouth
from replay.simulators.vapi.sound import Samples
from replay.simulators.vapi.stage import MS, Stage
from replay.simulators.vapi.tools import Outcome, ToolRun

_SENTENCE = re.compile(r"[^.!?…]+(?:[.!?…]+|$)\s*|[.!?…]+\s*")
_WAIT_S = 0.4
_PUNCTUATED_S, _UNPUNCTUATED_S, _NUMBER_S = 0.1, 1.5, 0.5
_BACKOFF_S = 1.0
_HANG_NS = 4000 * MS
_CACHE_FROM, _CACHE_STEP = 1024, 128


@dataclass
class _Timing:
    """Of the answer under way, in ms."""

    endpointing: int
    model: int = 0
    voice: int = 0


class Replier:
    """Thinks, calls tools and speaks. `hang_up` ends the call for a reason."""

    def __init__(
        self,
        stage: Stage,
        play: Callable[[Samples, int], None],
        hang_up: Callable[[str, int], None],
    ) -> None:
        self._stage, self._hang_up = stage, hang_up
        self.mint = Mint(f"{stage.call.seed}/turns")
        chance = random.Random(f"{stage.call.seed}/mind")
        self._mind = Mind(chance, stage.options.replies, stage.options.cues)
        self.mouth = Mouth(stage, play, self._finished)
        self._queue: list[Line] = []
        self._pending: Entry | None = None
        self._thought: Line | None = None
        self._hang: Entry | None = None
        self._said: list[str] = []
        self._results: list[str] = []
        self._runs = 0
        self._ended = 0
        self._silent_until = 0
        self._caller_speaks = False
        self._timing: _Timing | None = None
        self._last_prompt = 0

    @property
    def busy(self) -> bool:
        """Whether something is being said, thought of or waited for."""
        return bool(self.mouth.line or self._queue or self._runs or self._pending)

    # What the caller does

    def interruptible(self) -> bool:
        """Whether something is being said that the caller may cut."""
        return self.mouth.line is not None and self.mouth.line.can_be_cut

    def interrupt(self, now: int) -> None:
        """The caller cuts in: stop, forget what was to follow, and be silent for a while."""
        line = self.mouth.line
        assert line is not None
        plan = self._stage.call.plan("stopSpeakingPlan")
        backoff = plan.get("backoffSeconds")
        self._silent_until = now + round((_BACKOFF_S if backoff is None else backoff) * 1000) * MS
        self._stage.call.interruptions += 1
        self._queue.clear()
        self._stage.note(now, "pipeline.cleared", "Pipeline cleared", turnId=line.turn_id)
        self._stage.tell("user-interrupted", now, {"turnId": line.turn_id})
        self.mouth.cut(now)

    def wait(self) -> None:
        """The caller speaks."""
        self._caller_speaks = True
        self._forget()

    def answer(self, said: str, ended: int, now: int) -> None:
        """The caller has spoken, up to `ended`: say what had to wait, and think of an answer."""
        self._caller_speaks, self._ended = False, ended
        self._said.append(said)
        wait_ms = self._endpointing_ms(said)
        self._timing = _Timing(wait_ms)
        when = max(now + wait_ms * MS, self._silent_until)
        self._stage.note(now, "pipeline.endpointingTriggered", "Endpointing", text=said)
        if self.mouth.line is None:
            self._finished(now)
        self._think(when)

    def _endpointing_ms(self, said: str) -> int:
        plan = self._stage.call.plan("startSpeakingPlan")
        rules = plan.get("transcriptionEndpointingPlan") or {}
        last = said[-1:]
        name, usual = "onNoPunctuationSeconds", _UNPUNCTUATED_S
        if last.isdigit():
            name, usual = "onNumberSeconds", _NUMBER_S
        elif not last.isalnum():
            name, usual = "onPunctuationSeconds", _PUNCTUATED_S
        rule, wait = rules.get(name), plan.get("waitSeconds")
        seconds = max(usual if rule is None else rule, _WAIT_S if wait is None else wait)
        return round(seconds * 1000)

    # The first message, and what is said from outside

    def greet(self, now: int) -> None:
        """Speak first, if the assistant is to."""
        call, mode = self._stage.call, self._stage.call.setting("firstMessageMode")
        if mode == "assistant-waits-for-user":
            return
        text = call.setting("firstMessage")
        if mode == "assistant-speaks-first-with-model-generated-message" or not text:
            self._think(now)
            return
        can_be_cut = bool(call.setting("firstMessageInterruptionsEnabled"))
        line = Line(str(text), self.mint.uuid4(), can_be_cut)
        self._stage.at(now + self._voice(), lambda at: self._voice_in(line, at))

    def say(self, line: Line, now: int) -> None:
        """Say a text that the model did not think of, after what is being said."""
        self._voice_in(line, now)

    def consider(self, text: str, now: int) -> None:
        """Answer a message that was added from outside."""
        self._said.append(text)
        self._ended = now
        if not self._caller_speaks:
            self._think(now)

    # Thinking

    def _forget(self) -> None:
        """Throw away an answer that has not been begun."""
        if self._pending is not None:
            self._pending.cancelled = True
            self._pending = None
        self._queue = [line for line in self._queue if line is not self._thought]
        self._thought = None
        self._quiet()

    def _later(self, when: int, action: Action) -> None:
        """The next step of the answer under way."""

        def step(now: int) -> None:
            self._pending = None
            action(now)

        self._pending = self._stage.at(when, step)

    def _voice(self) -> int:
        return self._stage.vary(self._stage.options.voice_ms) * MS

    def _think(self, when: int) -> None:
        """Ask the model at `when`; its first word comes after its latency."""
        self._forget()
        model_ms = self._stage.vary(self._stage.options.model_ms)
        if self._timing is not None:
            self._timing.model = model_ms
        self._stage.note(when, "assistant.model.requestStarted", "Model request started")
        self._later(when + model_ms * MS, self._output)

    def _output(self, now: int) -> None:
        stage, said, results = self._stage, " ".join(self._said), self._results
        stage.note(now, "assistant.model.firstTokenReceived", "Model first token received")
        tools = (stage.call.plan("model").get("tools")) or []
        calls = [] if results else self._mind.calls(said, tools)
        if calls:
            self._said.clear()
            self._call_tools(calls, now)
            return
        text = self._mind.words(said, " ".join(results) if results else None)
        self._bill(len(pieces(text)))
        line = self._thought = Line(text, self.mint.uuid4(), then=self._end_if_phrase(text))
        for sentence in _SENTENCE.findall(text):
            output = {"output": sentence.strip(), "turnId": line.turn_id}
            stage.tell("model-output", now, output)
        self._expect_voice(now)
        voice = self._voice()
        if self._timing is not None:
            self._timing.voice = voice // MS
        stage.tell("voice-input", now, {"input": text, "turn": stage.turn})
        self._later(now + voice, lambda at: self._voice_in(line, at))

    def _end_if_phrase(self, text: str) -> Callable[[int], None] | None:
        phrases = self._stage.call.setting("endCallPhrases", [])
        lowered = text.lower()
        found = isinstance(phrases, list) and any(one.lower() in lowered for one in phrases)
        return (lambda at: self._hang_up("assistant-said-end-call-phrase", at)) if found else None

    def _bill(self, made: int) -> None:
        """The whole conversation is the prompt; its beginning may be cached."""
        usage, history = self._stage.call.usage, self._stage.call.history
        prompt = sum(len(pieces(str(one["content"]))) + 4 for one in history.openai())
        if self._last_prompt >= _CACHE_FROM:
            usage.cached_tokens += self._last_prompt // _CACHE_STEP * _CACHE_STEP
        self._last_prompt = prompt
        usage.prompt_tokens += prompt
        usage.completion_tokens += made

    # Tools

    def _call_tools(self, calls: Sequence[Call], now: int) -> None:
        self._bill(sum(len(pieces(str(call.arguments))) + 8 for call in calls))
        ending = [call for call in calls if call.tool["type"] == "endCall"]
        if ending:
            self._say_goodbye(now)
            return
        run = ToolRun(self._stage, calls, self.mint, self._answered)
        self._runs += 1
        run.start(now)
        self._expect_voice(now)
        filler = run.filler(self._stage.chance)
        if filler is not None:
            self._announced(filler, now)
        if run.is_async:
            self._results.append("The request has been passed on.")
            self._think(now)

    def _say_goodbye(self, now: int) -> None:
        text = self._stage.call.setting("endCallMessage")
        if not text:
            self._hang_up("assistant-ended-call", now)
            return
        self._announced(str(text), now, lambda at: self._hang_up("assistant-ended-call", at))

    def _announced(self, text: str, now: int, then: Callable[[int], None] | None = None) -> None:
        """Say something fixed: it goes to the voice without the model."""
        line, voice = Line(text, self.mint.uuid4(), then is None, then), self._voice()
        if self._timing is not None:
            self._timing.voice = voice // MS
        self._stage.tell("voice-input", now, {"input": text, "turn": self._stage.turn})
        self._stage.at(now + voice, lambda at: self._voice_in(line, at))

    def _answered(self, outcome: Outcome, now: int) -> None:
        """All tools of a run have answered, or failed to."""
        self._runs -= 1
        if outcome.was_async:
            return
        if outcome.spoken is not None:
            self._announced(outcome.spoken, now)
            return
        self._results.append(outcome.result)
        if not self._caller_speaks:
            self._think(now)

    # Speaking

    def _expect_voice(self, now: int) -> None:
        self._quiet()
        self._hang = self._stage.at(now + _HANG_NS, lambda at: self._stage.tell("hang", at, {}))

    def _quiet(self) -> None:
        if self._hang is not None:
            self._hang.cancelled = True
            self._hang = None

    def _voice_in(self, line: Line, now: int) -> None:
        """The first audio of a line is there."""
        if self.mouth.line is not None or self._caller_speaks:
            self._queue.append(line)
            return
        self._begin(line, now)

    def _begin(self, line: Line, now: int) -> None:
        self._quiet()
        if line is self._thought:
            self._said.clear()
            self._results.clear()
            self._thought = None
        if self._timing is not None:
            found, self._timing = self._timing, None
            turn = (now - self._ended) // MS
            latency = Latency(found.model, found.voice, STOP_MS, found.endpointing, turn)
            self._stage.call.latencies.append(latency)
        self.mouth.say(line, now)

    def _finished(self, now: int) -> None:
        """Nothing is being said: say what waits."""
        if self._queue and not self._caller_speaks and self._stage.call.live:
            self._begin(self._queue.pop(0), now)
        elif self._runs and self._stage.call.live:
            self._expect_voice(now)
