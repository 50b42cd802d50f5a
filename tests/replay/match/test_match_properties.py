"""A client that says the same fits however it says it, and one that says something else never does.

Each case is a whole replay on virtual time: a conversation with spoken turns, text and tool
results over two connections, by a client that mints ids and cuts its audio as it likes.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from random import Random
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replaying import OPENAI, Client, events
from tapes import Script as Takes
from tapes import session_object, tone
from thoroughness import examples

from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.script import Script, read_script

BOOK = Rulebook(OPENAI.RULES)
QUIET = st.integers(0, 400)
SOUNDS = (tone(180) + bytes(48 * 90) + tone(60, 500), tone(140, 700), tone(90, 900))
ONE, TWO = 1, 2


class Said(NamedTuple):
    """One thing that the client does: a message, or a piece of audio."""

    channel: int
    message: dict[str, Any] | None
    audio: bytes = b""


def text(content: str, name: str) -> dict[str, Any]:
    parts = [{"type": "input_text", "text": content}]
    return {"id": name, "type": "message", "role": "user", "content": parts}


def output(call: str, said: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call, "output": said}


def create(channel: int, item: dict[str, Any], event: str) -> Said:
    return Said(channel, {"type": "conversation.item.create", "event_id": event, "item": item})


def talk() -> list[Said]:
    """What the client of the tape does. It mints `item_…` and `evt_…`; `call_…` is the provider's.
    An item of the first connection is spoken of on the second."""
    return [
        Said(ONE, {"type": "session.update", "session": {"type": "realtime", "tracing": None}}),
        Said(ONE, None, SOUNDS[0]),
        Said(ONE, {"type": "input_audio_buffer.commit"}),
        create(ONE, text("the first", "item_a"), "evt_1"),
        Said(ONE, {"type": "response.create", "event_id": "evt_2",
                   "response": {"metadata": {"client_event_id": "evt_2"}}}),
        create(ONE, output("call_1", '{"sky":"grey"}'), "evt_3"),
        Said(TWO, None, SOUNDS[1]),
        Said(TWO, {"type": "input_audio_buffer.commit"}),
        create(TWO, {**text("the second", "item_b"), "note": 0.25}, "evt_4"),
        Said(TWO, {"type": "conversation.item.delete", "item_id": "item_a"}),
        Said(TWO, {"type": "conversation.item.delete", "item_id": "item_b"}),
        Said(ONE, None, SOUNDS[2]),
    ]  # fmt: skip


@cache
def tape() -> Script:
    """The tape, with a provider that answers on the way."""
    takes: list[Any] = []
    at_ms = 0.0

    def add(script: Takes) -> None:
        nonlocal at_ms
        takes.extend(take._replace(at_ms=at_ms) for take in script.takes)
        at_ms += 10

    for channel in (ONE, TWO):
        add(Takes(channel).open())
        add(Takes(channel).provider("session.created", session=session_object()))
    for said in talk():
        script = Takes(said.channel)
        if said.message is None:
            add(script.append(said.audio))
            continue
        add(script.client(said.message["type"], **said.message))
        if said.message["type"] == "response.create":
            done = {"type": "function_call", "id": "item_f", "call_id": "call_1"}
            add(Takes(said.channel).provider("response.output_item.done", item=done))
        item = said.message.get("item", {})
        if "id" in item:
            add(Takes(said.channel).provider("conversation.item.added", item={"id": item["id"]}))
    for channel in (ONE, TWO):
        add(Takes(channel).close())
    return read_script(events(takes), OPENAI, BOOK)


def shuffled(value: Any, chance: Random) -> Any:
    """The same JSON with its keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(each, chance) for each in value] if isinstance(value, list) else value


