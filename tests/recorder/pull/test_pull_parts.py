"""The parts of a pull: lists without a cursor, waiting, and what counts as the same answer."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pull_world import KEY, WALL
from thoroughness import examples

from recorder.clock import VirtualClock
from recorder.errors import RecorderError
from recorder.pull.client import Api
from recorder.pull.pacing import Pacer
from recorder.pull.sameness import digest, is_same
from recorder.pull.vapi import analytics, artifacts, pages, stamp
from recorder.redact import Secrets, marker, redact_text

SECRETS = Secrets(b"key")
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


class Shop:
    """Items with times that are kept in microseconds and told in milliseconds."""

    def __init__(self, micros: list[int]) -> None:
        self.made = {f"id-{n}": BEGAN + timedelta(microseconds=at) for n, at in enumerate(micros)}
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        query = dict(request.url.params)
        before = datetime.fromisoformat(query.get("createdAtLt", "2100-01-01T00:00:00Z"))
        newest = sorted(self.made.items(), key=lambda one: (one[1], one[0]), reverse=True)
        told = [{"id": key, "createdAt": stamp(at)} for key, at in newest if at < before]
        return httpx.Response(200, json=told[: int(query["limit"])])


def api(handler: Any, clock: VirtualClock | None = None, waits: list[float] | None = None) -> Api:
    clock = clock or VirtualClock(wall_ns=WALL)
    waits = [] if waits is None else waits
    http = httpx.Client(transport=httpx.MockTransport(handler))
    pacer = Pacer(clock, None, waits.append, random.Random(1))
    return Api(http, "http://vapi.example/vapi/", KEY, clock, pacer)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 200_000), min_size=0, max_size=350))
def test_a_list_is_read_whole_and_once_whatever_the_times(micros: list[int]) -> None:
    shop = Shop(micros)
    found = [item["id"] for page in pages(api(shop), "/call", {}) for item in page.items]
    assert sorted(found) == sorted(shop.made)


def test_a_list_of_equal_times_is_read_with_longer_pages() -> None:
    shop = Shop([0] * 350 + [5_000_000])
    found = [item["id"] for page in pages(api(shop), "/call", {}) for item in page.items]
    assert len(found) == len(set(found)) == 351
    with pytest.raises(RecorderError, match="more than 1000 items of 2026-11-01"):
        list(pages(api(Shop([0] * 1001)), "/call", {}))


@pytest.mark.parametrize("body", [b"{}", b"<html>", b"[1]", b'[{"id":"a"}]', b'[{"id":1}]'])
def test_what_is_no_list_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(RecorderError, match="GET /call is answered with what is no list"):
        list(pages(api(lambda request: httpx.Response(200, content=body)), "/call", {}))


def test_the_prefix_of_the_url_is_asked_for_and_not_told() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=[])

    exchange = api(handler).get("/call", {"limit": "1"})
    assert asked == ["/vapi/call"]
    assert (exchange.request.path, exchange.request.query) == ("/call", "limit=1")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), ("Sun, 01 Nov 2026 00:00:30 GMT", 30.0), ("soon", None)],
)
def test_retry_after_is_read_as_seconds_or_a_date(value: str, seconds: float | None) -> None:
    clock = VirtualClock(wall_ns=int(BEGAN.timestamp()) * 10**9)
    assert Pacer(clock, None).retry_after_s(value) == seconds


def test_retry_after_is_waited_for_and_a_long_one_is_not() -> None:
    waits: list[float] = []
    told = iter([("429", "12"), ("503", None), ("200", None)])

    def handler(request: httpx.Request) -> httpx.Response:
        status, after = next(told)
        return httpx.Response(int(status), headers={"retry-after": after} if after else {})

    found = api(handler, waits=waits)
    found.get("/call")
    assert waits[0] == 12
    assert 1 <= waits[1] <= 2
    assert (found.requests, found.waits) == (3, 2)
    hour = api(lambda request: httpx.Response(429, headers={"retry-after": "3600"}))
    with pytest.raises(RecorderError, match="pull again in 3600 s"):
        hour.get("/call")
    assert hour.requests == 1


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    bodies = iter([[b'[{"id"'], [b"[]"]])

    class Broken(httpx.SyncByteStream):
        def __init__(self, pieces: list[bytes]) -> None:
            self.pieces = pieces

        def __iter__(self) -> Any:
            yield from self.pieces
            if self.pieces != [b"[]"]:
                raise httpx.ReadError("connection lost")

    found = api(lambda request: httpx.Response(200, stream=Broken(next(bodies))))
    assert found.get("/call").received == b"[]"
    assert found.requests == 2


def test_errors_are_told_in_one_line_whatever_their_shape() -> None:
    for body in (b'{"message":["a","b"]}', b'{"message":null}', b"[1", b"\xff\n\x1b[31m", b"3"):
        with pytest.raises(RecorderError) as error:
            api(lambda request, body=body: httpx.Response(400, content=body)).get("/call")
        assert str(error.value).startswith("GET /call is answered with 400")
        assert str(error.value).isprintable()


def test_an_answer_is_the_same_but_for_its_signatures() -> None:
    one = b'{"a": 1, "presignedMonoUrl": "x", "u": "https://s/r.wav?X-Amz-Signature=1"}'
    two = b'{"u":"https://s/r.wav?X-Amz-Signature=2","presignedMonoUrl":"y","a":1}'
    assert digest(one) == digest(two)
    assert digest(one) != digest(two.replace(b'"a":1', b'"a":2'))
    assert digest(b"no json") != digest(b"no json either")


class Cleaner:
    def text(self, text: str) -> str:
        return redact_text(SECRETS, text)

    def marker(self, text: str) -> str:
        return marker(SECRETS, text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=3) | st.just("sk-" + "a1" * 9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "token", "controlUrl"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=examples(150), deadline=None)
@given(VALUES, VALUES)
def test_a_fresh_value_is_known_without_searching_only_if_its_digest_would_be(
    one: Any, other: Any
) -> None:
    def stored(value: Any) -> bytes:
        return redact_text(SECRETS, json.dumps(value)).encode()

    if is_same(stored(one), other, Cleaner()):
        assert digest(stored(one)) == digest(stored(other))
    urls = {"monitor": {"controlUrl": "https://x/secret"}, "cost": 0.1, "on": True}
    assert is_same(stored(urls), urls, Cleaner())
    assert not is_same(stored(urls), {**urls, "on": 1}, Cleaner())
    assert not is_same(stored(urls), {**urls, "monitor": {"controlUrl": "other"}}, Cleaner())


def test_stereo_is_preferred_and_what_is_not_told_is_not_asked_for() -> None:
    both = {"artifact": {"recording": {"stereoUrl": "x", "mono": {"combinedUrl": "y"}}}}
    mono = {"recordingUrl": "x", "artifact": {"logUrl": "z"}}
    assert list(artifacts(both, recordings=True)) == ["stereo-recording"]
    assert list(artifacts(both, recordings=False)) == []
    assert list(artifacts(mono, recordings=True)) == ["mono-recording", "call-logs"]
    assert list(artifacts({"artifact": None}, recordings=True)) == []


def test_analytics_are_of_whole_days() -> None:
    start = datetime(2026, 11, 1, 23, 59, tzinfo=UTC)
    asked = analytics(start, datetime(2026, 11, 3, 1, tzinfo=UTC))
    assert asked == analytics(start - timedelta(hours=20), datetime(2026, 11, 3, 22, tzinfo=UTC))
    for query in asked["queries"]:
        assert query["timeRange"]["start"] == "2026-11-01T00:00:00.000Z"
        assert query["timeRange"]["end"] == "2026-11-04T00:00:00.000Z"
