"""A type is read from how a message begins, and how one began before is not read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.providers import PROVIDERS
from recorder.providers.openai_realtime.capture import event_type

BODIES = st.lists(
    st.sampled_from(
        [
            '{"type":"',
            '{"type": "',
            '{ "type" : "',
            '{"event_id":"e","type":"',
            '{"event_id":"type","type":"',
            "response.output_text.delta",
            "rate_limits.updated",
            "x",
            "",
            " ",
            "ü",
            "a" * 120,
            '"',
            '",',
            '","type":"other"',
            '","n":1}',
            '"}',
            "\\",
            "{",
        ]
    ),
    max_size=5,
).map(lambda parts: "".join(parts).encode())


@pytest.mark.parametrize("name", ["openai", "openai-live"])
@given(bodies=st.lists(BODIES, max_size=12))
def test_the_type_is_the_same_however_often_its_beginning_came(
    name: str, bodies: list[bytes]
) -> None:
    tracker = PROVIDERS[name].tracker()
    for body in (*bodies, *bodies):
        insight = tracker.inspect(1, "provider", "ws.text", "", body)
        assert insight.type == event_type(body)


def test_messages_of_which_only_the_type_matters_share_what_is_seen() -> None:
    tracker = PROVIDERS["openai"].tracker()
    bodies = [b'{"type":"response.done","n":%d}' % number for number in range(3)]
    first, *others = (tracker.inspect(1, "provider", "ws.text", "", body) for body in bodies)
    assert all(other is first for other in others)
    assert first == ("response.done", (), (), None)
