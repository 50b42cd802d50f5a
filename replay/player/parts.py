"""What a player is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from recorder.events import Message
from recorder.providers.base import Provider
from replay.match.compare import Matcher
from replay.match.hearing import AudioMode
from replay.match.rulebook import Rulebook
from replay.player.account import Account
from replay.player.breadth import check_rules
from replay.player.connections import Connections
from replay.player.deliveries import Deliveries
from replay.player.dressing import Dressing
from replay.player.exchanges import Exchanges
from replay.player.mismatch import Explainer
from replay.player.modes import Mode, ModeName, mode_of
from replay.player.pace import Pace
from replay.player.progress import Progress
from replay.player.targets import Targets
from replay.script import ExchangeScript, Script

_NS = 1_000_000_000


class Wishes(NamedTuple):
    """How a tape is to be played, as `Player` is told."""

    speed: float | None
    patience_s: float
    mode: ModeName
    idle_cap_s: float | None
    spare: Sequence[ExchangeScript]
    webhook_to: str | None
    hide: Callable[[str], str]
    audio: AudioMode
    after: Sequence[ExchangeScript]

    @property
    def pace(self) -> Pace:
        """The speed, the cap and the patience."""
        cap_ns = None if self.idle_cap_s is None else int(self.idle_cap_s * _NS)
        return Pace(self.speed, int(self.patience_s * _NS), cap_ns)


@dataclass(frozen=True)
class Parts:
    """The rooms of a player, joined."""

    pace: Pace
    mode: Mode
    dressing: Dressing
    explain: Explainer
    targets: Targets
    progress: Progress
    exchanges: Exchanges
    deliveries: Deliveries
    connections: Connections
    account: Account


def parts_of(
    script: Script,
    provider: Provider,
    book: Rulebook,
    wishes: Wishes,
    send: Callable[[Message], None],
) -> Parts:
    """Make them. RecorderError for a rule that would leave out too much."""
    check_rules(book, script)
    pace, webhook_to, audio = wishes.pace, wishes.webhook_to, wishes.audio
    dressing = Dressing(provider)
    matcher = Matcher(book, script.minted, wishes.hide)
    explain = Explainer(script, provider, matcher, wishes.hide)
    targets = Targets(matcher, provider.PREFIX, (*wishes.spare, *script.exchanges))
    progress = Progress(script, provider.RULES.commands)
    mode = mode_of(wishes.mode, pace, progress, script)
    deliveries = Deliveries(
        script.deliveries,
        webhook_to,
        book,
        pace,
        progress.reached,
        dressing.links,
        mode,
        progress.begin,
    )
    exchanges = Exchanges(
        script.exchanges,
        wishes.spare,
        targets.differs,
        pace,
        book.tolerates,
        dressing.answer,
        provider.PREFIX,
        deliveries.settled,
        wishes.after,
    )
    progress.exchanges, progress.deliveries = exchanges, deliveries
    connections = Connections(
        script, provider, matcher, targets, explain, pace, mode, audio, progress, send
    )
    is_delivering, counts_audio = webhook_to is not None, audio == "ignore"
    account = Account(script, progress, matcher, wishes.hide, is_delivering, counts_audio)
    return Parts(
        pace,
        mode,
        dressing,
        explain,
        targets,
        progress,
        exchanges,
        deliveries,
        connections,
        account,
    )
