"""How long the client may take to begin the next connection or request."""

from __future__ import annotations

from replay.player.modes import Stepped
from replay.player.parts import Parts

_LATER_NS = 60_000_000_000


def rest_limit(parts: Parts, active_ns: int | None) -> int | None:
    """When the wait ends for what the client has not begun, since it was last `active_ns`; None
    while something else is waited for."""
    progress, exchanges, deliveries = parts.progress, parts.exchanges, parts.deliveries
    if active_ns is None or exchanges.deadline() is not None:
        return None
    if deliveries.deadline() is not None or deliveries.outstanding:
        return None
    rest = progress.rest()
    if not rest and not exchanges.is_awaiting_more:
        return None
    if any(not (line.over or line.is_held) for line in progress.lines.values()):
        return None
    if isinstance(parts.mode, Stepped) and progress.first_open() is not None:
        return None  # somebody has to step
    soonest = min((script.at_ns for script in rest), default=progress.reached_ns)
    allow = max(0, soonest - progress.reached_ns)
    if exchanges.may_be_missing and not progress.free and allow > _LATER_NS:
        allow = 0  # fetched long after the conversation
    return active_ns + allow + parts.pace.patience_ns
