"""What the simulated model says, calls and sounds like."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from openai_client import Client

from recorder.audio import pcm
from recorder.audio.vad import EnergyVad
from replay.simulators.common.arguments import write
from replay.simulators.common.voice import synthesise
from replay.simulators.common.words import pieces
from replay.simulators.openai import Options
from replay.simulators.openai.mind import Call, Words
from replay.simulators.openai.score import Sound, compose

jsonschema = pytest.importorskip("jsonschema")

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {
        "type": "object",
        "properties": {
            "unit": {"enum": ["c", "f"]},
            "days": {"type": "integer", "minimum": 3, "maximum": 7},
            "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "step": {"type": "integer", "minimum": 11, "multipleOf": 5},
            "sure": {"type": "boolean"},
            "nothing": {"type": "null"},
            "kind": {"const": "weather"},
            "code": {"type": "string", "minLength": 30, "maxLength": 32},
            "short": {"type": ["string", "null"], "maxLength": 3},
            "when": {"type": "string", "format": "date"},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "few": {"type": "array", "items": {"type": "integer"}, "maxItems": 0},
        },
        "required": ["unit", "days", "tags"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["name"],
            }
        },
        "properties": {"root": {"$ref": "#/$defs/node"}},
        "required": ["root"],
    },
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
        ]
    },
    {"type": "object", "required": ["free"]},
    {"type": "object"},
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("said", ["", "Is it warm in London?", "Give me 12.5 of 'blue'."])
def test_arguments_satisfy_their_schema(schema: dict[str, Any], said: str) -> None:
    value = json.loads(write(schema, said, random.Random(1)))
    jsonschema.Draft202012Validator(schema).validate(value)


def test_arguments_take_what_was_said() -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["kelvin", "celsius"]},
            "days": {"type": "integer"},
        },
    }
    said = "What will it be in New York in celsius for 3 days?"
    assert json.loads(write(schema, said, random.Random(1))) == {
        "city": "New York",
        "unit": "celsius",
        "days": 3,
    }


def test_a_tool_without_parameters_gets_an_empty_object() -> None:
    assert write(None, "hello", random.Random(1)) == "{}"


def test_scripted_replies_cues_and_speech_are_used() -> None:
    recorded = pcm.to_bytes(synthesise("something else entirely")[:24_000])
    tool = {"type": "function", "name": "transfer_call", "parameters": {"type": "object"}}
    client = Client(
        Options(
            replies=("First.", "Second."),
            speech={"First.": recorded},
            cues={"a human": "transfer_call"},
        )
    )
    client.update(tools=[tool])
    client.type_in("Hello?")
    client.type_in("Let me talk to a human, please.")
    client.type_in("Thank you.")
    first, second, third = (e["response"] for e in client.of("response.done"))
    assert first["output"][0]["content"][0]["transcript"] == "First."
    assert first["usage"]["output_token_details"]["audio_tokens"] == 20
    assert second["output"][0]["name"] == "transfer_call"
    assert third["output"][0]["content"][0]["transcript"] == "Second."


def test_long_outputs_are_quoted_in_part() -> None:
    client = Client()
    client.update(output_modalities=["text"])
    call = {"type": "function_call", "name": "f", "call_id": "call_1", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "z" * 100_000}
    client.send("conversation.item.create", item=call)
    client.send("conversation.item.create", item=output)
    client.send("response.create")
    client.settle()
    assert len(client.of("response.output_text.done")[0]["text"]) < 300


@pytest.mark.parametrize("text", ["", "Hello, world!", "naïve 12.5 €\n\tx", "x" * 50, '{"a": [1]}'])
def test_pieces_join_to_the_text_and_are_short(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(len(piece) <= 16 for piece in pieces(text))


def test_a_score_covers_text_and_audio_in_order() -> None:
    sound = Sound(lambda text: bytes(range(256)) * 300, 48, 4.0)
    text = "One two three four five six seven, eight nine ten."
    beats = compose([Words(text), Call("f", '{"a": 1}')], sound, random.Random(2))
    assert "".join(beat.words for beat in beats if beat.act == "words") == text
    assert b"".join(beat.sound for beat in beats) == bytes(range(256)) * 300
    assert "".join(beat.words for beat in beats if beat.act == "arguments") == '{"a": 1}'
    marks = [(beat.act, beat.output) for beat in beats if beat.act in ("open", "close")]
    assert marks == [("open", 0), ("close", 0), ("open", 1), ("close", 1)]
    sizes = [len(beat.sound) for beat in beats if beat.sound]
    assert sizes[:3] == [4800, 7200, 12000]
    assert sum(beat.after_ns for beat in beats if beat.sound) == pytest.approx(
        sum(sizes) / 48 / 4 * 1e6, rel=1e-6
    )


def test_the_voice_sounds_like_speech_to_a_detector() -> None:
    samples = synthesise("Hello there. How are you?")
    assert np.array_equal(samples, synthesise("Hello there. How are you?"))
    assert not np.array_equal(samples, synthesise("Hello there. How are we?")[: len(samples)])
    assert 1200 < len(samples) / 24 < 2400
    assert -30 < pcm.rms_dbfs(samples) < -12
    vad = EnergyVad(24_000, threshold_dbfs=-40, frame_ms=32, start_ms=32, stop_ms=100)
    edges = [edge.kind for edge in vad.feed(np.concatenate([samples, np.zeros(9600, np.int16)]))]
    assert edges == ["start", "stop", "start", "stop"]
    assert len(synthesise("Hello", 1.5)) < len(synthesise("Hello", 0.75)) * 0.6
