"""What a replay has left of a tape, and how much was streamed."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.heads import RequestHead
from recorder.providers.base import Rules
from replay.player.line import Line
from replay.report import Streamed
from replay.script import DeliveryScript, ExchangeScript, Script, SocketScript


def left_over(
    lines: Sequence[Line],
    sockets: Sequence[SocketScript],
    exchanges: Sequence[ExchangeScript],
    deliveries: Sequence[DeliveryScript],
) -> str | None:
    """The first thing of the tape that was not used, or None: of the connections, and of what was
    not begun."""
    rest = [(step.seq, step.type) for line in lines for step in line.unused()]
    rest += [(script.seq, _asked(script.request)) for script in sockets]
    rest += [(script.seq, _asked(script.request)) for script in exchanges]
    rest += [(script.seq, f"webhook {script.type}") for script in deliveries]
    seq, text = min(rest, default=(0, ""))
    return f"{text} at step {seq}" if rest else None


def streamed(line: Line) -> Streamed:
    """The audio that the client of a connection streamed."""
    return Streamed(line.ear.heard, line.script.audio, line.script.byte_rate)


def other_sound(line: Line) -> bool:
    """Whether the client of a connection streamed more or less sound than on the tape; how much
    silence there is around it is a matter of timing."""
    _, louds = line.script.sums
    return line.ear.loud != louds[-1]


def types_of(script: Script, rules: Rules) -> set[str]:
    """The types of all messages of a tape, as a user's rules name them; of streamed audio those
    that it may have."""
    sent = (step.type for socket in script.sockets for step in socket.planned)
    came = (step.type for socket in script.sockets for step in socket.expected)
    asked = (each.type for each in script.exchanges)
    hooks = (each.type for each in script.deliveries)
    return {"ws.open", *rules.ungated, *sent, *came, *asked, *hooks}


def _asked(head: RequestHead | None) -> str:
    return f"{head.method} {head.path}" if head else "a WebSocket"
