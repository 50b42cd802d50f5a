"""What a replay has used of its tape, and its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from recorder.counting import counted
from replay.match.compare import Matcher
from replay.match.rules import Rule
from replay.player.leftover import left_over, other_sound, streamed, types_of
from replay.player.progress import Progress
from replay.report import Failure, Tally, report
from replay.script import Script


class Account(NamedTuple):
    """Counts. `hide` takes secrets out of a text; `is_delivering`: webhooks have somewhere to go;
    `counts_audio`: it is not compared."""

    script: Script
    progress: Progress
    matcher: Matcher
    hide: Callable[[str], str]
    is_delivering: bool
    counts_audio: bool

    @property
    def provider(self) -> Tally:
        """Provider messages (webhooks and answers to requests, too) that went out, of all."""
        sent = sum(line.sent - line.cut.size for line in self.progress.lines.values())
        used = sent + self.progress.exchanges.used + self.progress.deliveries.sent
        planned = sum(len(script.planned) for script in self.script.sockets)
        return Tally(used, planned + len(self.script.exchanges) + len(self.script.deliveries))

    @property
    def client(self) -> Tally:
        """Client messages that came, of all; streamed audio aside."""
        wanted = sum(len(script.expected) for script in self.script.sockets)
        return Tally(sum(sum(line.matched) for line in self.progress.lines.values()), wanted)

    @property
    def steps(self) -> Tally:
        """Messages of both sides."""
        provider, client = self.provider, self.client
        return Tally(provider.used + client.used, provider.total + client.total)

    @property
    def idle_rules(self) -> list[Rule]:
        """The user's rules that held nowhere so far."""
        return self.matcher.unused()

    @property
    def last_step(self) -> int:
        """The last step of the tape that is a provider message or a webhook; 0 without one."""
        sockets, webhooks = self.script.sockets, self.script.deliveries
        steps = [
            step.seq for socket in sockets for step in socket.planned if step.kind != "ws.close"
        ]
        return max([*steps, *(step.seq for step in webhooks)], default=0)

    def next(self) -> str | None:
        """The first thing of the tape that was not used."""
        progress = self.progress
        lines = list(progress.lines.values())
        rest = progress.exchanges.rest()
        return left_over(lines, progress.free, rest, progress.deliveries.unused())

    def report(self, failure: Failure | None) -> str:
        """What the replay came to, in under 12 lines."""
        lines = self.progress.lines.values()
        shown = [line for line in lines if failure or self.counts_audio or other_sound(line)]
        return report(
            failure,
            self.provider,
            self.client,
            self.next(),
            [streamed(line) for line in shown],
            [self.hide(note) for note in self._notes(failure)],
        )

    def _notes(self, failure: Failure | None) -> Iterator[str]:
        known = types_of(self.script, self.matcher.book.rules)
        unused = self.idle_rules
        strange = [rule for rule in unused if rule.type and rule.type not in known]
        yield from (f"rule for a type that is not on the tape: {rule}" for rule in strange)
        # a replay that failed may not have come to the others
        idle = [] if failure else [rule for rule in unused if rule not in strange]
        yield from (f"rule never applied: {rule}" for rule in idle)
        for line in self.progress.lines.values():
            yield from line.notes
        yield from self.progress.exchanges.notes
        if self.script.deliveries and not self.is_delivering:
            yield f"{counted(len(self.script.deliveries), 'webhook')} not sent: no --webhook-to"
