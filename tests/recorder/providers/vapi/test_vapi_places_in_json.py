"""Places in JSON texts, and what is replaced there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.heads import RequestHead
from recorder.providers.base import Edit
from recorder.providers.vapi import links, webhooks
from recorder.providers.vapi.places import places, shown, text

CALL = RequestHead("POST", "/call")
URL = "https://recorder.example/webhooks/vapi"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def strings(
    value: Any, path: tuple[str | int, ...] = ()
) -> list[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        return [(path, value)]
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [found for key, each in inner for found in strings(each, (*path, key))]


@given(values, st.sampled_from([None, 1, "\t"]))
@settings(max_examples=examples(150))
def test_every_string_is_found_where_it_stands(value: Any, indent: Any) -> None:
    body = json.dumps(value, indent=indent).encode()
    found = [
        (place.path, text(body, place.start, place.end))
        for place in places(body, 99)
        if place.kind == "string"
    ]
    assert found == strings(value)


@given(values, st.integers(0, 3))
@settings(max_examples=examples(80))
def test_what_is_deeper_is_left_out(value: Any, depth: int) -> None:
    body = json.dumps(value).encode()
    expected = [path for path, _ in strings(value) if len(path) <= depth]
    assert [p.path for p in places(body, depth) if p.kind == "string"] == expected


@given(st.binary(max_size=60))
def test_what_is_not_json_is_no_error(body: bytes) -> None:
    for place in places(body, 4):
        text(body, place.start, place.end)
    links.find(body)
    webhooks.read(body)
    webhooks.addressed(CALL, body, URL)


def test_only_the_links_of_a_call_are_found() -> None:
    call = {
        "transport": {"websocketCallUrl": "wss://x.vapi.ai/1/transport", "callUrl": "https://d/r"},
        "monitor": {
            "listenUrl": "wss://x.vapi.ai/1/listen",
            "controlUrl": "https:\\/\\/x/1/control",
        },
        "artifact": {"monitor": {"listenUrl": "wss://other"}, "listenUrl": "wss://other"},
        "listenUrl": "wss://top",
        "metadata": {"transport": {"websocketCallUrl": "wss://mine"}},
    }
    body = json.dumps(call).replace("\\\\/", "\\/").encode()
    expected = [
        ("$.transport", "websocketCallUrl", "wss://x.vapi.ai/1/transport"),
        ("$.monitor", "listenUrl", "wss://x.vapi.ai/1/listen"),
        ("$.monitor", "controlUrl", "https://x/1/control"),
    ]
    assert [(link.place, link.name, link.url) for link in links.find(body)] == expected
    for wrapped, before in (([call], "$[0]"), ({"results": [call]}, "$.results[0]")):
        text_ = json.dumps(wrapped).replace("\\\\/", "\\/").encode()
        assert [link.place for link in links.find(text_)] == [
            f"{before}{place[1:]}" for place, _, _ in expected
        ]
    assert not links.find(json.dumps({"call": call}).encode())


def edited(body: bytes, edits: tuple[Edit, ...] | Any) -> Any:
    for edit in reversed(edits):
        body = body[: edit.start] + edit.text + body[edit.end :]
    return json.loads(body)


def asked(method: str, path: str, value: Any) -> tuple[Any, list[tuple[str, str | None]]]:
    body = json.dumps(value).encode()
    edits = webhooks.addressed(RequestHead(method, path), body, URL)
    result = edited(body, edits)
    for edit in edits:
        assert shown(()) == "$"
        keys = edit.place.removeprefix("$.").split(".")
        assert at(result, tuple(keys)) == URL
    return result, [(edit.place, edit.was) for edit in edits]


def test_the_webhook_address_goes_where_the_assistant_is() -> None:
    server = {"url": URL}
    told = {"name": "Ann"}
    assert asked("POST", "/assistant", told)[0] == {"server": server, "name": "Ann"}
    assert asked("POST", "/assistant", {})[0] == {"server": server}
    theirs = {"server": {"url": "https://a", "timeoutSeconds": 5}}
    result, edits = asked("POST", "/assistant", theirs)
    assert result == {"server": {"url": URL, "timeoutSeconds": 5}}
    assert edits == [("$.server.url", "https://a")]
    assert asked("POST", "/assistant", {"serverUrl": "https://old"})[0] == {"serverUrl": URL}
    empty = {"server": {"timeoutSeconds": 5}}
    assert asked("POST", "/assistant", empty)[0] == {"server": {"url": URL, "timeoutSeconds": 5}}


def test_a_patch_changes_a_server_and_never_puts_one_in_its_place() -> None:
    path = "/assistant/0199a1c0-0000-7000-8000-000000000001"
    assert asked("PATCH", path, {"name": "Bea"})[1] == []
    assert asked("PATCH", path, {"server": None})[1] == []
    assert asked("PATCH", path, {"server": {"url": "x"}})[0] == {"server": {"url": URL}}


def test_a_call_gets_the_address_by_its_assistant() -> None:
    inline = asked("POST", "/call", {"assistant": {"name": "Ann"}})[0]
    assert inline == {"assistant": {"name": "Ann", "server": {"url": URL}}}
    stored = {"assistantId": "a", "name": "n"}
    overrides = {"assistantOverrides": {"server": {"url": URL}}}
    assert asked("POST", "/call", stored)[0] == stored | overrides
    mine = stored | {"assistantOverrides": {"variableValues": {"a": "1"}}}
    assert asked("POST", "/call/web", mine)[0]["assistantOverrides"] == {
        "variableValues": {"a": "1"},
        "server": {"url": URL},
    }
    nothing = stored | {"assistantOverrides": None}
    assert asked("POST", "/call", nothing)[0] == stored | overrides
    untouched: list[Any] = [{"squadId": "s"}, {"assistantOverrides": None}, []]
    for other in untouched:
        assert asked("POST", "/call", other) == (other, [])
    assert asked("GET", "/assistant", {"name": "x"})[1] == []
    assert asked("POST", "/tool", {"server": {"url": "x"}})[1] == []


def test_a_server_of_the_overrides_would_win() -> None:
    told = {"assistant": {"name": "Ann"}, "assistantOverrides": {"server": {"url": "https://a"}}}
    result, edits = asked("POST", "/call", dict(reversed(told.items())))
    assert result["assistant"]["server"] == result["assistantOverrides"]["server"] == {"url": URL}
    assert [place for place, _ in edits] == [
        "$.assistantOverrides.server.url",
        "$.assistant.server.url",
    ]
    plain = {"assistant": {"name": "Ann"}, "assistantOverrides": {"variableValues": {"a": "1"}}}
    assert asked("POST", "/call", plain)[0]["assistantOverrides"] == {"variableValues": {"a": "1"}}


@pytest.mark.parametrize("server", [None, {"url": None}, {}])
def test_a_null_is_as_good_as_nothing(server: Any) -> None:
    told = {"a": [None], "server": server, "name": None}
    assert asked("POST", "/assistant", told)[0] == told | {"server": {"url": URL}}
    mine = {"assistantId": "a", "assistantOverrides": {"server": server}}
    assert asked("POST", "/call", mine)[0]["assistantOverrides"] == {"server": {"url": URL}}


@pytest.mark.parametrize(
    "body",
    [
        b'garbage {"server":{"url":"https://a"}, \xff',
        b'{"server":{"url":"https://a"}',
        b'{"server":{"url":"https://a"}} and more',
        '{"server":{"url":"https://a"}}'.encode("utf-16"),
        b'[{"server":{"url":"https://a"}}]',
    ],
)
def test_what_is_no_json_object_stays(body: bytes) -> None:
    assert webhooks.addressed(RequestHead("POST", "/assistant"), body, URL) == ()
