"""What a replay has left of a tape, and how much was streamed."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.heads import RequestHead
from replay.player.line import Line
from replay.report import Streamed
from replay.script import DeliveryScript, ExchangeScript, SocketScript


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


def _asked(head: RequestHead | None) -> str:
    return f"{head.method} {head.path}" if head else "a WebSocket"
