"""GPT-Live: a scenario as `session.start`; functions are run by the caller itself, and called by
the model behind the voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recorder.events import Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.trial.cues import Moment
from recorder.trial.doubles import Doubles
from recorder.trial.live_wording import LiveWording
from recorder.trial.openai_wording import merged
from recorder.trial.scenario import Scenario
from recorder.trial.sides.base import Compiled, Json, Party, described, own_table, wording
from recorder.trial.speaker import Speaker
from recorder.trial.steps import Step
from recorder.trial.wording import encoded

MODEL = "gpt-live-1"
BACKEND = "gpt-4.1"
RATE = 24_000
_VALID = ("model", "backend", "session", "voice")
_NEUTRAL = {
    "session.instructions": "agent.instructions",
    "session.delegation.type": "agent.tools",
    "session.delegation.responses.instructions": "agent.instructions",
    "session.delegation.responses.tools": "agent.tools",
    "session.audio.format": "the caller's audio",
}
_CLOSING_NS = 15_000_000_000  # for session.closed (guide on sessions)


def compile(scenario: Scenario) -> Compiled:
    """The session; see `Side`."""
    lacking = []
    if scenario.speaks_first == "agent" and scenario.agent.first_message:
        lacking.append("first_message: the voice is asked to say it, and may paraphrase it")
    if any(double.status is not None for double in scenario.doubles):
        lacking.append("tool status: there is no HTTP; the function's output tells the error")
    if any(turn.dtmf for turn in scenario.turns):
        lacking.append("dtmf: sent as tones; keys are events only over a telephone (SIP)")
    if scenario.budget.max_cost_usd is not None:
        lacking.append("budget.max_cost_usd: seconds are told once a minute, and at the end")
    session = _session(scenario)
    backend = session["delegation"]["responses"]["model"]
    priced = (("session", str(session["model"])), ("backend", str(backend)))
    return Compiled({"session": session}, tuple(lacking), priced)


def party(scenario: Scenario, steps: Sequence[Step], doubles: Doubles) -> Party:
    """A caller on one primary connection; see `Side`."""
    return LiveCall(_session(scenario), _greeting(scenario), steps, doubles)


def simulator(scenario: Scenario) -> Sequence[str]:
    """See `Side`. A greeting is given by the caller, and is no reply."""
    return wording(scenario, scenario.simulated_replies)


def _own(scenario: Scenario) -> Mapping[str, Any]:
    return own_table(scenario, "openai-live", _VALID, _NEUTRAL)


def _session(scenario: Scenario) -> Json:
    """The instructions hold for the voice and for the model behind it: both act for the agent."""
    given, agent = _own(scenario), scenario.agent
    output = {"output": {"voice": given["voice"]}} if "voice" in given else {}
    usual: Json = {
        "model": given.get("model", MODEL),
        "instructions": agent.instructions,
        "audio": {"format": {"type": "audio/pcm", "rate": RATE}, **output},
        "delegation": {
            "type": "responses",
            "responses": {
                "model": given.get("backend", BACKEND),
                "instructions": agent.instructions,
                "tools": [{"type": "function", **described(each)} for each in agent.tools],
            },
        },
    }
    return merged(usual, given.get("session", {}))


def _greeting(scenario: Scenario) -> Json | None:
    """What makes the voice speak first: words to say, or the wish for some."""
    if scenario.speaks_first != "agent":
        return None
    first = scenario.agent.first_message
    if first:
        return _append("commentary", first)
    return _append("instructions", "Greet the caller now.")


def _append(kind: str, content: str) -> Json:
    return {"type": f"session.{kind}.append", "content": content, "delegation_id": None}


class LiveCall:
    """Starts a session, talks, and closes it: its end is `session.closed`, which tells the seconds
    that are billed. It is waited for 15 s."""

    def __init__(
        self, session: Json, greeting: Json | None, steps: Sequence[Step], doubles: Doubles
    ) -> None:
        self.finished = False
        self._failed: str | None = None
        head = RequestHead("GET", "/v1/live/sessions")
        self._speaker = Speaker(head, steps, LiveWording(greeting), doubles=doubles)
        self._session = session
        self._outbox: list[Message] = []
        self._closes_by: int | None = None

    @property
    def failed(self) -> str | None:
        """See `Party`."""
        return self._speaker.failed or self._failed

    @property
    def moments(self) -> Sequence[Moment]:
        """See `Party`."""
        return self._speaker.moments

    def give_up(self, why: str, now: int) -> None:
        """See `Party`."""
        if self._closes_by is None:
            self._speaker.give_up(why, now)
        elif not self.finished:
            self._end(why)

    def receive(self, message: Message, now: int) -> None:
        """What the provider says."""
        if self._closes_by is not None:
            self._closing(message)
            return
        if message.kind == "ws.open" and ResponseHead.decode(message.body).status == 101:
            start = encoded({"type": "session.start", "session": self._session})
            self._outbox.append(Message(message.channel, "ws.text", start))
        self._speaker.receive(message, now)

    def due(self, now: int) -> list[Message]:
        """What the caller says by `now`; in place of its hanging up, that the session ends."""
        for message in self._speaker.due(now):
            if message.kind == "ws.close":
                self._closes_by = now + _CLOSING_NS
                close = encoded({"type": "session.close"})
                message = Message(message.channel, "ws.text", close)
            self._outbox.append(message)
        if self._closes_by is not None and now >= self._closes_by and not self.finished:
            self._end("no session.closed within 15 s")
        if self._speaker.finished and self._closes_by is None:
            self.finished = True  # it was refused
        sent, self._outbox = self._outbox, []
        return sent

    def next_deadline(self) -> int | None:
        """When the caller next acts by itself."""
        if self._outbox:
            return 0
        return self._speaker.next_deadline() if self._closes_by is None else self._last()

    def _last(self) -> int | None:
        return None if self.finished else self._closes_by

    def _closing(self, message: Message) -> None:
        """The session is ending: only its last event matters."""
        if message.kind == "ws.close":
            self.finished = True
        elif message.kind == "ws.text" and b'"session.closed"' in message.body[:200]:
            self._end(None)

    def _end(self, why: str | None) -> None:
        self._failed, self.finished = why, True
        self._outbox.append(Message(1, "ws.close", Close(1000).encode()))
