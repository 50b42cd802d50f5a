"""JSON for comparing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.match.jsontext import Number, canonical, parse, shown

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def reordered(value: Any) -> Any:
    """The same value with its keys the other way round."""
    if isinstance(value, dict):
        return {key: reordered(inner) for key, inner in reversed(value.items())}
    return [reordered(inner) for inner in value] if isinstance(value, list) else value


@given(VALUES)
def test_layout_and_key_order_do_not_count(value: Any) -> None:
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()
    spacious = json.dumps(reordered(value), indent=2).encode()
    assert canonical(parse(compact)) == canonical(parse(spacious))


@given(VALUES, VALUES)
def test_different_values_have_different_texts(one: Any, other: Any) -> None:
    texts = [canonical(parse(json.dumps(each).encode())) for each in (one, other)]
    assert (texts[0] == texts[1]) == same(one, other)


def same(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.parametrize(
    "texts",
    [("1", "1.0", "10e-1", "0.1E+1", "1e0"), ("-0", "0", "0.0", "0e5"), ("1200", "1.2e3")],
)
def test_numbers_compare_by_value(texts: tuple[str, ...]) -> None:
    assert len({Number(text).value for text in texts}) == 1


def test_long_numbers_are_exact() -> None:
    assert Number("9007199254740993").value != Number("9007199254740992").value
    assert Number("0.1").value != Number("0.1000000000000000055").value


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":2}', b"NaN", b"[1e9999999999]", b"[" * 100_000, b"\xff", b"", b"{"]
)
def test_what_has_no_single_meaning_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(body)


def test_a_value_is_shown_as_it_was_written() -> None:
    assert (
        shown(parse(b'{"b":1.50,"a":["\\u0141",null,true]}'))
        == '{"b": 1.50, "a": ["Ł", null, true]}'
    )
