"""Reads the client's side of a tape into a plan: pure, one pass in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from recorder.events import Event
from recorder.providers.base import Provider
from replay.caller.acts import Entry, Plan, SocketPlan
from replay.caller.lane import Lane
from replay.caller.perception import Perception
from replay.match.requests import body_value
from replay.match.rulebook import Rulebook
from replay.script import ExchangeScript, read_script

_OFFER = "an SDP"


def read_plan(events: Iterable[Event], provider: Provider, book: Rulebook) -> Plan:
    """The plan of a tape, given as its events in order. Notes, pings and pongs are left out, and
    what cannot be played: calls whose audio went past the tape."""
    whole = list(events)
    script = read_script(whole, provider, book)
    lanes = _lanes(whole, provider, book, script.minted)
    skipped: list[str] = []
    parts: list[SocketPlan | ExchangeScript] = []
    found: list[SocketPlan | ExchangeScript] = [*script.exchanges, *(lane.plan() for lane in lanes)]
    for part in sorted(found, key=lambda part: part.seq):
        why = _unplayable(part, provider)
        if why:
            skipped.append(why)
        else:
            parts.append(part)
    entries = tuple(_entry(parts, at) for at in range(len(parts)))
    trip = next((part.opened_ns for part in parts if isinstance(part, SocketPlan)), 0)
    return Plan(entries, script.deliveries, script.length_ns, trip, tuple(skipped))


def _lanes(
    events: Sequence[Event], provider: Provider, book: Rulebook, minted: frozenset[str]
) -> list[Lane]:
    """One for each WebSocket that the client asked for."""
    lanes: dict[int, Lane] = {}
    newest: Lane | None = None
    perception = Perception(provider)
    for event in events:
        if event.sender == "recorder" or event.kind in ("ws.ping", "ws.pong", "note"):
            continue
        _, _, at_ns, channel, sender, kind, type_, body = event
        if (kind, sender) == ("ws.open", "client"):
            newest = lanes[channel] = Lane(event, provider, book, minted)
        seen = perception.take(channel, sender, kind, body, at_ns, type_)
        lane = lanes.get(channel)
        if lane is not None:
            lane.take(event, seen)
        elif newest is not None:
            newest.scene.tell(seen.told, at_ns)  # beside the socket, by webhook
    return list(lanes.values())


def _unplayable(part: SocketPlan | ExchangeScript, provider: Provider) -> str:
    """Why something cannot be played, or ``""``."""
    conduct = provider.CONDUCT
    head = part.request
    if isinstance(part, SocketPlan):
        joins = conduct.joins and f"{conduct.joins}=" in head.query
        return f"the socket that joins a call at {head.path}" if joins else ""
    if head.method == "POST" and head.path.endswith(conduct.media or ("\0",)):
        return f"POST {head.path}: its audio is not on the tape"
    is_offer = _OFFER in str(body_value(head.headers, part.sent))
    return f"{head.method} {head.path}: an SDP offer" if is_offer else ""


def _entry(parts: Sequence[SocketPlan | ExchangeScript], at: int) -> Entry:
    """What an entry waits for: those that were over, and how far the sockets had come."""
    part = parts[at]
    before = parts[:at]
    after = tuple(number for number, one in enumerate(before) if one.end_ns <= part.at_ns)
    causes = [one.end_ns for one in before if one.end_ns <= part.at_ns]
    causes += list(_acts_before(before, part))
    return Entry(part, after, part.at_ns - max(causes, default=part.at_ns))


def _acts_before(
    before: Sequence[SocketPlan | ExchangeScript], part: SocketPlan | ExchangeScript
) -> Iterator[int]:
    for one in before:
        if isinstance(one, SocketPlan) and one.end_ns > part.at_ns:
            yield max((act.at_ns for act in one.acts if act.seq < part.seq), default=one.at_ns)
