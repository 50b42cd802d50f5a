"""The simulator against real recordings: key sets, key order and order of events, per type.

Runs where `RECORDER_TRAFFIC` names a folder with `openai/*.jsonl` recordings.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openai_checks import Event, check_order
from openai_client import WEATHER, Client, noise, silence

FOLDER = os.environ.get("RECORDER_TRAFFIC")
pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDER_TRAFFIC is not set")

FREE = {"metadata", "parameters"}
EXTRA = {"content"}  # an addition of Azure to content parts


def recordings() -> dict[str, list[Event]]:
    found = {}
    for path in sorted(Path(FOLDER or ".").glob("openai/*.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found[path.stem] = [
            line["event"] for line in lines if line["dir"] == "server" and line.get("event")
        ]
    return found


def shapes(value: Any, path: str = "") -> dict[str, set[tuple[str, ...]]]:
    """For each place in a message, the key tuples seen there."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    if isinstance(value, dict):
        kind = f"{path}<{value.get('type', '')}>"
        seen.setdefault(kind, set()).add(tuple(value))
        for key, inner in value.items():
            if key not in FREE and not (key in EXTRA and "part" in value):
                for place, keys in shapes(inner, f"{kind}.{key}").items():
                    seen.setdefault(place, set()).update(keys)
    elif isinstance(value, list):
        for inner in value:
            for place, keys in shapes(inner, f"{path}[]").items():
                seen.setdefault(place, set()).update(keys)
    return seen


def all_shapes(events: list[Event]) -> dict[str, set[tuple[str, ...]]]:
    seen: dict[str, set[tuple[str, ...]]] = {}
    for event in events:
        for place, keys in shapes(event).items():
            stripped = {tuple(k for k in one if not (k in EXTRA and "part" in one)) for one in keys}
            seen.setdefault(place, set()).update(stripped)
    return seen


def simulated() -> list[Event]:
    client = Client()
    client.update(
        tools=[WEATHER],
        audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}},
    )
    client.type_in("Hello.")
    client.hear(np.concatenate([silence(1000), noise(1500), silence(500)]))
    client.settle()
    client.update(
        output_modalities=["text"],
        audio={"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
    )
    client.hear(np.concatenate([silence(1000), noise(1500), silence(500)]))
    client.settle()
    client.type_in("What is the weather in London?")
    call = client.of("response.function_call_arguments.done")[0]
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": "Fog."}
    client.send("conversation.item.create", item=item)
    client.send("response.create")
    client.settle()
    return client.events


def test_keys_and_their_order_are_those_of_the_recordings() -> None:
    recorded = all_shapes([event for events in recordings().values() for event in events])
    ours = all_shapes(simulated())
    missing = set(recorded) - set(ours)
    assert not missing
    different = {place: (recorded[place], ours[place]) for place in recorded if place in ours}
    assert {p: pair for p, pair in different.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize("name", list(recordings()) if FOLDER else [])
def test_recordings_follow_the_order_that_the_simulator_is_held_to(name: str) -> None:
    events = [e for e in recordings()[name] if e["type"] != "rate_limits.updated"]
    padded: list[Event] = []
    for event in events:
        padded.append(event)
        if event["type"] == "response.done":
            padded.append({"type": "rate_limits.updated", "event_id": f"after {event['event_id']}"})
    check_order(padded)
