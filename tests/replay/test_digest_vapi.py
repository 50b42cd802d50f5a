"""The digest of a call: equal for two runs of the same one, webhooks included."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from tapes import Take
from vapi_replaying import BOOK, CALL, REPLY, SPEECH, VAPI, Tape, events

from recorder.heads import RequestHead
from replay.digest import tape_digest

RESULTS = {"results": [{"toolCallId": "call_1", "result": "7 degrees"}]}


def digest(takes: Iterable[Take], order: bool = False) -> str:
    return tape_digest(events(takes), VAPI, BOOK, order=order).digest


def a_call(before: bytes = bytes(12_800), frame_ms: int = 20, answer: object = None) -> Tape:
    tape = Tape().create().wait(10).hook("status-update").open().wait(100)
    tape.says("status-update", status="in-progress").stream("client", before)
    tape.stream("client", SPEECH, frame_ms).stream("client", bytes(9_600))
    tape.hook("tool-calls", answer or RESULTS).stream("provider", REPLY, frame_ms).close()
    return tape.hook("end-of-call-report").ask("GET", f"/call/{CALL}", None, {"id": CALL})


TAKES = a_call().takes
DIGEST = digest(TAKES)


def edited(edit: Callable[[bytes], bytes]) -> list[Take]:
    return [take._replace(body=edit(take.body)) for take in TAKES]


def test_silence_and_how_sound_is_cut_do_not_count() -> None:
    assert digest(a_call(before=bytes(64_000)).takes) == DIGEST
    assert digest(a_call(frame_ms=40).takes) == DIGEST


def test_a_renewed_call_does_not_count() -> None:
    new = b"01a3aaaa-2861-7437-af6b-e9b3c57ca391"
    assert digest(edited(lambda body: body.replace(CALL.encode(), new))) == DIGEST


def test_how_webhooks_come_between_the_other_channels_does_not_count() -> None:
    channels = list(dict.fromkeys(take.channel for take in TAKES))
    hook = next(take.channel for take in TAKES if take.kind == "webhook.request")
    assert channels.index(hook) < channels.index(2)
    late = [take for take in TAKES if take.channel == hook]
    rest = [take for take in TAKES if take.channel != hook]
    at = next(at for at, take in enumerate(rest) if take.kind == "webhook.request")
    assert digest([*rest[:at], *late, *rest[at:]]) == DIGEST


def test_the_address_of_the_recorder_does_not_count() -> None:
    def moved(take: Take) -> Take:
        if take.kind != "webhook.request":
            return take
        head = RequestHead.decode(take.body)
        return take._replace(
            body=RequestHead(head.method, "/webhooks/vapi/a", "", head.headers).encode()
        )

    assert digest([moved(take) for take in TAKES]) == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"7 degrees", b"8 degrees"),
        (b'"type": "end-of-call-report"', b'"type": "hang"'),
        (b'"status":200', b'"status":500'),
        (SPEECH[:640], SPEECH[:640][::-1]),
        (REPLY[:640], REPLY[:640][::-1]),
    ],
)
def test_a_changed_value_counts(old: bytes, new: bytes) -> None:
    changed = edited(lambda body: body.replace(old, new))
    assert changed != TAKES
    assert digest(changed) != DIGEST


def test_order_and_number_of_webhooks_count() -> None:
    hooks = [take.channel for take in TAKES if take.kind == "webhook.request"]
    without = [take for take in TAKES if take.channel != hooks[-1]]
    assert digest(without) != DIGEST
    first = [take for take in TAKES if take.channel == hooks[0]]
    second = [take for take in TAKES if take.channel == hooks[1]]
    rest = [take for take in TAKES if take.channel not in hooks[:2]]
    assert digest([*rest[:8], *second, *first, *rest[8:]]) != DIGEST


def test_there_is_a_part_for_each_side_of_a_webhook() -> None:
    parts = tape_digest(events(TAKES), VAPI, BOOK).parts
    assert [(part.channel, part.sender) for part in parts if part.channel > 3] == [
        *((number, "provider") for number in (4, 5, 6)),
        *((number, "client") for number in (4, 5, 6)),
    ]
