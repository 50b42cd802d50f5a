"""One call: what was asked, what became of it, and what it left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from replay.simulators.vapi.errors import Json
from replay.simulators.vapi.history import History
from replay.simulators.vapi.sound import Form, Lane

DID_NOT_JOIN = "call.in-progress.error-assistant-did-not-receive-customer-audio"


class Base(NamedTuple):
    """Where the simulator is reached."""

    host: str
    tls: bool

    @property
    def http(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"

    @property
    def ws(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://{self.host}"


class Latency(NamedTuple):
    """How one answer came about, in ms; `turn` is from the end of the speech to the audio."""

    model: int
    voice: int
    transcriber: int
    endpointing: int
    turn: int


@dataclass
class Usage:
    """What a call is billed for, apart from its length."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    characters: int = 0


@dataclass
class Call:
    """`asked` is the POST's body; `assistant` is what it resolved to, None while a server is asked.

    `status` is what really is; `reported` and `settled` say how much of the end can be seen.
    Times in ms since 1970; `started_ns` is the simulator's clock.
    """

    id: str
    org_id: str
    created_ms: int
    base: Base
    asked: Json
    form: Form
    transport: Json
    seed: str
    assistant: Json | None = None
    status: str = "queued"
    updated_ms: int = 0
    started_ms: int | None = None
    started_ns: int = 0
    ended_ms: int | None = None
    ended_reason: str | None = None
    name: str | None = None
    reported: bool = False
    settled: bool = False
    has_log: bool = False
    debugging: Json | None = None
    usage: Usage = field(default_factory=Usage)
    latencies: list[Latency] = field(default_factory=list)
    interruptions: int = 0
    log: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.updated_ms = self.created_ms
        self.name = self.asked.get("name")
        self.history = History(self.created_ms)
        self.customer, self.bot = Lane(self.form.rate), Lane(self.form.rate)

    @property
    def duration_ms(self) -> int:
        """From the beginning of the media to the end; 0 for a call that never began."""
        if self.started_ms is None or self.ended_ms is None:
            return 0
        return self.ended_ms - self.started_ms

    @property
    def live(self) -> bool:
        return self.status != "ended"

    def setting(self, name: str, default: object = None) -> object:
        """A top-level setting of the assistant; null and absent are the default."""
        value = (self.assistant or {}).get(name)
        return default if value is None else value

    def plan(self, name: str) -> Json:
        """One of the assistant's plans, empty if it has none."""
        value = self.setting(name, {})
        return value if isinstance(value, dict) else {}

    def transcript(self) -> str:
        """What was said, with the labels of the assistant's `transcriptPlan`."""
        plan = self.plan("artifactPlan").get("transcriptPlan") or {}
        return self.history.transcript(
            plan.get("assistantName") or "AI", plan.get("userName") or "User"
        )

    def begin(self, ms: int, now: int) -> None:
        """The media begin."""
        self.status, self.started_ms, self.started_ns, self.updated_ms = "in-progress", ms, now, ms
        self.history = History(ms)

    def end(self, reason: str, ms: int) -> None:
        """The call is over."""
        self.status, self.ended_reason, self.ended_ms = "ended", reason, ms

    def note(self, ms: int, event: str, body: str, **attributes: object) -> None:
        """Add a row to the log of the call."""
        known = {"category": event.partition(".")[0], "event": event, **attributes}
        row = {"time": ms, "level": "INFO", "traceId": self.id, "body": body, "attributes": known}
        self.log.append(row)
