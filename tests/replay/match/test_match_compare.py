"""Whether a client's message fits the recorded one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from replaying import leaves

from recorder.providers import PROVIDERS
from replay.match.compare import Matcher
from replay.match.rulebook import Rulebook

BOOK = Rulebook(PROVIDERS["openai"].RULES)


def encode(message: Any) -> bytes:
    return json.dumps(message).encode()


def differs(want: Any, got: Any, minted: frozenset[str] = frozenset()) -> str | None:
    found = Matcher(BOOK, minted).match(want["type"], encode(want), encode(got))
    return found.path if found else None


TEXTS = st.text(max_size=12)
MESSAGES = st.fixed_dictionaries(
    {
        "type": st.just("response.create"),
        "response": st.dictionaries(
            st.sampled_from(["instructions", "tools", "audio", "metadata", "x"]),
            st.recursive(
                TEXTS | st.integers() | st.booleans(),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
                ),
                max_leaves=6,
            ),
            max_size=4,
        ),
    },
    optional={"event_id": TEXTS},
)


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


@given(MESSAGES, st.randoms(use_true_random=False))
def test_key_order_and_layout_never_matter(message: dict[str, Any], chance: Any) -> None:
    keys = list(message)
    chance.shuffle(keys)
    body = json.dumps({key: message[key] for key in keys}, indent=1, ensure_ascii=False)
    got = body.encode("utf-8", "surrogatepass")
    assume(got.decode("utf-8", "replace").encode() == got)
    assert Matcher(BOOK, frozenset()).match(message["type"], encode(message), got) is None


@given(MESSAGES, st.data())
def test_a_changed_value_always_matters(message: dict[str, Any], data: st.DataObject) -> None:
    places = [path for path in leaves(message) if path[0] != "event_id"]
    path = data.draw(st.sampled_from(places))
    new = data.draw(st.sampled_from(["other", 7, False, None, [], {"a": 1}]))
    found = Matcher(BOOK, frozenset()).match(
        message["type"], encode(message), encode(changed(message, path, new))
    )
    old: Any = message
    for key in path:
        old = old[key]
    if type(old) is type(new) and old == new:
        assert found is None
    else:
        assert found is not None
        assert found.path.startswith("$.")


IDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), unique=True)


@given(IDS.filter(lambda ids: len(ids) >= 2 and "root" not in ids), st.data())
def test_renewed_ids_fit_if_they_are_used_alike(ids: list[str], data: st.DataObject) -> None:
    uses = data.draw(st.lists(st.sampled_from(ids), min_size=2, max_size=6))
    renewed = {name: f"live-{at}" for at, name in enumerate(ids)}
    wanted = [truncate(name) for name in uses]
    matcher = Matcher(BOOK, frozenset(ids))
    for name, want in zip(uses, wanted, strict=True):
        got = encode(truncate(renewed[name]))
        assert matcher.match(want["type"], encode(want), got) is None
    wrong = data.draw(st.sampled_from([each for each in ids if each != uses[0]]))
    stranger = encode(truncate(renewed[wrong]))
    known = wrong in uses
    found = matcher.match("conversation.item.truncate", encode(wanted[0]), stranger)
    assert found is not None, f"{wrong} passed for {uses[0]} ({known=})"


def truncate(item: str) -> dict[str, Any]:
    return {"type": "conversation.item.truncate", "item_id": item, "content_index": 0}


def create(text: str = "Hi", **fields: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content, **fields}
    return {"type": "conversation.item.create", "item": item}


def test_the_first_differing_path_and_both_values_are_told() -> None:
    found = Matcher(BOOK, frozenset()).match(
        "conversation.item.create", encode(create("London")), encode(create("Paris"))
    )
    path = "$.item.content[0].text"
    accept = f"any conversation.item.create:{path}"
    assert found == (path, '"London"', '"Paris"', accept, "")


def test_a_longer_list_differs_at_its_first_extra_element() -> None:
    want, got = create(), create()
    got["item"]["content"] = [*want["item"]["content"], {"type": "input_text", "text": "more"}]
    assert differs(want, got) == "$.item.content[1]"


def test_null_is_as_good_as_absent_where_it_clears_nothing() -> None:
    assert differs(create(), create(status=None)) is None
    assert differs(create(status=None), create()) is None


def test_null_in_a_session_update_is_a_value() -> None:
    update = {"type": "session.update", "session": {"type": "realtime"}}
    cleared = {"type": "session.update", "session": {"type": "realtime", "tracing": None}}
    assert differs(update, cleared) == "$.session.tracing"
    assert differs(cleared, update) == "$.session.tracing"


def test_event_ids_may_be_absent_extra_or_other() -> None:
    want, got = {"type": "response.create", "event_id": "a"}, {"type": "response.create"}
    minted = frozenset({"a"})
    assert differs(want, got, minted) is None
    assert differs(got, want) is None
    assert differs(want, {**want, "event_id": "b"}, minted) is None


def test_an_id_that_the_provider_minted_must_come_back_as_sent() -> None:
    assert differs(truncate("item_1"), truncate("item_1")) is None
    assert differs(truncate("item_1"), truncate("item_2")) == "$.item_id"


def test_an_id_is_followed_into_other_fields() -> None:
    want = {"type": "response.create", "event_id": "r1"}
    want["response"] = {"metadata": {"client_event_id": "r1", "topic": "x"}}  # type: ignore[assignment]
    got = json.loads(json.dumps(want).replace("r1", "r2"))
    minted = frozenset({"r1"})
    assert differs(want, got, minted) is None
    got["response"]["metadata"]["client_event_id"] = "r3"
    assert differs(want, got, minted) == "$.response.metadata.client_event_id"


def test_a_place_in_front_is_no_id() -> None:
    want = {**create(), "previous_item_id": "root"}
    got = {**create(), "previous_item_id": "item_1"}
    assert differs(want, want) is None
    assert differs(want, got) == "$.previous_item_id"


def test_a_failed_match_binds_nothing() -> None:
    matcher = Matcher(BOOK, frozenset({"a"}))
    want = encode({**create("London"), "event_id": "a"})
    assert matcher.match(
        "conversation.item.create", want, encode({**create("Paris"), "event_id": "b"})
    )
    assert not matcher.bindings.renamed


def test_when_the_client_cut_an_answer_short_is_timing() -> None:
    assert (
        differs({**truncate("i"), "audio_end_ms": 400}, {**truncate("i"), "audio_end_ms": 380})
        is None
    )


def test_a_redacted_secret_stands_for_any_text() -> None:
    want = create("my key is [redacted:0123456789ab], keep it")
    assert differs(want, create("my key is sk-something-else, keep it")) is None
    assert differs(want, create("my key is sk-something-else, use it")) is not None


@pytest.mark.parametrize(
    ("want", "got", "path"),
    [
        (b"not json", b"not json", None),
        (b"not json", b"not jsin", "byte 6"),
        (b'{"a":1}', b"x", "$"),
    ],
)
def test_what_is_not_json_is_compared_as_it_stands(
    want: bytes, got: bytes, path: str | None
) -> None:
    found = Matcher(BOOK, frozenset()).match("", want, got)
    assert (found.path if found else None) == path
