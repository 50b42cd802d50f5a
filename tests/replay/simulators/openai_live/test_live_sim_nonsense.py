"""Whatever a client sends, the simulated GPT-Live answers or refuses, and goes on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from live_client import BACKEND, Client

from replay.simulators.openai_live.shapes import EVENTS

_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.floats()
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
_FIELDS = st.sampled_from(
    ["event_id", "session", "audio", "content", "delegation_id", "item", "event", "x"]
)
_CLOSES = "session.close"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([type_ for type_ in EVENTS if type_ != _CLOSES]),
            st.dictionaries(_FIELDS, _VALUES, max_size=3),
        ),
        max_size=4,
    )
)
@settings(max_examples=25, deadline=None)
def test_any_fields(said: list[tuple[str, dict[str, Any]]]) -> None:
    client = Client().start(delegation=BACKEND)
    for type_, fields in said:
        client._give("ws.text", json.dumps({**fields, "type": type_}).encode())
        client.wait(50)
    client.send("session.input_audio.unmute", event_id="still there")
    assert client.events[-1]["client_event_id"] == "still there"


@given(st.binary(max_size=30))
@settings(max_examples=30, deadline=None)
def test_any_bytes(body: bytes) -> None:
    client = Client()
    client._give("ws.text", body)
    client.start()
    client._give("ws.text", body)
    client.send(_CLOSES)
    client.wait(1000)
    assert client.types()[-1] == "session.closed"
