"""Vapi: a scenario as an assistant of one call; tools are called by webhook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from recorder.trial.cues import Moment
from recorder.trial.doubles import Doubles
from recorder.trial.openai_wording import merged
from recorder.trial.scenario import Scenario
from recorder.trial.sides.base import Compiled, Json, Party, described, refuse_neutral, wording
from recorder.trial.speaker import Speaker
from recorder.trial.steps import Step
from recorder.trial.vapi_wording import VapiWording

RATE = 16_000
_NEUTRAL = {
    "model.messages": "agent.instructions",
    "model.tools": "agent.tools",
    "firstMessage": "agent.first_message",
    "firstMessageMode": "speaks_first",
    "server": "the recorder",
    "clientMessages": "the caller",
}
_LEAST_S = 10  # of maxDurationSeconds
_POLL_NS = 1_000_000_000
_PATIENCE_NS = 20_000_000_000  # for the costs of a call after its end


def compile(scenario: Scenario) -> Compiled:
    """The body of `POST /call`; see `Side`."""
    lacking = []
    if any(turn.dtmf for turn in scenario.turns):
        lacking.append("dtmf: sent as tones; keypadInputPlan is for telephone calls")
    if scenario.budget.max_cost_usd is not None:
        lacking.append("budget.max_cost_usd: costs are told after a call, too late to end it")
    return Compiled(_body(scenario), tuple(lacking))


def party(scenario: Scenario, steps: Sequence[Step], doubles: Doubles) -> Party:
    """A caller of one call; see `Side`."""
    return VapiCall(_body(scenario), steps, doubles)


def simulator(scenario: Scenario) -> Sequence[str]:
    """See `Side`. Costs settle soon, since a run waits for them."""
    return [*wording(scenario, scenario.simulated_replies), "--settle-s=0.5"]


def _body(scenario: Scenario) -> Json:
    given = scenario.provider.get("vapi", {})
    refuse_neutral(scenario, "vapi", given, _NEUTRAL)
    agent = scenario.agent
    speaks = scenario.speaks_first == "agent"
    mode = "assistant-waits-for-user"
    if speaks:
        generated = "assistant-speaks-first-with-model-generated-message"
        mode = "assistant-speaks-first" if agent.first_message else generated
    assistant: Json = {
        "name": scenario.id[:40],
        "firstMessageMode": mode,
        "model": {
            "provider": "openai",
            "model": "gpt-4.1",
            "messages": [{"role": "system", "content": agent.instructions}],
            "tools": [{"type": "function", "function": described(each)} for each in agent.tools],
        },
        "backgroundSound": "off",
        "maxDurationSeconds": max(_LEAST_S, round(scenario.end.max_s) + 5),
    }
    if speaks and agent.first_message:
        assistant["firstMessage"] = agent.first_message
    audio = {"format": "pcm_s16le", "container": "raw", "sampleRate": RATE}
    transport = {"provider": "vapi.websocket", "audioFormat": audio}
    return {"assistant": merged(assistant, given), "transport": transport}


class VapiCall:
    """Makes a call with `POST /call`, talks on its socket, hangs up, and asks for the call until
    its costs have settled (twice the same), or for 20 s."""

    def __init__(self, body: Json, steps: Sequence[Step], doubles: Doubles) -> None:
        self.finished = False
        self._failed: str | None = None
        self._steps, self._doubles = steps, doubles
        self._outbox = [_request(1, "POST", "/call", body)]
        self._id = ""
        self._speaker: Speaker | None = None
        self._channels = 2
        self._ask_at: int | None = None
        self._ends_at = 0
        self._costs: object = None

    @property
    def failed(self) -> str | None:
        """See `Party`."""
        return self._failed or (self._speaker.failed if self._speaker else None)

    @property
    def moments(self) -> Sequence[Moment]:
        """See `Party`."""
        return self._speaker.moments if self._speaker else ()

    def give_up(self, why: str, now: int) -> None:
        """See `Party`."""
        if self._speaker is None:
            self._fail(why)
        else:
            self._speaker.give_up(why, now)

    def receive(self, message: Message, now: int) -> None:
        """What the provider says."""
        if message.channel == 1:
            self._made(message)
        elif message.channel == 2 and self._speaker is not None:
            self._speaker.receive(message, now)
        else:
            self._told(message, now)

    def due(self, now: int) -> list[Message]:
        """What the caller says by `now`."""
        sent, self._outbox = self._outbox, []
        if self._speaker is None or self.finished:
            return sent
        sent += self._speaker.due(now)
        if self._speaker.finished and self._ask_at is None and not self._ends_at:
            self._ask_at, self._ends_at = now + _POLL_NS, now + _PATIENCE_NS
        if self._ask_at is not None and self._ask_at <= now:
            self._channels, self._ask_at = self._channels + 1, None
            sent.append(_request(self._channels, "GET", f"/call/{self._id}", None))
        return sent

    def next_deadline(self) -> int | None:
        """When the caller next acts by itself."""
        if self._outbox:
            return 0
        if self._ask_at is not None:
            return self._ask_at
        return self._speaker.next_deadline() if self._speaker else None

    def _made(self, message: Message) -> None:
        """The call exists, or was refused."""
        status = ResponseHead.decode(message.body).status
        try:
            call = json.loads(message.payload)
            url = urlsplit(call["transport"]["websocketCallUrl"])
            self._id = str(call["id"])
        except (ValueError, KeyError, TypeError):
            told = " ".join(message.payload.decode("utf-8", "replace").split())[:200]
            self._fail(f"the call was refused with status {status}: {told}")
            return
        head = RequestHead("GET", f"{url.scheme}://{url.netloc}{url.path}", url.query)
        wording = VapiWording()
        self._speaker = Speaker(head, self._steps, wording, doubles=self._doubles, channel=2)

    def _told(self, message: Message, now: int) -> None:
        """What has become of the call."""
        try:
            call = json.loads(message.payload)
            costs = call.get("costs") if call.get("status") == "ended" else None
        except (ValueError, AttributeError):
            costs = None
        settled = bool(costs) and costs == self._costs
        self._costs = costs
        if settled or now >= self._ends_at:
            self.finished = True
        else:
            self._ask_at = now + _POLL_NS

    def _fail(self, why: str) -> None:
        self._failed = why
        self.finished = True


def _request(channel: int, method: str, path: str, body: Json | None) -> Message:
    head = RequestHead(method, path, "", (("Content-Type", "application/json"),))
    payload = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    return Message(channel, "http.request", head.encode(), payload)
