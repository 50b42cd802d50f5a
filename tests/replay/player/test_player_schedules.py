"""Any tape, any rhythm: each provider message comes in its order, and after what it waited for."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replaying import Client, player
from tapes import Script, Take
from thoroughness import examples

CHANNELS = (1, 2)


class Frame(NamedTuple):
    """One message of a tape."""

    channel: int
    sender: str
    gap_ms: int


FRAMES = st.lists(
    st.builds(
        Frame,
        st.sampled_from(CHANNELS),
        st.sampled_from(["client", "provider"]),
        st.integers(0, 300),
    ),
    min_size=1,
    max_size=24,
)


def said(number: int) -> dict[str, Any]:
    content = [{"type": "input_text", "text": f"message {number}"}]
    return {"item": {"type": "message", "role": "user", "content": content}}


def tape(frames: list[Frame]) -> list[Take]:
    """Two connections; each message has the number of its frame."""
    takes = [take for channel in CHANNELS for take in Script(channel).open().takes]
    at_ms = 20.0
    for number, frame in enumerate(frames):
        at_ms += frame.gap_ms
        script = Script(frame.channel).wait(at_ms)
        if frame.sender == "client":
            script.client("conversation.item.create", **said(number))
        else:
            script.provider("response.done", response={"n": number})
        takes += script.takes
    for channel in CHANNELS:
        takes += Script(channel).wait(at_ms + 10).close().takes
    return takes


def before(frames: list[Frame], number: int) -> int:
    """How much the client had said on the connection of a provider message before it."""
    earlier = frames[:number]
    channel = frames[number].channel
    return sum(each.sender == "client" and each.channel == channel for each in earlier)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(FRAMES, st.sampled_from([None, 1.0, 9.0]), st.randoms(use_true_random=False))
def test_the_order_of_a_replay_is_the_partial_order_of_its_tape(
    frames: list[Frame], speed: float | None, chance: Any
) -> None:
    client = Client(player(tape(frames), speed)).open(channel=1).open(channel=2)
    queues = {
        channel: [
            number
            for number, each in enumerate(frames)
            if each.sender == "client" and each.channel == channel
        ]
        for channel in CHANNELS
    }
    sent, got = {1: 0, 2: 0}, 0
    order: dict[int, list[int]] = {1: [], 2: []}

    def read() -> None:
        nonlocal got
        for message in client.got[got:]:
            if message.kind == "ws.text":
                number = json.loads(message.body)["response"]["n"]
                assert sent[message.channel] >= before(frames, number), "it came before its cause"
                order[message.channel].append(number)
        got = len(client.got)

    while any(queues.values()):
        client.run(chance.choice([0, 0, 1, 40, 700]))
        read()
        channel = chance.choice([channel for channel in CHANNELS if queues[channel]])
        sent[channel] += 1
        client.send("conversation.item.create", channel, **said(queues[channel].pop(0)))
        read()
    client.run(9_000).close(channel=1).close(channel=2)
    read()
    assert client.machine.failure is None, client.machine.report()
    assert client.machine.finished
    for channel in CHANNELS:
        assert order[channel] == [
            number
            for number, each in enumerate(frames)
            if each.sender == "provider" and each.channel == channel
        ]
