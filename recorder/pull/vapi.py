"""What there is to be pulled from Vapi: assistants, calls with what they left, and analytics.

Paths, queries and fields: Vapi's OpenAPI document and answers as seen. Lists have no cursor; they
come newest first and are read on by `createdAtLt`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from recorder.capture.importers.exchange import Exchange
from recorder.errors import RecorderError
from recorder.pull.client import Api

PAGE = 100
_LARGEST_PAGE = 1000  # Vapi's bound
_MS = timedelta(milliseconds=1)
_LOG = "call-logs"
_BREAKDOWN = ("transport", "stt", "llm", "tts", "vapi")
Json = dict[str, Any]


class Page(NamedTuple):
    """One answer of a list, and those of its items that were on no page before."""

    exchange: Exchange
    items: list[Json]


def pages(api: Api, path: str, query: Mapping[str, str]) -> Iterator[Page]:
    """A whole list, page by page, each item once.

    A time is told in milliseconds and may be kept more exactly, so the next page begins with the
    millisecond in which the last one ended. RecorderError for an answer that is no list, and for
    more items of one millisecond than a page may hold.
    """
    seen: set[str] = set()
    limit, before = PAGE, dict[str, str]()
    while True:
        exchange = api.get(path, {**query, **before, "limit": str(limit)})
        found = _list(exchange)
        fresh = [one for one in found if one["id"] not in seen]
        seen.update(one["id"] for one in fresh)
        yield Page(exchange, fresh)
        if len(found) < limit:
            return
        oldest = min(created(one) for one in found)
        following = {"createdAtLt": stamp(oldest + _MS)}
        if following == before and not fresh:
            if limit >= _LARGEST_PAGE:
                raise RecorderError(
                    f"GET {path} has more than {limit} items of {stamp(oldest)} and no way to read "
                    "on: pull single calls with --call ID"
                )
            limit = min(limit * 2, _LARGEST_PAGE)
        before = following


def created(item: Json) -> datetime:
    """When something was made."""
    return datetime.fromisoformat(item["createdAt"])


def stamp(at: datetime) -> str:
    """A time as Vapi writes it: `2026-11-23T10:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _list(exchange: Exchange) -> list[Json]:
    found = _json(exchange)
    is_list = isinstance(found, list) and all(
        isinstance(one, dict) and isinstance(one.get("id"), str) and _is_time(one.get("createdAt"))
        for one in found
    )
    if not is_list:
        raise RecorderError(f"{_name(exchange)} is answered with what is no list: see --vapi-url")
    return list(found)


def call(exchange: Exchange) -> Json:
    """The call of an answer; RecorderError if it is none."""
    found = _json(exchange)
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise RecorderError(f"{_name(exchange)} is answered with what is no call: see --vapi-url")
    return found


def _json(exchange: Exchange) -> Any:
    try:
        return json.loads(exchange.received)
    except (ValueError, RecursionError):
        return None


def _is_time(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _name(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.path}"


def artifacts(told: Json, *, recordings: bool) -> Iterator[str]:
    """The files that a call says it left, as the last part of their paths: the recording (in
    stereo, the customer left and the assistant right, else in mono), and the log."""
    artifact = _object(told, "artifact")
    both, mono = _object(artifact, "recording"), _object(artifact, "recording", "mono")
    if recordings:
        if any(
            (
                told.get("stereoRecordingUrl"),
                artifact.get("stereoRecordingUrl"),
                artifact.get("presignedStereoUrl"),
                both.get("stereoUrl"),
            )
        ):
            yield "stereo-recording"
        elif any(
            (
                told.get("recordingUrl"),
                artifact.get("recordingUrl"),
                artifact.get("presignedMonoUrl"),
                mono.get("combinedUrl"),
            )
        ):
            yield "mono-recording"
    if artifact.get("logUrl") or artifact.get("presignedLogUrl"):
        yield _LOG


def is_recording(name: str) -> bool:
    """Whether a file of `artifacts` is a recording."""
    return name != _LOG


def _object(value: Json, *path: str) -> Json:
    for key in path:
        found = value.get(key)
        value = found if isinstance(found, dict) else {}
    return value


def analytics(start: datetime, now: datetime) -> Json:
    """The body of `POST /analytics`: what calls cost and how they ended, over whole days (UTC)
    from that of `start` to that of `now`, so that it is the same for a day."""
    midnight = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    whole = {
        "start": stamp(start.astimezone(UTC).replace(**midnight)),  # type: ignore[arg-type]
        "end": stamp(now.astimezone(UTC).replace(**midnight) + timedelta(days=1)),  # type: ignore[arg-type]
        "timezone": "UTC",
    }
    count = {"operation": "count", "column": "id"}
    duration = {"operation": "sum", "column": "duration"}
    cost = {"operation": "sum", "column": "cost"}
    parts = [{"operation": "sum", "column": f"costBreakdown.{part}"} for part in _BREAKDOWN]
    by_day = {
        "table": "call",
        "name": "calls_by_day",
        "groupBy": ["assistantId"],
        "timeRange": {"step": "day", **whole},
        "operations": [count, duration, cost, *parts],
    }
    by_reason = {
        "table": "call",
        "name": "calls_by_ended_reason",
        "groupBy": ["endedReason"],
        "timeRange": whole,
        "operations": [count, duration, cost],
    }
    return {"queries": [by_day, by_reason]}
