"""Two runs of one conversation do not differ, whatever their ids, layout, times and pieces."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable

import pytest
from diffing import between, edited
from hypothesis import given, settings
from hypothesis import strategies as st
from replaying import RENEWED_IDS, carried_otherwise
from tapes import Take, conversation
from thoroughness import examples
from vapi_replaying import CALL, REPLY, SPEECH, VAPI, Tape

CONVERSATION = conversation(interrupted=True)


def reworked(takes: Iterable[Take], edit: Callable[[Take], list[Take]]) -> list[Take]:
    return [made for take in takes for made in edit(take)]


def test_a_tape_does_not_differ_from_itself() -> None:
    found = between(CONVERSATION, CONVERSATION)
    assert found.differences == ()
    assert found.messages[0] == found.messages[1] > 20
    assert found.turns == ("Hello there.", "What is the time in Łódź?")


def test_times_channels_and_control_frames_do_not_count() -> None:
    assert between(CONVERSATION, carried_otherwise(CONVERSATION)).differences == ()


@pytest.mark.parametrize(("old", "new"), RENEWED_IDS)
def test_renewed_ids_do_not_count(old: bytes, new: bytes) -> None:
    assert between(CONVERSATION, edited(CONVERSATION, old, new)).differences == ()


def test_an_id_inside_of_a_text_does_not_count() -> None:
    def failing(item: str) -> list[Take]:
        error = {"code": "item_truncate_invalid", "message": f"Item {item} has no more audio."}
        body = json.dumps({"type": "error", "error": error}).encode()
        at = len(CONVERSATION) - 2
        late = CONVERSATION[at]._replace(sender="provider", kind="ws.text", body=body)
        return [*CONVERSATION[:at], late, *CONVERSATION[at:]]

    renewed = edited(failing("item_b00"), b"item_b", b"item_Q")
    assert (
        between(
            edited(failing("item_b00"), b'"item_b"', b'"item_b00"'),
            edited(renewed, b'"item_Q"', b'"item_Q00"'),
        ).differences
        == ()
    )


def test_the_interleaving_of_the_directions_does_not_count() -> None:
    close = [take for take in CONVERSATION if take.kind == "ws.close"][:1]
    rest = [take for take in CONVERSATION if take.kind != "ws.close"]
    shifted = [*sorted(rest, key=lambda take: take.sender), *close]
    assert between(CONVERSATION, shifted).differences == ()


def test_an_optional_message_does_not_count() -> None:
    body = b'{"type": "rate_limits.updated", "rate_limits": []}'
    extra = CONVERSATION[5]._replace(sender="provider", kind="ws.text", body=body)
    assert between(CONVERSATION, [*CONVERSATION[:5], extra, *CONVERSATION[5:]]).differences == ()


def test_layout_of_the_arguments_does_not_count() -> None:
    spaced = edited(CONVERSATION, b'{\\"city\\":', b'{ \\"city\\" : ')
    spaced = edited(spaced, b'{\\"city\\""', b'{ \\"city\\" "')
    assert sum(one != other for one, other in zip(CONVERSATION, spaced, strict=True)) == 3
    assert between(CONVERSATION, spaced).differences == ()


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_mixture_of_what_may_differ_counts(chance: random.Random) -> None:
    """Keys in another order, renewed ids, streams in other pieces, other times."""
    suffix = f"{chance.randrange(10**6):06}"

    def edit(take: Take) -> list[Take]:
        take = take._replace(at_ms=take.at_ms * chance.choice((1, 2)))
        if take.kind != "ws.text":
            return [take]
        message = json.loads(take.body)
        keys = list(message)
        chance.shuffle(keys)
        pieces = [{key: message[key] for key in keys}]
        if message["type"] == "input_audio_buffer.append":
            cut = chance.randrange(0, len(message["audio"]) // 4) * 4
            audio = message["audio"]
            pieces = [{**message, "audio": audio[:cut]}, {**message, "audio": audio[cut:]}]
        bodies = [json.dumps(piece, ensure_ascii=False).encode() for piece in pieces]
        return [take._replace(body=body) for body in bodies]

    renewed = reworked(CONVERSATION, edit)
    for name in (b"item_", b"resp_", b"call_"):
        for letter in (b"a", b"b", b"c"):
            old = b'"' + name + letter + b'"'
            renewed = edited(renewed, old, b'"' + name + letter + suffix.encode() + b'"')
    assert between(CONVERSATION, renewed).differences == ()


RESULTS = {"results": [{"toolCallId": "call_1", "result": "7 degrees"}]}


def a_call(before: bytes = bytes(12_800), frame_ms: int = 20, answer: object = None) -> list[Take]:
    tape = Tape().create().wait(10).hook("status-update").open().wait(100)
    tape.says("status-update", status="in-progress").stream("client", before)
    tape.stream("client", SPEECH, frame_ms).stream("client", bytes(9_600))
    tape.hook("tool-calls", answer or RESULTS).stream("provider", REPLY, frame_ms).close()
    tape.hook("end-of-call-report").ask("GET", f"/call/{CALL}", None, {"id": CALL})
    return tape.takes


def test_two_runs_of_a_call_do_not_differ() -> None:
    new = b"01a3aaaa-2861-7437-af6b-e9b3c57ca391"
    other = edited(a_call(before=bytes(64_000), frame_ms=40), CALL.encode(), new)
    assert between(a_call(), other, provider=VAPI).differences == ()


def test_how_webhooks_come_between_the_other_channels_does_not_count() -> None:
    takes = a_call()
    hook = next(take.channel for take in takes if take.kind == "webhook.request")
    late = [take for take in takes if take.channel == hook]
    rest = [take for take in takes if take.channel != hook]
    assert between(takes, [*rest, *late], provider=VAPI).differences == ()


def test_an_answer_to_a_webhook_counts() -> None:
    other = {"results": [{"toolCallId": "call_1", "result": "8 degrees"}]}
    (found,) = between(a_call(), a_call(answer=other), provider=VAPI).differences
    assert (found.channel, found.sender, found.type) == (
        "webhook tool-calls",
        "client",
        "answer to tool-calls",
    )
    assert (found.path, found.kind, found.grade) == ("$.body.results[0].result", "tool", "medium")


def test_one_more_request_that_depends_on_timing_is_low() -> None:
    polled = Tape()
    polled.script.takes.extend(a_call())
    polled._channels = 20
    polled.ask("GET", f"/call/{CALL}", None, {"id": CALL})
    found = between(a_call(), polled.takes, provider=VAPI)
    assert {each.grade for each in found.differences} == {"low"}
    assert {each.kind for each in found.differences} == {"order"}


_BODIES = st.one_of(
    st.text(max_size=20).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "item", "delta", "id", "x"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["response.output_text.delta", "input_audio_buffer.append", "error"]).map(
        lambda type_: json.dumps({"type": type_, "delta": [1], "audio": 3}).encode()
    ),
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(_BODIES, max_size=6), st.lists(_BODIES, max_size=6))
def test_anything_that_crossed_a_socket_is_read(one: list[bytes], other: list[bytes]) -> None:
    def takes(bodies: list[bytes]) -> list[Take]:
        return [Take(at, 1, "provider", "ws.text", "", body) for at, body in enumerate(bodies)]

    assert between(takes(one), takes(one)).differences == ()
    found = between(takes(one), takes(other)).differences
    assert all(each.a != each.b for each in found if each.kind != "order")


def test_bytes_that_are_no_audio_are_compared_whole() -> None:
    def takes(body: bytes) -> list[Take]:
        return [Take(0, 1, "client", "ws.binary", "", body)]

    assert between(takes(b"\xff\x00"), takes(b"\xff\x00")).differences == ()
    assert len(between(takes(b"\xff\x00"), takes(b"\xff\x01")).differences) == 1
