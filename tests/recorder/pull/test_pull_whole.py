"""A whole account is pulled: complete, in the right number of requests, once."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest
from pull_world import World, many_calls

from recorder.pull.client import Refused, Unanswered
from recorder.pull.puller import Wish
from recorder.verify import verify
from replay.simulators.vapi import Options

PAGES = 11  # of 100, each beginning with the millisecond in which the one before ended


class Stopped(BaseException):
    """The program ends here, whatever it was doing."""


def stop_at(world: World, number: int) -> None:
    def before(count: int) -> None:
        if count == number:
            raise Stopped

    world.wire.before = before


def go_on(world: World) -> None:
    world.wire.before = lambda count: None


def assert_each_call_once(world: World, count: int) -> None:
    rows = world.calls()
    assert len(rows) == count
    for key, row in rows.items():
        told = world.told(row)
        assert [each.request.path for each in told] == [f"/call/{key}"]
        assert json.loads(told[0].received)["id"] == key
        assert row.status == "complete"


@pytest.mark.slow
def test_a_thousand_calls_through_429s_a_503_and_a_broken_connection() -> None:
    made = 1 + 1000
    faults = {made + 300: 0, made + 500: 503}
    world = many_calls(1000, faults=faults, rate_limit=400)
    tally = world.pull()
    assert (tally.fresh, tally.same, tally.problems) == (1000, 0, [])
    assert_each_call_once(world, 1000)
    by_status = Counter(each.status for each in world.wire.asked)
    good = 1 + PAGES + 1000 + 1  # assistants, the list, each call, analytics
    assert by_status == {200: good, 0: 1, 503: 1, 429: by_status[429]}
    assert by_status[429] == 2  # one a window: Retry-After is obeyed
    assert len(world.waits) == 4
    asked = world.wire.asked
    for before, after in pairwise(asked):
        if before.status != 200:
            assert after[:3] == before[:3]


def test_429_without_retry_after_is_waited_out() -> None:
    world = many_calls(20, rate_limit=25, retry_after=False)
    world.pull()
    world.pull()
    assert {each.status for each in world.wire.asked} == {200, 429}
    assert_each_call_once(world, 20)
    assert all(0 < seconds <= 30 for seconds in world.waits)


def test_again_at_once_adds_nothing() -> None:
    world = many_calls(110)
    world.pull()
    before = world.digests()
    tally = world.pull()
    assert (tally.fresh, tally.changed, tally.same) == (0, 0, 110)
    assert world.digests() == before
    assert len(world.wire.asked) == 1 + 2 + 1


@pytest.mark.parametrize("number", [1, 3, 4, 12, 23])
def test_stopped_and_run_again_it_neither_repeats_nor_misses(number: int) -> None:
    world = many_calls(20)
    stop_at(world, number)
    with pytest.raises(Stopped):
        world.pull()
    have = len(world.calls())
    assert have == max(number - 3, 0)
    go_on(world)
    tally = world.pull()
    assert (tally.fresh, tally.same) == (20 - have, have)
    assert len(world.wire.asked) == 1 + 1 + (20 - have) + 1
    assert_each_call_once(world, 20)


def test_stopped_among_the_files_of_a_call() -> None:
    for number in range(3, 13):
        world = World(Options(history=2))
        stop_at(world, number)
        with pytest.raises(Stopped):
            world.pull()
        go_on(world)
        world.pull()
        for key, row in world.calls().items():
            paths = Counter(each.request.path for each in world.told(row))
            assert len(paths) == 5
            assert set(paths.values()) == {1}
            assert paths[f"/call/{key}/stereo-recording"] == 1
            assert verify(world.store, row).fault is None


def test_what_changed_since_is_added_behind_what_was_there() -> None:
    world = many_calls(3)
    world.pull()
    before = {row.id: list(world.store.events(row.id)) for row in world.store.sessions()}
    key = sorted(world.calls())[1]
    world.rest("PATCH", f"/call/{key}", {"name": "Renamed"})
    tally = world.pull()
    assert (tally.changed, tally.same) == (1, 2)
    row = world.calls()[key]
    events = list(world.store.events(row.id))
    assert events[: len(before[row.id])] == before[row.id]
    first, second = world.told(row)
    assert json.loads(second.received)["name"] == "Renamed"
    assert "name" not in json.loads(first.received)
    assert len(world.calls()) == 3


def test_the_oldest_call_is_the_oldest_session() -> None:
    world = many_calls(5)
    world.pull()
    made = [json.loads(world.told(row)[0].received)["createdAt"] for row in world.calls().values()]
    assert made == sorted(made)


def test_since_and_assistant_narrow_what_is_asked_for() -> None:
    world = many_calls(10)
    calls = world.rest("GET", "/call")
    world.pull(Wish(since=None, assistant=calls[0]["assistantId"]))
    assert len(world.calls()) == 10
    assert [each.path for each in world.wire.asked[:2]] == [
        f"/assistant/{calls[0]['assistantId']}",
        "/call",
    ]
    assert "/analytics" not in {each.path for each in world.wire.asked}


def test_only_the_calls_that_were_named() -> None:
    world = many_calls(4)
    key = world.rest("GET", "/call")[2]["id"]
    tally = world.pull(Wish(calls=(key.upper(), key)))
    assert list(world.calls()) == [key]
    assert (tally.fresh, len(world.wire.asked)) == (1, 1)
    tally = world.pull(Wish(calls=(key, "00000000-0000-7000-8000-000000000000")))
    assert tally.same == 1
    assert len(tally.problems) == 1
    assert "404" in tally.problems[0]


def test_assistants_and_analytics_are_kept_in_the_control_session_once() -> None:
    world = many_calls(2)
    world.pull()
    told = world.told(world.control())
    assert [each.request.path for each in told] == ["/assistant", "/analytics"]
    assert json.loads(told[0].received)[0]["name"] == "Desk"
    sums = json.loads(told[1].received)
    assert sum(row["countId"] for row in sums[0]["result"]) == 2
    assert [row["endedReason"] for row in sums[1]["result"]] == [
        "call.in-progress.error-assistant-did-not-receive-customer-audio"
    ]
    world.rest("POST", "/assistant", {"name": "Other"})
    world.pull()
    assert [each.request.path for each in world.told(world.control())] == [
        "/assistant",
        "/analytics",
        "/assistant",
    ]


def test_a_service_that_stays_down_is_given_up_and_what_came_is_kept() -> None:
    made = 1 + 5
    world = many_calls(5, faults=dict.fromkeys(range(made + 5, made + 40), 503))
    with pytest.raises(Unanswered, match="503 at try 8"):
        world.pull()
    assert len(world.calls()) == 2
    assert 45 < sum(world.waits) <= 121


def test_a_connection_that_cannot_be_had_is_given_up_sooner() -> None:
    world = many_calls(1, faults=dict.fromkeys(range(3, 20), 0))
    with pytest.raises(Unanswered, match="after 4 tries"):
        world.pull()
    assert sum(world.waits) <= 7


def test_a_wrong_key_ends_it_with_one_line() -> None:
    world = World(Options(keys=frozenset({"another-key-of-this-account"})))
    with pytest.raises(Refused, match=r"401 \(Invalid Key.*private key of this account") as error:
        world.pull()
    assert error.value.exit_code == 2
    assert world.store.sessions() == []


def test_a_rate_is_kept() -> None:
    world = many_calls(20)
    began = world.clock.now_ns()
    world.pull(rate=10)
    requests = len(world.wire.asked)
    assert world.clock.now_ns() - began >= (requests - 1) * 0.1e9
