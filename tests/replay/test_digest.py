"""Two runs of one conversation have one digest; any other conversation has another."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pybase64 import b64encode_as_string
from replaying import (
    BOOK,
    OPENAI,
    RENEWED_IDS,
    carried_otherwise,
    events,
    leaves,
    with_change,
)
from tapes import Script, Take, conversation, session_object, tone
from thoroughness import examples

from replay.digest import tape_digest


def digest(takes: Iterable[Take], order: bool = False) -> str:
    return tape_digest(events(takes), OPENAI, BOOK, order=order).digest


def edited(takes: Iterable[Take], edit: Callable[[bytes], bytes]) -> list[Take]:
    return [take._replace(body=edit(take.body)) for take in takes]


def streams_cut_anew(takes: list[Take], chance: random.Random) -> list[Take]:
    """The same audio and text in other pieces."""
    made: list[Take] = []
    for take in takes:
        message = json.loads(take.body) if take.kind == "ws.text" else {}
        if message.get("type") != "input_audio_buffer.append":
            made.append(take)
            continue
        cut = chance.randrange(0, len(message["audio"]) // 4) * 4
        for piece in (message["audio"][:cut], message["audio"][cut:]):
            body = json.dumps({"type": message["type"], "audio": piece}).encode()
            made.append(take._replace(body=body))
    return made


def directions_shifted(takes: list[Take]) -> list[Take]:
    """All of the client before all of the provider."""
    close = [take for take in takes if take.kind == "ws.close"][:1]
    rest = [take for take in takes if take.kind != "ws.close"]
    return [*sorted(rest, key=lambda take: take.sender), *close]


CONVERSATION = conversation(interrupted=True)
DIGEST = digest(CONVERSATION)


def test_a_digest_is_a_sha256_and_stays_the_same() -> None:
    assert len(bytes.fromhex(DIGEST)) == 32
    assert digest(conversation(interrupted=True)) == DIGEST
    assert digest(conversation()) != DIGEST


def test_times_channels_and_control_frames_do_not_count() -> None:
    assert digest(carried_otherwise(CONVERSATION)) == DIGEST


@pytest.mark.parametrize(("old", "new"), RENEWED_IDS)
def test_renewed_ids_do_not_count(old: bytes, new: bytes) -> None:
    assert digest(edited(CONVERSATION, lambda body: body.replace(old, new))) == DIGEST


def test_key_order_layout_and_number_form_do_not_count() -> None:
    def rewritten(body: bytes) -> bytes:
        message = json.loads(body)
        return json.dumps(dict(reversed(message.items())), indent=1).encode()

    assert digest(edited(CONVERSATION, rewritten)) == DIGEST
    assert digest(edited(CONVERSATION, lambda body: body.replace(b":400", b":400.0"))) == DIGEST


def test_the_interleaving_of_the_directions_counts_only_if_asked() -> None:
    shifted = directions_shifted(CONVERSATION)
    assert digest(shifted) == DIGEST
    assert digest(shifted, order=True) != digest(CONVERSATION, order=True)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_cuts_of_streams_do_not_count(chance: random.Random) -> None:
    assert digest(streams_cut_anew(CONVERSATION, chance)) == DIGEST


_IDS = {"event_id", "id", "item_id", "previous_item_id", "call_id"}
_TIMING = {("conversation.item.truncate", "audio_end_ms")}
_TIMING |= {("conversation.item.truncated", "audio_end_ms")}


def values() -> list[tuple[int, tuple[Any, ...]]]:
    found = []
    for number, take in enumerate(CONVERSATION):
        if take.kind == "ws.text":
            message = json.loads(take.body)
            found += [
                (number, path)
                for path in leaves(message)
                if path[-1] not in _IDS and (message["type"], path[-1]) not in _TIMING
            ]
    return found


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(values()))
def test_any_changed_value_counts(where: tuple[int, tuple[Any, ...]]) -> None:
    number, path = where
    assert digest(with_change(CONVERSATION, number, path)) != DIGEST


def test_an_id_that_refers_to_another_thing_counts() -> None:
    def swapped(body: bytes) -> bytes:
        return body.replace(b'"item_id":"item_b"', b'"item_id":"item_a"')

    assert digest(edited(CONVERSATION, swapped)) != DIGEST


def test_a_swap_of_results_between_calls_counts() -> None:
    def run(first: str, second: str) -> str:
        script = Script().open()
        for call in ("call_1", "call_2"):
            script.provider("response.output_item.done", item={"id": call, "call_id": call})
        for call, text in ((first, "one"), (second, "two")):
            item = {"type": "function_call_output", "call_id": call, "output": text}
            script.client("conversation.item.create", item=item)
        return digest(script.close().takes)

    assert run("call_1", "call_2") != run("call_2", "call_1")


@pytest.mark.parametrize("drop", ["response.done", "conversation.item.create", "session.updated"])
def test_a_lost_message_counts(drop: str) -> None:
    kept = [take for take in CONVERSATION if f'"{drop}"'.encode() not in take.body]
    assert digest(kept) != DIGEST


def test_optional_messages_do_not_count() -> None:
    extra = Script().provider("rate_limits.updated", rate_limits=[{"remaining": 3}]).takes
    assert digest([*CONVERSATION[:-2], *extra, *CONVERSATION[-2:]]) == DIGEST


def microphone(speech: bytes, silence_ms: int, tail_ms: int = 0) -> list[Take]:
    script = Script().open().provider("session.created", session=session_object())
    script.append(bytes(48 * 300) + speech + bytes(48 * silence_ms) + speech)
    return script.append(bytes(48 * tail_ms)).close().takes


def test_how_long_a_microphone_is_open_in_silence_does_not_count() -> None:
    speech = tone(500)
    assert digest(microphone(speech, 700)) == digest(microphone(speech, 1_900, 4_000))
    assert digest(microphone(speech, 700)) != digest(microphone(speech[:-960], 700))
    assert digest(microphone(speech, 700)) != digest(microphone(speech, 5))


@pytest.mark.parametrize(
    ("name", "silent", "sound"),
    [("audio/pcmu", b"\xff", b"\x10"), ("audio/pcma", b"\xd5", b"\x2a")],
)
def test_telephones_have_silence_of_their_own(name: str, silent: bytes, sound: bytes) -> None:
    def run(before_ms: int, silence_ms: int) -> str:
        speech = sound * 800
        script = Script().open().append(silent * (8 * before_ms) + speech, rate=4_000)
        script.provider("session.updated", session={"audio": {"input": {"format": {"type": name}}}})
        script.append(silent * (8 * silence_ms) + speech, rate=4_000)
        return digest(script.close().takes)

    assert run(0, 50) == run(300, 900)
    assert run(0, 50) != run(0, 40)


def test_a_level_that_stays_is_no_silence() -> None:
    speech, level = tone(500), b"\7\7" * 24
    one, other = (digest(microphone(speech + level * ms, 700)) for ms in (100, 900))
    assert one != other


def test_audio_belongs_to_its_commit() -> None:
    def run(*turns: bytes) -> str:
        script = Script().open()
        for pcm in turns:
            script.append(pcm).client("input_audio_buffer.commit")
        return digest(script.close().takes)

    one, other = tone(300), tone(300, 880.0)
    assert run(one, other) != run(other, one)
    assert run(one, other) != run(one + other, b"")
    assert run(one, other) == run(one, other)


def test_text_of_a_stream_is_joined_in_order() -> None:
    def run(*pieces: str) -> str:
        script = Script().open()
        for piece in pieces:
            script.provider(
                "response.output_text.delta", item_id="i", delta=piece, obfuscation=piece * 2
            )
        return digest(script.close().takes)

    assert run("Hel", "lo") == run("H", "ell", "o")
    assert run("Hel", "lo") != run("lo", "Hel")


def test_markers_of_secrets_are_all_the_same() -> None:
    def run(marker: str) -> str:
        takes = Script().open().client("session.update", session={"key": marker}).close().takes
        return digest(takes)

    assert run("[redacted:0123456789ab]") == run("[redacted:ba9876543210]")
    assert run("[redacted:0123456789ab]") != run("key")


def test_invalid_audio_and_text_that_is_not_json_count_as_they_stand() -> None:
    def run(audio: str, text: bytes) -> str:
        script = Script().open().client("input_audio_buffer.append", audio=audio)
        return digest(script.add("client", "ws.text", text).close().takes)

    assert run("not base64!", b"x") == run("not base64!", b"x")
    assert run("not base64!", b"x") != run("not base64?", b"x")
    assert run("not base64!", b"x") != run("not base64!", b"y")


def test_parts_say_where_two_tapes_differ() -> None:
    def parts(text: str) -> list[tuple[str, str, str]]:
        script = Script().open().append(tone(200)).client("response.create", text=text)
        script.provider("session.updated", session=session_object())
        found = tape_digest(events(script.close().takes), OPENAI, BOOK)
        return [(part.sender, part.lane, part.digest) for part in found.parts]

    one, other = parts("a"), parts("b")
    assert [(sender, lane) for sender, lane, _ in one] == [
        ("provider", ""),
        ("provider", "session.updated"),
        ("client", ""),
        ("client", "streamed"),
    ]
    assert [a[:2] for a, b in zip(one, other, strict=True) if a != b] == [("client", "")]


def test_audio_elsewhere_than_in_a_stream_counts() -> None:
    def run(pcm: bytes) -> str:
        part = {"type": "input_audio", "audio": b64encode_as_string(pcm)}
        item = {"type": "message", "role": "user", "content": [part]}
        return digest(Script().open().client("conversation.item.create", item=item).takes)

    assert run(tone(100)) != run(tone(100, 880.0))
