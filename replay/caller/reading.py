"""Reads the client's side of a tape into a plan: pure, one pass in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from recorder.events import Event
from recorder.providers.base import Provider
from replay.caller.acts import Entry, Plan, SocketPlan
from replay.caller.lane import Lane
from replay.caller.perception import Perception
from replay.caller.scene import Scene
from replay.match.ids import strings_in
from replay.match.requests import body_value
from replay.match.rulebook import Rulebook
from replay.script import DeliveryScript, ExchangeScript, read_script

_OFFER = "an SDP"
_Part = SocketPlan | ExchangeScript
_WORDS = re.compile(r"[^/?&=]+")


def read_plan(events: Iterable[Event], provider: Provider, book: Rulebook) -> Plan:
    """The plan of a tape, given as its events in order. Notes, pings and pongs are left out, and
    what cannot be played: calls whose audio went past the tape, and what joins them."""
    whole = list(events)
    script = read_script(whole, provider, book)
    lanes = _lanes(whole, provider, book, script.minted)
    sockets = _answering([lane.plan() for lane in lanes], provider)
    found: list[_Part] = [*script.exchanges, *sockets]
    parts, skipped = _played(sorted(found, key=lambda part: part.seq), provider, script.deliveries)
    entries = _lent([_entry(parts, at) for at in range(len(parts))])
    trip = next((part.opened_ns for part in parts if isinstance(part, SocketPlan)), 0)
    return Plan(entries, script.deliveries, script.length_ns, trip, tuple(skipped))


def _lanes(
    events: Sequence[Event], provider: Provider, book: Rulebook, minted: frozenset[str]
) -> list[Lane]:
    """One for each WebSocket that the client asked for."""
    lanes: dict[int, Lane] = {}
    newest: Lane | None = None
    scenes: list[Scene] = []
    perception = Perception(provider)
    for event in events:
        if event.sender == "recorder" or event.kind in ("ws.ping", "ws.pong", "note"):
            continue
        _, _, at_ns, channel, sender, kind, type_, body = event
        if (kind, sender) == ("ws.open", "client"):
            newest = lanes[channel] = Lane(event, provider, book, minted, scenes)
        seen = perception.take(channel, sender, kind, body, at_ns, type_)
        lane = lanes.get(channel)
        if lane is not None:
            lane.take(event, seen)
        elif newest is not None:
            newest.scene.tell(seen.told, at_ns)  # beside the socket, by webhook
    return list(lanes.values())


def _answering(sockets: Sequence[SocketPlan], provider: Provider) -> list[SocketPlan]:
    """The sockets, those that answer functions marked: those that did on the tape, else those that
    do not join a session of another. The others hear the same calls, and are silent."""
    own = [one for one in sockets if any(result.body for result in one.results)]
    own = own or [one for one in sockets if provider.route(one.request).key is None]
    return [
        one if one in own or not own else replace(one, answers=False, results=()) for one in sockets
    ]


def _played(
    found: Sequence[_Part], provider: Provider, deliveries: Sequence[DeliveryScript]
) -> tuple[list[_Part], list[str]]:
    """What can be played, and why the rest cannot."""
    parts: list[_Part] = []
    skipped: list[str] = []
    webhooks = provider.WEBHOOKS
    past = {webhooks.read(each.sent).key for each in deliveries} if webhooks else set()
    for part in found:
        why = _unplayable(part, provider) or _joins(part, provider, parts, past)
        if not why:
            parts.append(part)
            continue
        skipped.append(why)
        if isinstance(part, ExchangeScript):
            past.add(provider.correlate(part.request, part.response, part.received))
    return parts, skipped


def _joins(part: _Part, provider: Provider, before: Sequence[_Part], past: set[str | None]) -> str:
    """Whether something belongs to a call that is not made here, or ``""``: nothing that is played
    tells its id. A request may be about a call of another tape, unless this one tells of it."""
    head = part.request
    key = provider.route(head).key
    if key is None or any(_tells(one, key) for one in before):
        return ""
    if isinstance(part, SocketPlan):
        return f"the socket that joins a call at {head.path}"
    return f"{head.method} {head.path}: its call is not made here" if key in past else ""


def _tells(part: _Part, key: str) -> bool:
    """Whether an id is told by what came of `part`."""
    told = part.told if isinstance(part, SocketPlan) else strings_in(part.received)
    return any(name.lower() == key.lower() for name in told)


def _unplayable(part: _Part, provider: Provider) -> str:
    """Why something cannot be played by itself, or ``""``."""
    conduct = provider.CONDUCT
    head = part.request
    if isinstance(part, SocketPlan):
        return ""
    if head.method == "POST" and head.path.endswith(conduct.media or ("\0",)):
        return f"POST {head.path}: its audio is not on the tape"
    is_offer = _OFFER in str(body_value(head.headers, part.sent))
    return f"{head.method} {head.path}: an SDP offer" if is_offer else ""


def _entry(parts: Sequence[_Part], at: int) -> Entry:
    """What an entry waits for: those that were over, how far the sockets had come, and the ids in
    it that these had told."""
    part = parts[at]
    before = parts[:at]
    after = tuple(number for number, one in enumerate(before) if one.end_ns <= part.at_ns)
    causes = [one.end_ns for one in before if one.end_ns <= part.at_ns]
    causes += list(_acts_before(before, part))
    names = _names(before, part)
    causes += names.values()
    return Entry(part, after, part.at_ns - max(causes, default=part.at_ns), tuple(names))


def _names(before: Sequence[_Part], part: _Part) -> Mapping[tuple[int, str], int]:
    """The ids in a request that a socket before it told, each with that socket's entry, and when
    it did."""
    head = part.request
    said = set(_WORDS.findall(f"{head.path}?{head.query}"))
    if isinstance(part, ExchangeScript):
        said.update(strings_in(part.sent))
    found: dict[tuple[int, str], int] = {}
    for number, one in enumerate(before):
        told = one.told if isinstance(one, SocketPlan) else {}
        for name in sorted(said & told.keys()):
            if told[name] < part.at_ns:
                found[number, name] = told[name]
                said.remove(name)
    return found


def _lent(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries, each socket with the ids that others ask by."""
    lent: dict[int, set[str]] = {}
    for entry in entries:
        for number, name in entry.names:
            lent.setdefault(number, set()).add(name)
    return tuple(
        entry._replace(what=replace(entry.what, lends=frozenset(lent[number])))
        if number in lent and isinstance(entry.what, SocketPlan)
        else entry
        for number, entry in enumerate(entries)
    )


def _acts_before(before: Sequence[_Part], part: _Part) -> Iterator[int]:
    for one in before:
        if isinstance(one, SocketPlan) and one.end_ns > part.at_ns:
            yield max((act.at_ns for act in one.acts if act.seq < part.seq), default=one.at_ns)
