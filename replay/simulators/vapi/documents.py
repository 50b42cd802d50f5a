"""A call as the service shows it: on creation, in webhooks, in its report, and to a later GET."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

from replay.simulators.common import arguments
from replay.simulators.vapi import costs
from replay.simulators.vapi.call import Call, Latency
from replay.simulators.vapi.errors import Json
from replay.simulators.vapi.ids import Mint, iso, moment

_PRESIGNED_S = 3600
FILES = {  # kind of artifact -> (name in its URL, ending)
    "mono": ("mono", "wav"),
    "stereo": ("stereo", "wav"),
    "customer": ("customer", "wav"),
    "assistant": ("assistant", "wav"),
    "log": ("log", "jsonl.gz"),
}
_ASKED = "assistantId assistant assistantOverrides assistantVersion customer customerId metadata"


def snapshot(call: Call) -> Json:
    """The call as it was created: the answer to the POST, and `call` in every webhook."""
    monitor = call.plan("monitorPlan") if call.assistant else {}
    urls: Json = {}
    if monitor.get("listenEnabled") is not False:
        urls["listenUrl"] = f"{call.base.ws}/{call.id}/listen"
    if monitor.get("controlEnabled") is not False:
        urls["controlUrl"] = f"{call.base.http}/{call.id}/control"
    asked = {key: call.asked[key] for key in _ASKED.split() if call.asked.get(key) is not None}
    return {
        "id": call.id,
        "orgId": call.org_id,
        "createdAt": iso(call.created_ms),
        "updatedAt": iso(call.created_ms),
        "type": "vapi.websocketCall",
        "cost": 0,
        "monitor": urls,
        "transport": {
            **call.transport,
            "websocketCallUrl": f"{call.base.ws}/{call.id}/transport",
        },
        "status": "queued",
        **({"name": call.asked["name"]} if call.asked.get("name") else {}),
        **asked,
    }


def head(call: Call) -> Json:
    """What a list is filtered by."""
    return {
        "id": call.id,
        "assistantId": call.asked.get("assistantId"),
        "createdAt": iso(call.created_ms),
        "updatedAt": iso(call.updated_ms),
    }


def shown(call: Call, now_ms: int) -> Json:
    """The answer to a GET: the end is seen once it was reported, analysis costs once settled."""
    document = snapshot(call)
    document["updatedAt"] = iso(call.updated_ms)
    document["status"] = visible_status(call)
    document.pop("name", None)
    if call.name is not None:
        document["name"] = call.name
    if call.started_ms is not None:
        document["startedAt"] = iso(call.started_ms)
    if not call.reported:
        return document
    told = {key: value for key, value in ending(call).items() if not key.startswith("duration")}
    left = {"analysis": analysis(call), "artifact": artifact(call, now_ms)}
    return {**document, **told, **left, **_words(call)}


def visible_status(call: Call) -> str:
    """The status that REST tells: a call that ended goes on until it has been reported."""
    if call.status != "ended" or call.reported:
        return call.status
    return "queued" if call.started_ms is None else "in-progress"


def ending(call: Call) -> Json:
    """When and why a call ended, and its cost as it stands."""
    found = costs.items(call)
    ms = call.duration_ms
    return {
        **({"startedAt": iso(call.started_ms)} if call.started_ms is not None else {}),
        "endedAt": iso(call.ended_ms or call.created_ms),
        "endedReason": call.ended_reason,
        "cost": costs.total(found),
        "costBreakdown": costs.breakdown(found),
        "costs": found,
        "durationMs": ms,
        "durationSeconds": ms / 1000,
        "durationMinutes": round(ms / 60_000, 4),
    }


def report(call: Call, now_ms: int) -> Json:
    """The fields of an `end-of-call-report`, in the order of the wire."""
    left = artifact(call, now_ms)
    return {"analysis": analysis(call), "artifact": left, **ending(call), **_words(call)}


def _words(call: Call) -> Json:
    """What a finished call repeats at its top level."""
    told = {
        "summary": analysis(call).get("summary", ""),
        "transcript": call.transcript(),
        "messages": call.history.items,
    }
    recordings = {f"{kind}Url": url(call, name) for kind, name in _RECORDINGS.items()}
    return {**told, **(recordings if has_recording(call) else {})}


_RECORDINGS = {"recording": "mono", "stereoRecording": "stereo"}


def has_recording(call: Call) -> bool:
    """Whether the call was recorded."""
    wanted = call.plan("artifactPlan").get("recordingEnabled") is not False
    return call.reported and call.started_ms is not None and wanted


def url(call: Call, kind: str) -> str:
    """Where an artifact lies; the same for the life of the call."""
    label, ending_ = FILES[kind]
    ids = Mint(f"{call.seed}/files/{kind}")
    stamp = call.ended_ms or call.created_ms
    return f"{call.base.http}/storage/{call.id}-{stamp}-{ids.uuid4()}-{label}.{ending_}"


def presigned(call: Call, kind: str, now_ms: int) -> str:
    """The same with a signature that ends."""
    plain, expires = url(call, kind), now_ms // 1000 + _PRESIGNED_S
    signature = hashlib.sha256(f"{call.seed}/{plain}/{expires}".encode()).hexdigest()
    return f"{plain}?X-Amz-Expires={_PRESIGNED_S}&X-Amz-Date={expires}&X-Amz-Signature={signature}"


def conversation(call: Call) -> Json:
    """The messages so far, in both shapes."""
    return {"messages": list(call.history.items), "messagesOpenAIFormatted": call.history.openai()}


def artifact(call: Call, now_ms: int) -> Json:
    """What a finished call left behind."""
    made = {**conversation(call), "transcript": call.transcript()}
    if has_recording(call):
        made |= {
            "recordingUrl": url(call, "mono"),
            "stereoRecordingUrl": url(call, "stereo"),
            "logUrl": url(call, "log"),
            "recording": {
                "stereoUrl": url(call, "stereo"),
                "mono": {
                    "combinedUrl": url(call, "mono"),
                    "assistantUrl": url(call, "assistant"),
                    "customerUrl": url(call, "customer"),
                },
            },
            **{f"presigned{kind.capitalize()}Url": presigned(call, kind, now_ms) for kind in FILES},
            "presignedUrlsExpiresAt": iso(now_ms + _PRESIGNED_S * 1000),
        }
    values = variables(call)
    return {
        **made,
        "nodes": [],
        "variables": values,
        "variableValues": values,
        "performanceMetrics": metrics(call),
        "scorecards": {},
        "transfers": [],
    }


def variables(call: Call) -> Json:
    """The values that prompts may use: the time of the call and the caller's own."""
    at = moment(call.started_ms or call.created_ms)
    overrides = call.asked.get("assistantOverrides") or {}
    clock = f"{at:%I:%M %p}".lstrip("0")
    return {
        "now": f"{at:%b} {at.day}, {at.year}, {clock} UTC",
        "currentDateTime": f"{at:%A, %B} {at.day}, {at.year} at {clock} UTC",
        "date": f"{at:%b} {at.day}, {at.year} UTC",
        "time": f"{clock} UTC",
        "year": str(at.year),
        "month": f"{at:%B}",
        "day": str(at.day),
        "transport": {"conversationType": "voice", **call.transport},
        **(overrides.get("variableValues") or {}),
    }


