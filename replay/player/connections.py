"""The WebSockets of a tape, live: opening them, what comes on them, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recorder.events import Message
from recorder.heads import Close, RequestHead
from recorder.providers.base import Provider
from replay.match.compare import Matcher
from replay.match.hearing import AudioMode
from replay.player.acquaintance import acquainted
from replay.player.closing import NORMAL, Wrong, not_closed, too_early
from replay.player.line import Line
from replay.player.mismatch import Explainer
from replay.player.modes import Mode
from replay.player.pace import Pace
from replay.player.progress import Progress
from replay.player.targets import Targets
from replay.script import Script

_NS = 1_000_000_000


@dataclass(frozen=True)
class Connections:
    """Serves the sockets of `script`; each method says what the client did wrong, if it did.
    `send` takes what goes out beside what lines have due."""

    script: Script
    provider: Provider
    matcher: Matcher
    targets: Targets
    explain: Explainer
    pace: Pace
    mode: Mode
    audio: AudioMode
    progress: Progress
    send: Callable[[Message], None]

    def open(self, message: Message, now: int) -> Wrong | None:
        """An upgrade is asked for."""
        head, free = RequestHead.decode(message.body), self.progress.free
        script, found = self.targets.socket(free, head)
        if script is None:
            return Wrong(self.explain.socket(head, found))
        free.remove(script)
        ahead = self.mode.ahead(script.seq, f"step {script.seq}, a WebSocket")
        if ahead:
            return Wrong(too_early(ahead))
        self.progress.begin(script, now)
        tracker = acquainted(self.provider.tracker(), self.script, script, message)
        self.progress.lines[message.channel] = Line(
            message.channel,
            script,
            self.matcher,
            tracker,
            self.pace,
            now,
            self.progress.released,
            self.mode,
            self.audio,
        )
        return None

    def take(self, message: Message, now: int) -> Wrong | None:
        """A message comes."""
        line = self.progress.open_line(message.channel)
        if line is None:
            return None
        if line.take(message.kind, message.body, now):
            if line.ended:
                for each in self.progress.lines.values():
                    each.end(line.ended, now)
            return None
        ahead = line.ahead
        failure = too_early(ahead) if ahead else self.explain.message(line, message)
        return Wrong(failure, line, message.body)

    def hang_up(self, message: Message, now: int) -> Wrong | None:
        """The client closes."""
        line = self.progress.open_line(message.channel)
        if line is None:
            return None
        close = Close.decode(message.body)
        for each in line.hang_up(close, now):
            self.send(each)
        if line.is_cut_short:
            return None  # told once all is closed
        failure = self.explain.closed(line, close.code)
        return Wrong(failure) if failure else None

    def watch(self, line: Line, now: int) -> Wrong | None:
        """End a wait that took too long."""
        line.finish_waiting(now)
        if not line.expired(now):
            return None
        patience = self.pace.patience_ns / _NS
        if line.awaited() or line.next_step():
            return Wrong(self.explain.wait(line, patience), line)
        if lacking := self.explain.audio_end(line.voice):
            return Wrong(lacking, line)
        if line.script.hung_up:
            return Wrong(not_closed(line.script.closed_seq, patience), line)
        line.over = True
        line.notes.append(f"the client did not close within {patience:g} s of the end")
        close = Close(NORMAL, "end of the tape")
        self.send(Message(line.channel, "ws.close", close.encode()))
        return None

    def cut_short(self) -> Wrong | None:
        """What was left out because the client ended the conversation, once all is closed."""
        lines = list(self.progress.lines.values())
        short = [line for line in lines if line.is_cut_short]
        if not short or not all(line.over for line in lines):
            return None
        return Wrong(self.explain.ended(lines))
