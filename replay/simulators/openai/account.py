"""What outlives a connection: issued secrets, open calls, the rate limit, the count of sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replay.simulators.openai import session
from replay.simulators.openai.errors import Json
from replay.simulators.openai.ids import Mint
from replay.simulators.openai.options import Options
from replay.simulators.openai.stage import Stage
from replay.simulators.openai.talk import Talk
from replay.simulators.openai.usage import RateLimit

Post = Callable[[int, bytes], None]
Hangup = Callable[[int, int, str], None]


@dataclass
class Line:
    """A session and the WebSockets that carry it: one, or any number of sidebands of a call."""

    talk: Talk
    channels: list[int]


@dataclass(frozen=True)
class Secret:
    """A client secret: the session that it opens, until when (unix s)."""

    expires_at: int
    session: Json


class Account:
    """The service as one customer sees it. `post` and `hangup` act on channels."""

    def __init__(
        self, options: Options, seed: int, wall_s: Callable[[int], int], post: Post, hangup: Hangup
    ) -> None:
        self.options = options
        self.wall_s = wall_s
        self.mint = Mint(f"{seed}/account", wall_s)
        self.secrets: dict[str, Secret] = {}
        self.calls: dict[str, Line] = {}
        self.lines: list[Line] = []
        self._seed = seed
        self._post, self._hangup = post, hangup
        self._limit = RateLimit(options.tokens_per_minute)
        self._sessions = 0

    def admits(self, key: str, now: int) -> bool:
        """Whether a key is good: a secret that has not expired, or one of the known keys."""
        secret = self.secrets.get(key)
        if secret is not None:
            return secret.expires_at > self.wall_s(now)
        return not self.options.keys or key in self.options.keys

    def new_session(self, kind: str, model: str, now: int, session_id: str | None = None) -> Json:
        """A session object with the defaults."""
        made = session_id or self.mint.make("sess_", now)
        expires_at = self.wall_s(now) + self.options.session_s
        return session.defaults(kind, made, model, expires_at)

    def open_line(
        self, config: Json, now: int, *, speaks_beta: bool = False, is_call: bool = False
    ) -> Line:
        """Begin a session with this configuration, on no channel yet."""
        seed = f"{self._seed}/{self._sessions}"
        self._sessions += 1
        channels: list[int] = []

        def deliver(body: bytes, is_sound: bool) -> None:
            if not (is_sound and is_call):
                for channel in channels:
                    self._post(channel, body)

        def close(code: int, reason: str) -> None:
            for channel in channels:
                self._hangup(channel, code, reason)
            self.drop(line)

        stage = Stage(
            self.options,
            Mint(seed, self.wall_s),
            self._limit,
            seed=seed,
            speaks_beta=speaks_beta,
            is_call=is_call,
            deliver=deliver,
            close=close,
            now=now,
        )
        line = Line(Talk(stage, config), channels)
        self.lines.append(line)
        return line

    def start_call(self, config: Json, call_id: str, now: int) -> None:
        """A WebRTC or SIP call that sidebands may join."""
        line = self.calls[call_id] = self.open_line(config, now, is_call=True)
        line.talk.limit_life()

    def drop(self, line: Line) -> None:
        """The session is over: nothing more is sent."""
        line.talk.stage.agenda.clear()
        line.channels.clear()
        self.lines = [other for other in self.lines if other is not line]
        self.calls = {call: other for call, other in self.calls.items() if other is not line}

    def end_call(self, call_id: str) -> bool:
        """Hang up; False if there is no such call."""
        line = self.calls.get(call_id)
        if line is not None:
            line.talk.stage.close(1000, "")
        return line is not None
