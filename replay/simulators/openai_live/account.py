"""What outlives a connection: sessions under way, those that were stored, sidebands."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from recorder.heads import LOST
from replay.simulators.openai.errors import Json
from replay.simulators.openai.ids import Mint
from replay.simulators.openai_live.options import Options
from replay.simulators.openai_live.stage import Lane, Stage, encoded
from replay.simulators.openai_live.talk import Talk

Post = Callable[[int, bytes], None]
Hangup = Callable[[int, int], None]
_REPEATED_NS = 3_000_000_000  # what a sideband that comes again is told once more
_NORMAL = 1000


class Sideband(NamedTuple):
    """A connection beside the primary one. Without `is_graceful` it may end without a close."""

    channel: int
    is_graceful: bool


class Line:
    """A session with its connections."""

    def __init__(self, post: Post, hangup: Hangup, drop: Callable[[Line], None]) -> None:
        self.primary: int | None = None
        self.sidebands: list[Sideband] = []
        self.talk: Talk
        self._post, self._hangup, self._drop = post, hangup, drop
        self._recent: deque[tuple[int, bytes]] = deque()
        self._attached = False

    def deliver(self, body: bytes, lane: Lane) -> None:
        """Send an event to whom it is for."""
        if lane != "sidebands" and self.primary is not None:
            self._post(self.primary, body)
        if lane == "primary":
            return
        for sideband in self.sidebands:
            self._post(sideband.channel, body)
        if lane == "all":
            now = self.talk.stage.now
            self._recent.append((now, body))
            while self._recent[0][0] < now - _REPEATED_NS:
                self._recent.popleft()

    def attach(self, sideband: Sideband) -> None:
        """A sideband joins: it gets `session.started`; one that comes again, what was said last."""
        stage = self.talk.stage
        self.sidebands.append(sideband)
        started = {"event_id": stage.mint.make("event_", stage.now), "type": "session.started"}
        self._post(sideband.channel, encoded({**started, "session": stage.session}))
        if self._attached:
            for at, body in self._recent:
                if at >= stage.now - _REPEATED_NS:
                    self._post(sideband.channel, body)
        self._attached = True

    def leave(self, channel: int) -> None:
        """A connection is gone: with the primary one goes the session."""
        self.sidebands = [each for each in self.sidebands if each.channel != channel]
        if channel == self.primary:
            self.primary = None
            self.talk.end("connection_lost")

    def over(self) -> None:
        """The session has ended: its connections end."""
        if self.primary is not None:
            self._hangup(self.primary, _NORMAL)
        for sideband in self.sidebands:
            self._hangup(sideband.channel, _NORMAL if sideband.is_graceful else LOST)
        self.primary, self.sidebands = None, []
        self._drop(self)


class Account:
    """The service as one customer sees it. `post` and `hangup` act on channels."""

    def __init__(
        self, options: Options, seed: int, wall_s: Callable[[int], int], post: Post, hangup: Hangup
    ) -> None:
        self.options, self.wall_s = options, wall_s
        self.mint = Mint(f"{seed}/live", wall_s)
        self.lines: dict[str, Line] = {}
        self.stored: dict[str, Json] = {}  # what may be forked
        self._seed, self._post, self._hangup = seed, post, hangup
        self._sessions = 0

    def new_id(self) -> str:
        """An id for a session (recorded: `live_u0_` and 32 characters)."""
        return f"live_u0_{self.mint.noise(32)}"

    def expires_at(self, now: int) -> int:
        """When a session that starts now ends at the latest (unix s)."""
        return self.wall_s(now) + self.options.session_s

    def open(self, resource: Json, now: int, *, primary: int | None) -> Line:
        """Begin a session, on a connection or past it."""
        seed = f"{self._seed}/live/{self._sessions}"
        self._sessions += 1
        line = Line(self._post, self._hangup, self._close)
        line.primary = primary
        stage = Stage(
            self.options,
            Mint(seed, self.wall_s),
            resource,
            seed=seed,
            has_media=primary is None,
            deliver=line.deliver,
            now=now,
        )
        line.talk = Talk(stage, line.over, lambda: bool(line.sidebands))
        self.lines[line.talk.id] = line
        return line

    def _close(self, line: Line) -> None:
        session = line.talk.stage.session
        self.lines.pop(line.talk.id, None)
        if session.get("store"):
            self.stored[line.talk.id] = session
