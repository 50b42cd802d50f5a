"""POST /analytics: sums, counts and the like over the calls.

Without a `step` the whole range is one bucket; a bucket without calls is missing. A call
that has not been reported costs 0 yet. The unit of
`duration` is stated nowhere; here it is seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from replay.simulators.vapi import costs, documents, names
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.errors import Json, Refusal
from replay.simulators.vapi.ids import iso, moment
from replay.simulators.vapi.query import instant
from replay.simulators.vapi.schema import checked, choice, choices, listing, record, string

ANALYTICS = record(
    {
        "queries": listing(
            record(
                {
                    "table": choice("call", "subscription"),
                    "name": string(40),
                    "groupBy": choices(
                        (
                            "type",
                            "assistantId",
                            "endedReason",
                            "analysis.successEvaluation",
                            "status",
                        )
                    ),
                    "groupByVariableValue": listing(record({"key": string()}, ("key",))),
                    "timeRange": record(
                        {
                            "step": choice(*names.STEPS),
                            "start": string(),
                            "end": string(),
                            "timezone": string(),
                        }
                    ),
                    "operations": listing(
                        record(
                            {
                                "operation": choice("sum", "avg", "count", "min", "max", "history"),
                                "column": choice(*names.COLUMNS),
                                "alias": string(40),
                            },
                            ("operation", "column"),
                        )
                    ),
                },
                ("table", "name", "operations"),
            )
        )
    },
    ("queries",),
)
_WEEK = timedelta(days=7)
_YEARS = {"year": 1, "decade": 10, "century": 100, "millennium": 1000}
Row = tuple[datetime, Json]


def run(calls: Iterable[Call], body: Any, now_ms: int) -> list[Json]:
    """The answers to all queries of a request; Refusal for one that cannot be."""
    queries = checked(ANALYTICS, body)["queries"]
    known = list(calls)
    rows = [(moment(call.created_ms), _row(call)) for call in known]
    spans = [
        (call.started_ms, call.ended_ms or now_ms) for call in known if call.started_ms is not None
    ]
    return [_answer(query, rows, spans, now_ms) for query in queries]


def _row(call: Call) -> Json:
    """The columns of one call."""
    parts = costs.breakdown(costs.items(call) if call.reported else [])
    seconds = call.duration_ms / 1000
    columns = {f"costBreakdown.{name}": value for name, value in parts.items()}
    return {
        **columns,
        "costBreakdown.transcriber": parts["stt"],
        "costBreakdown.analysisBreakdown.summary": parts["analysisCostBreakdown"]["summary"],
        "id": call.id,
        "cost": parts["total"],
        "duration": seconds,
        "minutesUsed": seconds / 60,
        "type": "vapi.websocketCall",
        "status": documents.visible_status(call),
        "assistantId": call.asked.get("assistantId"),
        "endedReason": call.ended_reason if call.reported else None,
        "analysis.successEvaluation": documents.analysis(call).get("successEvaluation"),
        "variables": documents.variables(call),
    }


def _answer(
    query: Json, rows: Sequence[Row], spans: Sequence[tuple[int, int]], now_ms: int
) -> Json:
    asked = query.get("timeRange") or {}
    end = instant(asked["end"], "end") if asked.get("end") else moment(now_ms)
    start = instant(asked["start"], "start") if asked.get("start") else end - _WEEK
    zone = _zone(asked.get("timezone") or "UTC")
    step = asked.get("step")
    chosen = [(at, row) for at, row in rows if start <= at <= end]
    result = [
        {**_dated(bucket), **dict(key), **_operations(query, group, spans)}
        for (bucket, key), group in _grouped(query, chosen, step, zone).items()
    ]
    told = {"start": _iso(start), "end": _iso(end), "timezone": str(zone)}
    return {
        "name": query["name"],
        "timeRange": {**({"step": step} if step else {}), **told},
        "result": result,
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Refusal(400, ["timezone must be a valid IANA time-zone"]) from None


def _iso(at: datetime) -> str:
    return iso(round(at.timestamp() * 1000))


def _dated(bucket: datetime | None) -> Json:
    return {} if bucket is None else {"date": _iso(bucket)}


_Key = tuple[datetime | None, tuple[tuple[str, Any], ...]]


def _grouped(
    query: Json, rows: Sequence[Row], step: str | None, zone: ZoneInfo
) -> dict[_Key, list[Json]]:
    """The rows by bucket and group, in the order of time."""
    names = query.get("groupBy") or []
    values = [one["key"] for one in query.get("groupByVariableValue") or []]
    groups: dict[_Key, list[Json]] = {}
    for at, row in sorted(rows, key=lambda one: one[0]):
        bucket = None if step is None else _bucket(at.astimezone(zone), step)
        named = [(name, row[name]) for name in names]
        varied = [(f"variableValues.{name}", str(row["variables"].get(name))) for name in values]
        groups.setdefault((bucket, (*named, *varied)), []).append(row)
    return groups


def _bucket(at: datetime, step: str) -> datetime:
    """The beginning of the step in which a time lies, on the calendar of its zone."""
    at = at.replace(microsecond=0)
    if step == "second":
        return at
    at = at.replace(second=0)
    if step == "minute":
        return at
    at = at.replace(minute=0)
    if step == "hour":
        return at
    at = at.replace(hour=0)
    if step == "day":
        return at
    if step == "week":
        return at - timedelta(days=at.weekday())
    at = at.replace(day=1)
    if step == "month":
        return at
    if step == "quarter":
        return at.replace(month=(at.month - 1) // 3 * 3 + 1)
    width = _YEARS[step]
    return at.replace(month=1, year=max(1, at.year // width * width))


def _operations(query: Json, rows: Sequence[Json], spans: Sequence[tuple[int, int]]) -> Json:
    result: Json = {}
    for one in query["operations"]:
        operation, column = one["operation"], one["column"]
        last = column.rpartition(".")[2]
        alias = one.get("alias") or operation + last[0].upper() + last[1:]
        if column == "concurrency":
            values: list[Any] = [_concurrency(spans)]
        else:
            values = [row[column] for row in rows if row.get(column) is not None]
        result[alias] = _OPERATIONS[operation](values)
    return result


def _concurrency(spans: Sequence[tuple[int, int]]) -> int:
    """The most calls at once."""
    edges = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = held = 0
    for _, change in edges:
        held += change
        most = max(most, held)
    return most


def _total(values: Sequence[Any]) -> float:
    numbers = [value for value in values if isinstance(value, int | float)]
    return round(sum(numbers), 6)


def _average(values: Sequence[Any]) -> float:
    return round(_total(values) / len(values), 6) if values else 0


_OPERATIONS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "sum": _total,
    "avg": _average,
    "count": len,
    "min": lambda values: min(values, default=0),
    "max": lambda values: max(values, default=0),
    "history": list,
}
