"""Turns with function calls: one, several, forced, and beside a remark."""

from __future__ import annotations

import json

from openai_client import WEATHER, Client


def test_a_function_round_with_the_output_before_the_response_is_done() -> None:
    client = Client()
    client.update(output_modalities=["text"], tools=[WEATHER])
    item = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "What is the weather in London?"}],
    }
    client.send("conversation.item.create", item=item)
    client.send("response.create")
    while "response.function_call_arguments.delta" not in client.types():
        client.wait(10)
    call_id = client.of("response.output_item.added")[0]["item"]["call_id"]
    output = {"type": "function_call_output", "call_id": call_id, "output": "Foggy, 12 degrees."}
    assert client.send("conversation.item.create", item=output) == []
    client.settle()
    types = client.types()
    done = types.index("response.done")
    assert types[done : done + 4] == [
        "response.done",
        "rate_limits.updated",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert "status" not in client.of("conversation.item.added")[-1]["item"]
    call = client.of("response.function_call_arguments.done")[0]
    assert call["name"] == "get_weather"
    assert json.loads(call["arguments"]) == {"city": "London"}
    assert client.wait(1000) == []
    client.send("response.create")
    client.settle()
    text = client.of("response.output_text.done")[0]["text"]
    assert "Foggy, 12 degrees." in text
    client.check()


def test_parallel_calls_and_their_refusal() -> None:
    clock = {"type": "function", "name": "local_time", "parameters": {"type": "object"}}
    client = Client()
    client.update(output_modalities=["text"], tools=[WEATHER, clock])
    client.type_in("What are the weather and the time in Oslo?")
    output = client.of("response.done")[0]["response"]["output"]
    assert [item["name"] for item in output] == ["get_weather", "local_time"]
    assert len({item["call_id"] for item in output}) == 2
    for item in output:
        client.send(
            "conversation.item.create",
            item={"type": "function_call_output", "call_id": item["call_id"], "output": "ok"},
        )
    client.type_in("And the weather and the time in Rome?", parallel_tool_calls=False)
    assert len(client.of("response.done")[1]["response"]["output"]) == 1
    client.check()


def test_tool_choice_forces_and_forbids() -> None:
    client = Client()
    client.update(output_modalities=["text"], tools=[WEATHER])
    client.type_in("Good morning.", tool_choice={"type": "function", "name": "get_weather"})
    client.type_in("What is the weather?", tool_choice="none")
    client.type_in("Good evening.", tool_choice="required")
    kinds = [e["response"]["output"][0]["type"] for e in client.of("response.done")]
    assert kinds == ["function_call", "message", "function_call"]
    client.check()


def test_a_remark_and_its_call_overlap_on_the_second_model_family() -> None:
    client = Client(query="model=gpt-realtime-2.1")
    assert client.events[0]["session"]["audio"]["output"]["voice"] == "marin"
    client.update(output_modalities=["text"], tools=[WEATHER])
    client.type_in("What is the weather in Bonn?")
    types = client.types()
    assert types.index("response.function_call_arguments.delta") < types.index(
        "response.output_text.done"
    )
    first, second = client.of("response.done")[0]["response"]["output"]
    assert (first["phase"], second["type"]) == ("commentary", "function_call")
    client.check()
