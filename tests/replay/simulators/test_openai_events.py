"""Single events of the simulator: settings, items, every error, ids, determinism."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai_bytes import digest
from openai_client import WALL, WEATHER, Client, noise, silence

from recorder.audio import pcm
from recorder.events import Message
from replay.simulators import SIMULATORS
from replay.simulators.openai import Options
from replay.simulators.openai.ids import base62


def message(text: str, role: str = "user", **fields: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


def create(client: Client, item: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return client.send("conversation.item.create", item=item, **fields)


def test_updates_merge_and_echo_the_whole_session() -> None:
    client = Client()
    before = client.events[0]["session"]
    got = client.update(
        instructions="Be kind.",
        audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}},
        tools=[{key: WEATHER[key] for key in reversed(WEATHER)}],
    )
    after = got[0]["session"]
    assert list(after) == list(before)
    assert after["instructions"] == "Be kind."
    assert list(after["tools"][0]) == ["type", "name", "description", "parameters"]
    assert after["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.7,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    assert after["audio"]["output"] == before["audio"]["output"]
    cleared = client.update(instructions="", tools=[], audio={"input": {"turn_detection": None}})[
        0
    ]["session"]
    assert cleared["instructions"] == before["instructions"]
    assert cleared["tools"] == []
    assert cleared["audio"]["input"]["turn_detection"] is None


def test_several_updates_in_flight_are_answered_in_order() -> None:
    client = Client()
    for text in ("a", "b", "c"):
        client.update(instructions=text)
    assert [e["session"]["instructions"] for e in client.of("session.updated")] == ["a", "b", "c"]


def test_what_clients_repeat_or_null_is_accepted() -> None:
    client = Client()
    client.update(model="another", max_output_tokens="inf", tracing=None, prompt=None)
    session = client.of("session.updated")[0]["session"]
    assert (session["model"], session["max_output_tokens"]) == ("gpt-realtime", "inf")
    client.update(tracing="auto")
    assert client.events[-1]["session"]["tracing"] == "auto"


def test_items_keep_client_ids_and_places() -> None:
    client = Client()
    create(client, message("b", id="bbb"))
    create(client, message("a", id="aaa"), previous_item_id="root")
    create(client, message("d", "assistant", id="ddd"))
    create(client, message("c", "system", id="ccc"), previous_item_id="bbb")
    added = {e["item"]["id"]: e["previous_item_id"] for e in client.of("conversation.item.added")}
    assert added == {"bbb": None, "aaa": None, "ddd": "bbb", "ccc": "bbb"}
    assert all(e["item"]["status"] == "completed" for e in client.of("conversation.item.done"))
    client.send("conversation.item.delete", item_id="bbb")
    create(client, message("e", id="eee"), previous_item_id="ccc")
    assert client.events[-1]["previous_item_id"] == "ccc"
    client.check()


def test_retrieve_returns_the_audio_of_both_sides() -> None:
    client = Client()
    said = pcm.to_bytes(noise(800))
    part = {"type": "input_audio", "audio": base64.b64encode(said).decode(), "transcript": "Hi"}
    create(client, {"type": "message", "role": "user", "content": [part], "id": "mine"})
    assert client.events[-1]["item"]["content"] == [{"type": "input_audio", "transcript": "Hi"}]
    client.send("response.create")
    client.settle()
    client.send("conversation.item.retrieve", item_id="mine")
    assert base64.b64decode(client.events[-1]["item"]["content"][0]["audio"]) == said
    reply = client.of("response.done")[0]["response"]["output"][0]["id"]
    client.send("conversation.item.retrieve", item_id=reply)
    sent = b"".join(base64.b64decode(e["delta"]) for e in client.of("response.output_audio.delta"))
    assert base64.b64decode(client.events[-1]["item"]["content"][0]["audio"]) == sent


def test_truncate_cuts_audio_transcript_and_later_input() -> None:
    client = Client()
    client.type_in("Say something long, please, as long as you can.")
    reply = client.of("response.done")[0]["response"]["output"][0]["id"]
    client.send("conversation.item.truncate", item_id=reply, content_index=0, audio_end_ms=1000)
    assert client.events[-1] == client.events[-1] | {
        "type": "conversation.item.truncated",
        "item_id": reply,
        "content_index": 0,
        "audio_end_ms": 1000,
    }
    client.send("conversation.item.retrieve", item_id=reply)
    part = client.events[-1]["item"]["content"][0]
    assert len(base64.b64decode(part["audio"])) == 48 * 1000
    assert part["transcript"] is None
    client.send("conversation.item.truncate", item_id=reply, content_index=0, audio_end_ms=1001)
    assert client.error()["message"] == "Audio content of 1000ms is already shorter than 1001ms"
    client.type_in("Go on.", output_modalities=["text"])
    usage = client.of("response.done")[1]["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 20


def test_a_long_common_prefix_is_cached_in_steps_of_64() -> None:
    client = Client()
    client.update(output_modalities=["text"], instructions="word " * 150)
    client.type_in("One.")
    client.type_in("Two.")
    client.update(instructions="other " * 150)
    client.type_in("Three.")
    details = [e["response"]["usage"]["input_token_details"] for e in client.of("response.done")]
    assert [d["cached_tokens"] for d in details] == [0, 128, 0]
    client.check()


def test_truncation_drops_the_oldest_or_refuses() -> None:
    client = Client(Options(context_tokens=200))
    client.update(output_modalities=["text"])
    for index in range(6):
        create(client, message("word " * 40 + str(index)))
    client.type_in("And now?")
    assert client.of("response.done")[0]["response"]["usage"]["input_tokens"] <= 200
    client.update(truncation="disabled")
    client.send("response.create")
    assert client.error()["code"] == "context_length_exceeded"


def test_rate_limits_shrink_refill_and_fail_responses() -> None:
    client = Client(Options(tokens_per_minute=100))
    client.update(output_modalities=["text"])
    client.type_in("Hello.")
    client.type_in("Hello again.")
    limits = [e["rate_limits"][0] for e in client.of("rate_limits.updated")]
    for limit in limits:
        used = limit["limit"] - limit["remaining"]
        assert limit["reset_seconds"] == used * 60_000 // limit["limit"] / 1000
    failed = client.of("response.done")[1]["response"]
    assert failed["status"] == "failed"
    assert failed["status_details"]["error"]["code"] == "rate_limit_exceeded"
    assert failed["output"] == []
    client.wait(60_000)
    client.type_in("And now?")
    assert client.of("response.done")[2]["response"]["status"] == "completed"
    client.check()


def test_the_session_ends_after_its_time() -> None:
    client = Client()
    client.wait(3600 * 1000)
    assert client.error()["code"] == "session_expired"
    assert client.close is not None
    assert (client.close.code, client.close.reason) == (1001, client.error()["message"])
    assert client.sim.next_deadline() is None


def test_a_closed_connection_gets_nothing_more() -> None:
    client = Client()
    client.send("response.create")
    client.sim.receive(Message(1, "ws.close", b'{"code":1006,"reason":""}'), client.now)
    client.wait(10_000)
    assert client.of("response.done") == []
    assert client.sim.next_deadline() is None


def test_ids_carry_the_virtual_second() -> None:
    client = Client()
    client.wait(100_000)
    create(client, message("x"))
    second = base62(WALL // 10**9 + 100 - 1_576_800_000, 5)
    item_id = client.events[-1]["item"]["id"]
    assert item_id.startswith(f"item_{second}")
    assert len(item_id) == len("item_") + 21


def talk(seed: int) -> Client:
    client = Client(seed=seed)
    client.update(
        tools=[{**WEATHER, "strict": True}],
        audio={"input": {"transcription": {"model": "whisper-1"}}},
    )
    client.type_in("Hello.")
    client.hear(silence(400))
    client.hear(noise(900))
    client.hear(silence(500))
    client.settle()
    client.type_in("What is the weather in Oslo?")
    return client


def test_the_same_seed_gives_the_same_bytes_and_another_the_same_skeleton() -> None:
    first, second, other = talk(7), talk(7), talk(8)
    assert first.raw == second.raw
    assert first.times == second.times
    assert first.raw != other.raw

    def skeleton(client: Client) -> list[str]:
        return [type_ for type_ in client.types() if not type_.endswith((".delta", ".completed"))]

    assert skeleton(first) == skeleton(other)


def test_the_bytes_do_not_depend_on_the_process() -> None:
    script = Path(__file__).with_name("openai_bytes.py")
    seen = {
        subprocess.run(
            [sys.executable, script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {digest()}


def test_the_registry_makes_simulators() -> None:
    machine = SIMULATORS["openai"](1, WALL)
    assert machine.due(0) == []
    assert machine.next_deadline() is None


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
