"""Analytics of the simulated Vapi over the calls of its past."""

from __future__ import annotations

from typing import Any

import pytest
from vapi_world import World

from replay.simulators.vapi import Options

HISTORY = Options(history=30)


def test_analytics_add_up_the_calls() -> None:
    world = World(HISTORY)
    calls = world.rest("GET", "/call").json
    operations = [
        {"operation": "sum", "column": "cost"},
        {"operation": "count", "column": "id"},
        {"operation": "avg", "column": "duration", "alias": "mean"},
        {"operation": "max", "column": "costBreakdown.ttsCharacters"},
    ]
    queries = [
        {"table": "call", "name": "all", "operations": operations},
        {"table": "call", "name": "why", "groupBy": ["endedReason"], "operations": operations[:2]},
    ]
    whole, by_reason = world.rest("POST", "/analytics", {"queries": queries}).json
    total = sum(call["cost"] for call in calls)
    assert (whole["name"], len(whole["result"])) == ("all", 1)
    row = whole["result"][0]
    assert set(row) == {"sumCost", "countId", "mean", "maxTtsCharacters"}
    assert row["sumCost"] == pytest.approx(total)
    assert row["countId"] == 30
    assert row["maxTtsCharacters"] == max(c["costBreakdown"]["ttsCharacters"] for c in calls)
    minutes = [call["costs"][3]["minutes"] for call in calls]
    assert row["mean"] == pytest.approx(60 * sum(minutes) / 30, abs=0.01)
    groups = {one["endedReason"]: one["countId"] for one in by_reason["result"]}
    reasons = [call["endedReason"] for call in calls]
    assert groups == {reason: reasons.count(reason) for reason in set(reasons)}
    assert sum(one["sumCost"] for one in by_reason["result"]) == pytest.approx(total)


def test_analytics_by_step_leave_out_empty_buckets() -> None:
    world = World(HISTORY)
    created = [call["createdAt"] for call in world.rest("GET", "/call").json]
    query = {
        "table": "call",
        "name": "hours",
        "timeRange": {"step": "hour", "timezone": "UTC"},
        "operations": [{"operation": "count", "column": "id"}],
    }
    answer = world.rest("POST", "/analytics", {"queries": [query]}).json[0]
    assert answer["timeRange"]["step"] == "hour"
    counted = {row["date"]: row["countId"] for row in answer["result"]}
    hours = [f"{at[:13]}:00:00.000Z" for at in created]
    assert counted == {hour: hours.count(hour) for hour in set(hours)}
    query["timeRange"] = {"start": created[4], "end": created[0]}
    answer = world.rest("POST", "/analytics", {"queries": [query]}).json[0]
    assert [row["countId"] for row in answer["result"]] in ([4], [5])
    assert "date" not in answer["result"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": "chat"}, "queries.0.table must be one of the following values: call, "),
        ({"extra": 1}, "queries.0.property extra should not exist"),
        ({"timeRange": {"start": "soon"}}, "start must be a valid ISO 8601 date string"),
        ({"timeRange": {"timezone": "Mars"}}, "timezone must be a valid IANA time-zone"),
    ],
)
def test_an_impossible_analysis_is_refused(change: Any, message: str) -> None:
    query = {
        "table": "call",
        "name": "x",
        "operations": [{"operation": "count", "column": "id"}],
        **change,
    }
    refused = World(HISTORY).rest("POST", "/analytics", {"queries": [query]})
    assert refused.status == 400
    assert refused.json["message"][0].startswith(message)