def metrics(call: Call) -> Json:
    """`performanceMetrics`: latencies by turn and on average; a counter of 0 is left out."""
    turns = call.latencies
    result: Json = {
        "turnLatencies": [
            {f"{name}Latency": getattr(turn, name) for name in Latency._fields} for turn in turns
        ]
    }
    for name in Latency._fields:
        values = [getattr(turn, name) for turn in turns]
        result[f"{name}LatencyAverage"] = _mean(values)
    if call.interruptions:
        result["numAssistantInterrupted"] = call.interruptions
    return {**result, "fromTransportLatencyAverage": 20, "toTransportLatencyAverage": 50}


def _mean(values: list[int]) -> float:
    mean = round(sum(values) / len(values), 2) if values else 0
    return int(mean) if mean == int(mean) else mean


def analysis(call: Call) -> Json:
    """What was found out about a call; empty where nothing was asked for."""
    made: Json = {}
    if costs.does_analyse(call, "summary"):
        asked, told = call.history.said("user"), call.history.said("bot")
        made["summary"] = f"The caller spoke {len(asked)} times, first saying: {asked[0]} " + (
            f"The assistant ended with: {told[-1]}" if told else "The assistant said nothing."
        )
    if costs.does_analyse(call, "structuredData"):
        made["structuredData"] = _data(call)
    if costs.does_analyse(call, "successEvaluation"):
        made["successEvaluation"] = "true" if call.history.said("bot") else "false"
    return made


def _data(call: Call) -> Any:
    schema = (call.plan("analysisPlan").get("structuredDataPlan") or {}).get("schema")
    said = " ".join(call.history.said("user"))
    return json.loads(arguments.write(schema, said, random.Random(call.seed)))
