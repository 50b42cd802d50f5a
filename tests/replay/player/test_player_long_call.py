"""A long call takes as long as its work, not as long as the call."""

from __future__ import annotations

import base64
import time

from replaying import MS, Client, events, player
from tapes import Script, Take, tone

SECONDS = 600
PIECE_MS = 100


def call() -> list[Take]:
    """Ten minutes in which both sides speak all the time."""
    script = Script().open()
    pieces = [base64.b64encode(tone(PIECE_MS, hertz)).decode() for hertz in (300, 440, 660)]
    for number in range(SECONDS * 1000 // PIECE_MS):
        script.client("input_audio_buffer.append", audio=pieces[number % 3])
        script.wait(PIECE_MS / 2)
        script.provider("response.output_audio.delta", item_id="i", delta=pieces[number % 2])
        script.wait(PIECE_MS / 2)
    return script.close().takes


def test_ten_minutes_are_replayed_within_a_second_in_their_order() -> None:
    """At the recorded pace on virtual time; the bound is for a busy machine."""
    takes = call()
    recorded = [each for each in events(takes) if each.kind == "ws.text"]
    client = Client(player(takes, 1.0)).open()
    client.run(20)
    begun = client.now - 20 * MS
    order = []
    counted = len(client.got)
    used = time.process_time()
    for event in recorded:
        client.run((begun + event.at_ns - client.now) / MS)
        order += [message.body for message in client.got[counted:]]
        counted = len(client.got)
        if event.sender == "client":
            order.append(event.body)
            client.give("ws.text", event.body)
    client.close()
    used = time.process_time() - used
    assert client.machine.failure is None, client.machine.report()
    assert (client.now - begun) // (1000 * MS) >= SECONDS - 1
    assert order == [event.body for event in recorded]
    assert used < 1.0
