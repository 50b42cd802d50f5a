"""Single events of the simulator: settings, items, ids, determinism."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

from openai_bytes import digest
from openai_client import WALL, WEATHER, Client, noise, silence
from openai_items import create, message

from recorder.audio import pcm
from recorder.events import Message
from replay.simulators import SIMULATORS
from replay.simulators.openai import Options
from replay.simulators.openai.ids import base62


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
