"""What faults do to one message on its way: its bytes, its time, its order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from recorder.events import Message
from recorder.providers.base import Provider
from replay.faults.grammar import KINDS
from replay.faults.selection import Chosen
from replay.faults.wire import Held, Lane, Wire

_NS = 1_000_000_000
MS = 1_000_000
SPOILS = frozenset({"corrupt", "truncate"})
_BROKEN = b"\x01"  # a control character stands nowhere in a JSON text (RFC 8259, 7)
_ANY = ("corrupt", "delay", "drop", "duplicate", "swap", "truncate")
_CHAOS_MS = 200


def picked(chosen: Chosen) -> Chosen:
    """`chosen`, or the fault that chaos is this time."""
    if chosen.fault.name != "chaos":
        return chosen
    name = chosen.random.choice(_ANY)
    given = {key: value for key, value in KINDS[name].options.items() if value is not None}
    options = {"ms": _CHAOS_MS, **given}
    return Chosen(chosen.fault._replace(name=name, options=options), chosen.random)


class Effects:
    """Puts messages on the `wire` as the chosen fault has it. `lose` is told of a webhook that
    does not arrive."""

    def __init__(
        self, wire: Wire, provider: Provider, lose: Callable[[Message, int], None]
    ) -> None:
        self._wire, self._provider, self._lose = wire, provider, lose

    def apply(self, lane: Lane, message: Message, chosen: Chosen, now: int) -> None:
        """Send one message, or do not."""
        name = chosen.fault.name
        if name in ("drop", "delay", "duplicate", "swap", "drip"):
            self._time(lane, message, chosen, now)
            return
        if name == "error":
            text = chosen.fault.word("message") or "a fault of the replay"
            body = self._provider.error_event(chosen.fault.word("code"), text)
            self._wire.follow(lane, Message(message.channel, "ws.text", body), now)
        self._wire.follow(lane, self._changed(message, chosen), now)

    def _time(self, lane: Lane, message: Message, chosen: Chosen, now: int) -> None:
        fault, wire = chosen.fault, self._wire
        is_webhook = message.kind == "webhook.request"
        if fault.name == "drop":
            if is_webhook:
                self._lose(message, now)
        elif fault.name == "delay" and is_webhook:
            wire.put(message, now + fault.number("ms") * MS)  # it holds no other back
        elif fault.name == "delay":
            wire.follow(lane, message, now + fault.number("ms") * MS)
        elif fault.name == "duplicate":
            wire.follow(lane, message, now)
            wire.put(message, lane.free_ns + fault.number("ms") * MS)
        elif fault.name == "drip":
            took = size_of(message) * _NS // fault.number("rate")
            wire.follow(lane, message, max(now, lane.free_ns) + took)
        elif lane.held:  # one swap at a time
            wire.follow(lane, message, now)
        else:
            lane.held = Held(message, now + fault.number("ms") * MS)

    def _changed(self, message: Message, chosen: Chosen) -> Message:
        fault, endings = chosen.fault, self._provider.ENDINGS
        if fault.name == "fail" and endings:
            status, reason = fault.word("status"), fault.word("reason")
            return message._replace(body=endings.reworded(message.body, status, reason))
        return spoilt(message, chosen)


def spoilt(message: Message, chosen: Chosen) -> Message:
    """A message that is cut or garbled, if that is the fault."""
    if chosen.fault.name == "truncate":
        return truncated(message, chosen.fault.number("bytes"))
    if chosen.fault.name == "corrupt":
        return corrupted(message, chosen.random)
    return message


def truncated(message: Message, size: int) -> Message:
    """The first `size` bytes (half of it if negative), of a text up to a whole character."""
    body = _content(message)
    kept = body[: len(body) // 2 if size < 0 else size]
    if message.kind != "ws.binary":
        kept = kept.decode(errors="ignore").encode()
    return _with(message, kept)


def corrupted(message: Message, random: Random) -> Message:
    """One character of a text becomes a control character, so that it is not JSON; of what is no
    text one byte is inverted."""
    body = _content(message)
    try:
        text = body.decode() if message.kind != "ws.binary" else ""
    except UnicodeDecodeError:
        text = ""
    if text:
        at = random.randrange(len(text))
        return _with(message, text[:at].encode() + _BROKEN + text[at + 1 :].encode())
    if not body:
        return _with(message, _BROKEN)
    at = random.randrange(len(body))
    return _with(message, body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :])


def size_of(message: Message) -> int:
    """The bytes that carry what a message says."""
    return len(_content(message))


def _content(message: Message) -> bytes:
    return message.body if message.kind.startswith("ws.") else message.payload


def _with(message: Message, content: bytes) -> Message:
    if message.kind.startswith("ws."):
        return message._replace(body=content)
    return message._replace(payload=content)