def renewed(value: Any, names: dict[str, str]) -> Any:
    """The same JSON with other ids."""
    if isinstance(value, dict):
        return {key: renewed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [renewed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


def play(said: list[Said], chance: Random) -> Client:
    """A whole replay: both connections are opened, all is said in pieces, both are closed."""
    client = Client(Player(tape(), OPENAI, BOOK, speed=None))
    client.open(channel=ONE).open(channel=TWO)
    for channel, message, audio in said:
        if message is not None:
            layout = chance.choice([{"indent": 1}, {"separators": (",", ":")}, {}])
            client.give("ws.text", json.dumps(message, **layout).encode(), channel)
            continue
        while audio:
            size = chance.choice([1, 2, 7, 480, 961, 4_800, 10**6])
            piece, rest = audio[:size], audio[size:]
            client.send("input_audio_buffer.append", channel=channel,
                        audio=base64.b64encode(piece).decode())  # fmt: skip
            audio = rest
        client.run(10)
    return client.close(channel=ONE).close(channel=TWO).run(60_000)


def padded(audio: bytes, before: int, within: int, after: int) -> bytes:
    """The same sound with other silence: the long pause of the first one may be of any length."""
    pause = bytes(48 * 90)
    longer = audio.replace(pause, bytes(48 * (60 + within)), 1) if pause in audio else audio
    return bytes(48 * before) + longer + bytes(48 * after)


@settings(max_examples=examples(500), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.tuples(QUIET, QUIET, QUIET), st.booleans())
def test_cuts_silence_order_of_keys_and_renewed_ids_never_fail(
    chance: Random, quiet: tuple[int, int, int], renews: bool
) -> None:
    names = {"item_a": f"a{chance.random()}", "item_b": f"b{chance.random()}"} if renews else {}
    names |= {f"evt_{at}": f"e{at}-{chance.random()}" for at in range(1, 5)} if renews else {}
    said = [
        Said(
            each.channel,
            None if each.message is None else shuffled(renewed(each.message, names), chance),
            padded(each.audio, *quiet) if each.audio else b"",
        )
        for each in talk()
    ]
    client = play(said, chance)
    assert client.machine.failure is None, client.machine.report()
    assert client.machine.finished
    added = [json.loads(each.body) for each in client.got if b"item.added" in each.body]
    assert [each["item"]["id"] for each in added] == [
        names.get("item_a", "item_a"), names.get("item_b", "item_b")
    ]  # fmt: skip


def change_sample(said: list[Said], chance: Random) -> None:
    """One bit of one sample; not of silence at an end, which does not count."""
    at = chance.choice([place for place, each in enumerate(said) if each.audio])
    audio = bytearray(said[at].audio)
    loud = [place for place in range(2, len(audio) - 2, 2) if audio[place : place + 2] != b"\0\0"]
    audio[chance.choice(loud) + chance.randrange(2)] ^= 1 << chance.randrange(8)
    said[at] = said[at]._replace(audio=bytes(audio))


def drop_audio(said: list[Said], chance: Random) -> None:
    """The end of what was said, as if the last piece were lost."""
    at = chance.choice([place for place, each in enumerate(said) if each.audio])
    kept = len(said[at].audio) - 2 * chance.randrange(2, 2_000)
    said[at] = said[at]._replace(audio=said[at].audio[: max(8, kept)])


def more_audio(said: list[Said], chance: Random) -> None:
    """Sound after the end."""
    at = chance.choice([place for place, each in enumerate(said) if each.audio])
    said[at] = said[at]._replace(audio=said[at].audio + bytes(480) + b"\1\1" * 20)


def change_value(said: list[Said], chance: Random) -> None:
    """A text, a number, or a setting."""
    at = chance.choice([3, 5, 8, 0])
    message = json.loads(json.dumps(said[at].message))
    if at == 0:
        message["session"]["tracing"] = chance.choice(["auto", 0, {}])
    elif at == 5:
        message["item"]["output"] = chance.choice(["", '{"sky":"grey" }', 7, None])
    elif chance.random() < 0.5:
        message["item"]["content"][0]["text"] += chance.choice([" ", ".", "é"])
    else:
        message["item"]["note"] = chance.choice([0.26, "0.25", True, [0.25]])
    said[at] = said[at]._replace(message=message)


def change_key(said: list[Said], chance: Random) -> None:
    """A key too many, or one too few."""
    at = chance.choice([3, 5, 8])
    message = json.loads(json.dumps(said[at].message))
    if chance.random() < 0.5:
        message["item"][chance.choice(["extra", "Type", "content "])] = chance.choice([1, "", {}])
    else:
        del message["item"][chance.choice(["type", "output" if at == 5 else "role"])]
    said[at] = said[at]._replace(message=message)


def change_reference(said: list[Said], chance: Random) -> None:
    """Another item, another call, or the id of something else, on either connection."""
    which = chance.randrange(4)
    if which == 0:
        said[9], said[10] = said[10], said[9]
    elif which == 1:
        said[9] = Said(TWO, {"type": "conversation.item.delete", "item_id": "item_f"})
    elif which == 2:
        said[5] = create(ONE, output(chance.choice(["call_2", "item_a"]), '{"sky":"grey"}'), "e")
    else:  # the second item is given the id of the first
        said[8] = create(TWO, {**text("the second", "item_a"), "note": 0.25}, "evt_4")


CHANGES = (change_sample, drop_audio, more_audio, change_value, change_key, change_reference)


@settings(max_examples=examples(500), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.sampled_from(CHANGES), st.booleans())
def test_a_changed_sample_value_or_reference_always_fails(
    chance: Random, change: Any, renews: bool
) -> None:
    said = talk()
    change(said, chance)
    if renews:
        names = {"item_a": f"a{chance.random()}", "item_b": f"b{chance.random()}"}
        said = [each._replace(message=renewed(each.message, names)) for each in said]
    client = play(said, chance)
    assert client.machine.failure is not None, change.__name__
    assert len(client.machine.report().splitlines()) < 12
