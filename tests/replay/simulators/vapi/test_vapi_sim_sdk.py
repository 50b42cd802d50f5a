"""The official Python SDK over the simulated Vapi, in one process.

Runs where `vapi_server_sdk` is installed and `RECORDER_SDK` is set: the SDK takes half a minute to
build its types. It validates nothing by itself, so the types are asked to.
"""

from __future__ import annotations

import json
import os
from typing import Any

import httpx
import pytest
from vapi_world import HOST, SERVER, World

from recorder.audio import pcm
from recorder.trial.steps import AwaitReply, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options

pytestmark = pytest.mark.skipif(
    not os.environ.get("RECORDER_SDK"), reason="RECORDER_SDK is not set"
)


def client(world: World) -> Any:
    vapi = pytest.importorskip("vapi")

    def handle(request: httpx.Request) -> httpx.Response:
        headers = tuple((name.decode(), text.decode()) for name, text in request.headers.raw)
        body = json.loads(request.content) if request.content else None
        path = request.url.raw_path.decode()
        answer = world.rest(request.method, path, body, headers=headers)
        if not answer.status:
            raise httpx.ConnectError("broken", request=request)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)

    http = httpx.Client(transport=httpx.MockTransport(handle))
    return vapi.Vapi(token="key", base_url=f"http://{HOST[1]}", httpx_client=http)


def strictly(model: Any, raw: bytes | dict[str, Any]) -> None:
    """Pydantic's own validation of a body against the SDK's type."""
    data = json.loads(raw) if isinstance(raw, bytes) else raw
    model.model_validate(data)


def test_the_sdk_holds_a_whole_story() -> None:
    world = World(Options(transcripts=("Good morning.",), history=5))
    sdk = client(world)
    made = sdk.assistants.create(name="Desk", first_message="Hello.", server={"url": SERVER})
    assert (made.name, made.first_message) == ("Desk", "Hello.")
    changed = sdk.assistants.update(made.id, name="Front")
    assert changed.name == sdk.assistants.get(made.id).name == "Front"
    assert made.id in {one.id for one in sdk.assistants.list()}
    created = sdk.calls.create(
        assistant_id=made.id, transport={"provider": "vapi.websocket"}, name="one"
    )
    assert (created.type, created.status, created.name) == ("vapi.websocketCall", "queued", "one")
    call = {"transport": {"websocketCallUrl": created.transport.websocketCallUrl}}
    steps: list[Step] = [
        AwaitReply(),
        Speak(pcm.to_bytes(synthesise("Good morning to you"))),
        AwaitReply(),
    ]
    _, speaker = world.speak(call, steps)
    assert speaker.failed is None
    world.wait(20)
    done = sdk.calls.get(created.id)
    assert (done.status, done.ended_reason) == ("ended", "customer-ended-call")
    kinds = [item.type for item in done.costs]
    assert kinds == [
        "transcriber",
        "model",
        "voice",
        "vapi",
        "analysis",
        "analysis",
        "knowledge-base",
    ]
    assert done.cost == done.cost_breakdown.total
    assert [one.role for one in done.messages] == ["bot", "user", "bot"]
    assert len(done.artifact.performance_metrics.turn_latencies) == 1
    listed = sdk.calls.list(limit=3)
    assert [one.id for one in listed[:1]] == [done.id]
    query = {
        "table": "call",
        "name": "n",
        "operations": [{"operation": "count", "column": "id"}],
    }
    (counted,) = sdk.analytics.get(queries=[query])
    assert counted.result == [{"countId": 6}]
    assert sdk.calls.update(done.id, name="two").name == "two"
    assert sdk.calls.delete(done.id).id == done.id
    assert sdk.assistants.delete(made.id).id == made.id


def test_the_sdk_sees_refusals_and_retries() -> None:
    world = World(Options(faults={1: 503, 2: 0}))
    sdk = client(world)
    core = pytest.importorskip("vapi.core.api_error")
    assert sdk.assistants.list() == []
    with pytest.raises(core.ApiError) as refused:
        sdk.assistants.get("00000000-0000-4000-8000-000000000000")
    assert refused.value.status_code == 404
    assert refused.value.body["statusCode"] == 404
    with pytest.raises(core.ApiError) as refused:
        sdk.assistants.create(name="x" * 41)
    assert refused.value.status_code == 400


def test_bodies_are_valid_for_the_sdk_s_types() -> None:
    pytest.importorskip("vapi")
    from vapi.types.analytics_query_result import AnalyticsQueryResult
    from vapi.types.assistant import Assistant
    from vapi.types.call import Call

    world = World(Options(history=3))
    world.rest("POST", "/assistant", {"firstMessage": "Hello."})
    for body in world.rest("GET", "/assistant").json:
        strictly(Assistant, body)
    for body in world.rest("GET", "/call").json:
        strictly(Call, body)
    queries = [
        {"table": "call", "name": "n", "operations": [{"operation": "sum", "column": "cost"}]}
    ]
    for body in world.rest("POST", "/analytics", {"queries": queries}).json:
        strictly(AnalyticsQueryResult, body)
