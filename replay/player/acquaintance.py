"""What a tracker has to know before a connection of a tape is played."""

from __future__ import annotations

from recorder.events import Kind, Message
from recorder.providers.base import Tracker
from replay.script import Script, SocketScript


def acquainted(tracker: Tracker, script: Script, socket: SocketScript, opened: Message) -> Tracker:
    """`tracker`, once it has seen what the tape told before `socket`, such as how its audio is
    coded, and how the live one was `opened`."""
    told: list[tuple[int, Kind, str, bytes, bytes]] = [
        *(
            (each.seq, "http.request", each.type, each.sent, each.received)
            for each in script.exchanges
        ),
        *((each.seq, "webhook.request", each.type, b"", each.sent) for each in script.deliveries),
    ]
    for seq, kind, type_, sent, received in sorted(told):
        if seq < socket.seq:
            tracker.inspect(-seq, "client", kind, type_, b"")
            tracker.inspect(-seq, "client", "http.chunk", type_, sent)
            tracker.inspect(-seq, "provider", "http.chunk", type_, received)
    tracker.inspect(opened.channel, "client", "ws.open", "", opened.body)
    return tracker
