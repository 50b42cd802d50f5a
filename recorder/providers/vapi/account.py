"""What a call cost and what was said, from every shape in which Vapi has told it.

Costs: `cost` and `costBreakdown` since 2024, `costs[]` since late 2024, in a call or in the message
of an `end-of-call-report`; none at all while they have not settled. Messages: `messages` of the
call or report, `artifact.messages` where those are absent or empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

Json = Mapping[str, Any]
_PARTS = ("transport", "stt", "llm", "tts", "vapi", "chat", "knowledgeBaseCost")


class CostLine(NamedTuple):
    """One item of a bill; `usd` is None where it is not told."""

    kind: str
    name: str
    usd: float | None


class Account(NamedTuple):
    """A call as it is told when it is over. Unknown is None, never 0."""

    reason: str
    seconds: float | None
    total_usd: float | None
    lines: Sequence[CostLine]
    messages: Sequence[Json]


def account(call: Json) -> Account:
    """Read a call, or the message of an end-of-call-report."""
    return Account(
        _string(call.get("endedReason")),
        _seconds(call),
        _total(call),
        _lines(call),
        messages(call),
    )


def messages(call: Json) -> Sequence[Json]:
    """What was said and done, in the order that Vapi tells it."""
    artifact = call.get("artifact")
    for holder in (call, artifact if isinstance(artifact, Mapping) else {}):
        found = holder.get("messages")
        if isinstance(found, list) and found:
            return [each for each in found if isinstance(each, Mapping)]
    return []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _total(call: Json) -> float | None:
    """The bill; a `cost` of 0 beside no item at all is what stands before anything has settled."""
    breakdown = call.get("costBreakdown")
    total = _number(breakdown.get("total")) if isinstance(breakdown, Mapping) else None
    cost = _number(call.get("cost"))
    if cost is None or (cost == 0 and not call.get("costs")):
        return total
    return cost


def _lines(call: Json) -> Sequence[CostLine]:
    items = call.get("costs")
    if isinstance(items, list) and items:
        return [_item(each) for each in items if isinstance(each, Mapping)]
    breakdown = call.get("costBreakdown")
    if not isinstance(breakdown, Mapping):
        return []
    told = {part: _number(breakdown.get(part)) for part in _PARTS}
    return [CostLine(part, "", usd) for part, usd in told.items() if usd is not None]


def _item(item: Json) -> CostLine:
    """An item names what it paid for under its own type: `{"type": "voice", "voice": {…}}`."""
    kind = _string(item.get("type"))
    thing = item.get(kind)
    if not isinstance(thing, Mapping):
        thing = item.get("model")
    if isinstance(thing, Mapping):
        words = (thing.get(key) for key in ("provider", "model", "voiceId"))
        name = " ".join(word for word in words if isinstance(word, str))
    else:
        name = _string(item.get("provider"))
    detail = _string(item.get("subType")) or _string(item.get("analysisType"))
    told = " ".join(part for part in (name, detail) if part)
    return CostLine(kind, told, _number(item.get("cost")))


def _seconds(call: Json) -> float | None:
    ms = _number(call.get("durationMs"))
    if ms is not None:
        return ms / 1000
    told = _number(call.get("durationSeconds"))
    if told is not None:
        return told
    try:
        start = datetime.fromisoformat(_string(call.get("startedAt")))
        end = datetime.fromisoformat(_string(call.get("endedAt")))
    except ValueError:
        return None
    return (end - start).total_seconds()
