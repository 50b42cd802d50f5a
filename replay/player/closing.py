"""What the client is told when a replay fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from recorder.events import Kind, Message
from recorder.heads import Close, ResponseHead
from replay.player.line import Line
from replay.player.mismatch import Explainer, close_reason
from replay.player.modes import Ahead
from replay.report import Failure, Missing, labelled

POLICY = 1008  # RFC 6455, 7.4.1
GOING = 1001
NORMAL = 1000


class Wrong(NamedTuple):
    """What the client did wrong; on which connection, and with which message, if that is known."""

    failure: Failure
    line: Line | None = None
    body: bytes | None = None


def closings(explain: Explainer, wrong: Wrong, lines: Iterable[Line]) -> Iterator[Message]:
    """Close every open connection; the one to blame with an error first."""
    for line in lines:
        if line.over:
            continue
        line.over = True
        is_culprit = line is wrong.line
        if is_culprit:
            yield Message(line.channel, "ws.text", explain.error(wrong.failure, wrong.body))
        close = Close(POLICY if is_culprit else GOING, close_reason(wrong.failure))
        yield Message(line.channel, "ws.close", close.encode())


def refusal(explain: Explainer, failure: Failure, asked: Message, status: int) -> Message:
    """Answer a request or an upgrade with the failure."""
    kind: Kind = "ws.open" if asked.kind == "ws.open" else "http.response"
    head = ResponseHead(status, "", (("Content-Type", "application/json"),))
    return Message(asked.channel, kind, head.encode(), explain.error(failure))


def not_closed(closed_seq: int | None, patience_s: float) -> Failure:
    """The client did not close, where the client of the tape did at `closed_seq`."""
    lines = (
        labelled("waited", f"{patience_s:g} s after all was sent"),
        labelled("next", "see why it does not end; a client that needs longer gets --patience S"),
    )
    at = f"at step {closed_seq} on the tape"
    return Missing(f"the client did not close; it did {at}", lines)


def too_early(ahead: Ahead) -> Failure:
    """What the client did before something else that was before it on the tape."""
    lines = (
        labelled("expected", f"{ahead.before} first"),
        labelled("got", ahead.what),
        labelled("next", "wait for it; or, if the order is a matter of timing, use --mode causal"),
    )
    return Failure(f"{ahead.what} came before {ahead.before}", lines)
