"""Ids in the bytes of provider messages."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from recorder.providers import PROVIDERS
from replay.match.ids import Bindings, mentioned, rename
from replay.match.rulebook import Rulebook

BOOK = Rulebook(PROVIDERS["openai"].RULES)


def bound(*pairs: tuple[str, str]) -> Bindings:
    bindings = Bindings()
    for recorded, live in pairs:
        assert bindings.bind("item", recorded, live)
    return bindings


def test_pairs_are_one_to_one_within_a_kind() -> None:
    bindings = bound(("a", "x"))
    assert bindings.bind("item", "a", "x")
    assert not bindings.bind("item", "a", "y")
    assert not bindings.bind("item", "b", "x")
    assert bindings.bind("event", "b", "x")


def test_only_the_value_changes_and_no_other_byte() -> None:
    body = (
        b'{ "item":{"id" : "one","one":"text \\"one\\" one"}, "n":1.50,"previous_item_id":"one" }'
    )
    got = rename(body, ["one"], bound(("one", "zwei")), BOOK, "conversation.item.added")
    assert got == body.replace(b': "one"', b': "zwei"').replace(b':"one" }', b':"zwei" }')


def test_ids_inside_an_error_text_are_renamed() -> None:
    body = b'{"type":"error","error":{"message":"the item with id \'item_abc\' does not exist."}}'
    bindings = bound(("item_abc", "item_xyz"))
    assert b"'item_xyz'" in rename(body, ["item_abc"], bindings, BOOK, "error")
    assert rename(body, ["item_abc"], bindings, BOOK, "other") == body


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_renamed_message_says_the_live_id(recorded: str, live: str) -> None:
    message = {"item": {"id": recorded, "n": 1}, "list": [recorded, "other text"]}
    for text in (json.dumps(message), json.dumps(message, ensure_ascii=False)):
        body = text.encode("utf-8", "surrogatepass")
        if recorded not in ("", live) and mentioned(body, frozenset({recorded}), BOOK, "x"):
            got = json.loads(rename(body, [recorded], bound((recorded, live)), BOOK, "x"))
            assert got["item"]["id"] == live
            assert got["list"][0] == live


def test_mentioned_finds_escaped_ids_and_ignores_text() -> None:
    names = frozenset({"é1", "b", "c"})
    assert mentioned(b'{"x":"\\u00e91","y":"a b c","b":1}', names, BOOK, "x") == ("b", "é1")
