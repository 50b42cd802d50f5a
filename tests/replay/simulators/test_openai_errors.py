"""Every error of the simulator: its code, its place, and what goes on after it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from openai_client import Client
from openai_items import create, message

from recorder.events import Message
from replay.simulators.openai import Options

CREATE = "conversation.item.create"
ERRORS: list[tuple[str, Callable[[Client], object], str | None, str | None]] = [
    ("not json", lambda c: c.send_text("{"), "invalid_event", None),
    ("not an object", lambda c: c.send_text("[1]"), "invalid_event", None),
    ("no type", lambda c: c.send_text("{}"), "invalid_event", None),
    ("unknown type", lambda c: c.send("session.destroy"), "invalid_event", "type"),
    ("unknown key", lambda c: c.update(voice="ash"), "unknown_parameter", "session.voice"),
    (
        "deep unknown key",
        lambda c: c.update(audio={"input": {"loud": 1}}),
        "unknown_parameter",
        "session.audio.input.loud",
    ),
    (
        "no session type",
        lambda c: c.send("session.update", session={}),
        "missing_required_parameter",
        "session.type",
    ),
    (
        "wrong session type",
        lambda c: c.send("session.update", session={"type": "transcription"}),
        "invalid_value",
        "session.type",
    ),
    (
        "wrong enum",
        lambda c: c.update(audio={"input": {"turn_detection": {"type": "magic"}}}),
        "invalid_value",
        "session.audio.input.turn_detection.type",
    ),
    (
        "both modalities",
        lambda c: c.update(output_modalities=["text", "audio"]),
        "array_above_max_length",
        "session.output_modalities",
    ),
    (
        "wrong type",
        lambda c: c.update(instructions=5),
        "invalid_type",
        "session.instructions",
    ),
    (
        "too many tokens",
        lambda c: c.update(max_output_tokens=5000),
        "integer_above_max_value",
        "session.max_output_tokens",
    ),
    (
        "too slow",
        lambda c: c.update(audio={"output": {"speed": 0.1}}),
        "decimal_below_min_value",
        "session.audio.output.speed",
    ),
    (
        "reasoning on the first family",
        lambda c: c.update(reasoning={"effort": "low"}),
        "unsupported_parameter",
        "session.reasoning",
    ),
    (
        "long id",
        lambda c: create(c, message("x", id="i" * 39)),
        "string_above_max_length",
        "item.id",
    ),
    (
        "item without content",
        lambda c: create(c, {"type": "message", "role": "user"}),
        "missing_required_parameter",
        "item.content",
    ),
    (
        "part of the wrong role",
        lambda c: create(
            c,
            {"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]},
        ),
        "invalid_value",
        "item.content[0].type",
    ),
    (
        "unknown predecessor",
        lambda c: create(c, message("x"), previous_item_id="nobody"),
        "item_create_invalid_previous_item_id",
        None,
    ),
    (
        "taken id",
        lambda c: [create(c, message("x", id="one")), create(c, message("y", id="one"))],
        "item_create_duplicate_item_id",
        None,
    ),
    (
        "output without a call",
        lambda c: create(c, {"type": "function_call_output", "call_id": "no", "output": ""}),
        "invalid_tool_call_id",
        None,
    ),
    (
        "delete unknown",
        lambda c: c.send("conversation.item.delete", item_id="no"),
        "item_delete_invalid_item_id",
        None,
    ),
    (
        "retrieve unknown",
        lambda c: c.send("conversation.item.retrieve", item_id="no"),
        "item_retrieve_invalid_item_id",
        None,
    ),
    (
        "truncate unknown",
        lambda c: c.send(
            "conversation.item.truncate", item_id="no", content_index=0, audio_end_ms=1
        ),
        "item_truncate_invalid_item_id",
        None,
    ),
    (
        "truncate a user's item",
        lambda c: [
            create(c, message("x", id="one")),
            c.send("conversation.item.truncate", item_id="one", content_index=0, audio_end_ms=1),
        ],
        None,
        None,
    ),
    (
        "bad base64",
        lambda c: c.send("input_audio_buffer.append", audio="%%%"),
        "invalid_value",
        "audio.audio",
    ),
    (
        "empty commit",
        lambda c: c.send("input_audio_buffer.commit"),
        "input_audio_buffer_commit_empty",
        None,
    ),
    ("late cancel", lambda c: c.send("response.cancel"), "response_cancel_not_active", None),
    (
        "cancel of another response",
        lambda c: c.send("response.cancel", response_id="resp_no"),
        "response_cancel_not_active",
        None,
    ),
    (
        "second response",
        lambda c: [c.send("response.create"), c.send("response.create")],
        "conversation_already_has_active_response",
        None,
    ),
    (
        "reference to nothing",
        lambda c: c.send(
            "response.create", response={"input": [{"type": "item_reference", "id": "no"}]}
        ),
        "invalid_value",
        "response.input[0].id",
    ),
    (
        "too much metadata",
        lambda c: c.send("response.create", response={"metadata": {str(n): "" for n in range(17)}}),
        "object_above_max_properties",
        "response.metadata",
    ),
    (
        "media control without media",
        lambda c: c.send("output_audio_buffer.clear"),
        "invalid_event",
        "type",
    ),
]


@pytest.mark.parametrize(
    ("provoke", "code", "param"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_errors_and_survival(
    provoke: Callable[[Client], object], code: str | None, param: str | None
) -> None:
    client = Client()
    provoke(client)
    error = client.error()
    assert (error["code"], error["param"]) == (code, param)
    assert list(error) == ["type", "code", "message", "param", "event_id"]
    assert client.update(instructions="still here")[0]["type"] == "session.updated"
    assert client.close is None


def test_errors_name_the_event_that_caused_them() -> None:
    client = Client()
    client.send("response.cancel", event_id="mine_1")
    assert client.error()["event_id"] == "mine_1"
    client.send("response.cancel")
    assert client.error()["event_id"] is None


def test_the_voice_is_fixed_once_heard_and_the_whole_update_is_dropped() -> None:
    client = Client()
    client.update(audio={"output": {"voice": "ash"}})
    client.type_in("Hello.")
    client.update(instructions="new", audio={"output": {"voice": "coral"}})
    assert client.error()["code"] == "cannot_update_voice"
    client.update(audio={"output": {"voice": "ash"}})
    assert client.events[-1]["session"]["instructions"] != "new"
    client.send("response.create", response={"audio": {"output": {"voice": "coral"}}})
    assert client.error()["code"] == "cannot_update_voice"
    other = {"conversation": "none", "audio": {"output": {"voice": "coral"}}}
    assert client.send("response.create", response=other)[0]["type"] == "response.created"


def test_binary_frames_are_refused() -> None:
    client = Client()
    client.sim.receive(Message(1, "ws.binary", b"\x00"), client.now)
    client.wait(0)
    assert client.error()["code"] == "invalid_event"


@pytest.mark.parametrize(
    ("options", "query", "headers", "code", "close", "reason"),
    [
        (
            Options(keys=frozenset({"sk-good"})),
            "model=m",
            (),
            "invalid_api_key",
            3000,
            "invalid_request_error.invalid_api_key",
        ),
        (
            Options(serves_beta=False),
            "model=m",
            (("OpenAI-Beta", "realtime=v1"),),
            "beta_api_shape_disabled",
            4000,
            "invalid_request_error.beta_api_shape_disabled",
        ),
        (
            Options(models=frozenset({"gpt-realtime"})),
            "model=m",
            (),
            "model_not_found",
            4004,
            "invalid_request_error.model_not_found",
        ),
        (
            Options(has_credit=False),
            "model=m",
            (),
            "credit_balance_exhausted",
            1013,
            "insufficient_quota.credit_balance_exhausted",
        ),
    ],
)
def test_fatal_errors_come_after_the_upgrade(
    options: Options,
    query: str,
    headers: tuple[tuple[str, str], ...],
    code: str,
    close: int,
    reason: str,
) -> None:
    key = (("Authorization", "Bearer sk-wrong-key-0123456789"), *headers)
    client = Client(options, query=query, headers=key)
    assert client.answer is not None
    assert client.answer.status == 101
    assert [event["type"] for event in client.events] == ["error"]
    assert client.error()["code"] == code
    assert "0123456789" not in json.dumps(client.error())
    assert client.close is not None
    assert (client.close.code, client.close.reason) == (close, reason)
    assert client.sim.next_deadline() is None
