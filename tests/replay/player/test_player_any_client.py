"""Whatever a client does, the player answers, ends, and never raises."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replaying import Client, events, player
from tapes import conversation, tone
from thoroughness import examples

TAKES = conversation(interrupted=True)
SAID = [each.body for each in events(TAKES) if each[4:6] == ("client", "ws.text")]
SOUND = json.dumps(
    {"type": "input_audio_buffer.append", "audio": base64.b64encode(tone(100)).decode()}
).encode()

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(SAID)),
        st.tuples(st.just("say"), st.sampled_from([SOUND, b"", b"{}", b"\xff", b'{"type":"x"}'])),
        st.tuples(st.just("wait"), st.integers(0, 20_000)),
        st.tuples(st.just("open"), st.integers(1, 2)),
        st.tuples(st.just("close"), st.sampled_from([1000, 1005, 1006])),
    ),
    max_size=12,
)


def act(client: Client, step: tuple[str, Any]) -> None:
    what, value = step
    if what == "say":
        client.give("ws.text", value)
    elif what == "wait":
        client.run(value)
    elif what == "open":
        client.open(channel=value)
    else:
        client.close(value)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.sampled_from([None, 1.0, 20.0]))
def test_any_client_gets_an_end(steps: list[tuple[str, Any]], speed: float | None) -> None:
    client = Client(player(TAKES, speed)).open()
    for step in steps:
        act(client, step)
    client.run(120_000)
    machine = client.machine
    assert machine.finished
    assert len(machine.report().splitlines()) < 12
    assert machine.failure or machine.used == machine.total
    assert machine.next_deadline() is None


@settings(max_examples=20)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.sampled_from([None, 1.0, 7.5]))
def test_the_recorded_client_passes_at_any_rhythm(waits: list[int], speed: float | None) -> None:
    client = Client(player(TAKES, speed)).open()
    for number, body in enumerate(SAID):
        client.give("ws.text", body).run(waits[number % len(waits)])
    client.run(9_000).close()
    assert client.machine.failure is None, client.machine.report()
    recorded = [each.body for each in events(TAKES) if each[4:6] == ("provider", "ws.text")]
    assert [each.body for each in client.got if each.kind == "ws.text"] == recorded
