"""What goes through the pipe to the writer comes out as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.framing import PREFIX, Items, batch, unpack, word

EVENTS = st.tuples(
    st.integers(1, 9),
    st.integers(0, 1 << 60),
    st.integers(0, 9),
    st.sampled_from(["client", "provider"]),
    st.just("ws.text"),
    st.text(max_size=5),
    st.binary(max_size=40),
)
ORDERS = st.tuples(st.integers(1, 9), st.just("learn"), st.dictionaries(st.text(), st.text()))


def received(frame: bytes) -> object:
    head, bodies = PREFIX.unpack(frame[: PREFIX.size])
    data = memoryview(frame)[PREFIX.size :]
    assert len(data) == head + bodies
    return unpack(data[:head], data[head:])


@given(st.lists(EVENTS | ORDERS, max_size=20))
def test_items_come_out_in_order_with_their_bodies(items: list[tuple[object, ...]]) -> None:
    size = sum(len(item[6]) for item in items if len(item) == 7)  # type: ignore[arg-type]
    found = received(b"".join(batch(items)))
    assert found == Items(items, size)  # type: ignore[arg-type]


def test_a_word_comes_out() -> None:
    assert received(word(("flush", 7))) == ("flush", 7)
