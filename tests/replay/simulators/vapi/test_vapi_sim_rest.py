"""REST of the simulated Vapi: resources, refusals in its words, lists and limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from vapi_world import HOST, KEY, SERVER, World

from recorder.errors import RecorderError
from replay.simulators import SIMULATORS
from replay.simulators.vapi import Options, VapiSimulator

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ASSISTANT = {
    "name": "Desk",
    "firstMessage": "Hello.",
    "model": {"provider": "openai", "model": "gpt-4.1", "temperature": 0.5},
    "voice": {"provider": "vapi", "voiceId": "Elliot"},
}
HISTORY = Options(history=30)


def test_it_is_listed_by_name() -> None:
    assert SIMULATORS["vapi"] is VapiSimulator


def test_an_assistant_lives_from_post_to_delete() -> None:
    world = World()
    made = world.rest("POST", "/assistant", ASSISTANT)
    assert made.status == 201
    assistant = made.json
    assert {**assistant, **ASSISTANT} == assistant
    assert set(assistant) - set(ASSISTANT) == {
        "id",
        "orgId",
        "createdAt",
        "updatedAt",
        "isServerUrlSecretSet",
    }
    path = f"/assistant/{assistant['id']}"
    assert world.rest("GET", path).json == assistant
    assert world.rest("GET", "/assistant").json == [assistant]
    deleted = world.rest("DELETE", path)
    assert (deleted.status, deleted.json) == (200, assistant)
    assert world.rest("GET", path).status == 404
    assert world.rest("GET", "/assistant").json == []


def test_patch_replaces_top_level_keys_whole_and_keeps_null() -> None:
    world = World()
    assistant = world.rest("POST", "/assistant", ASSISTANT).json
    world.wait(2)
    path = f"/assistant/{assistant['id']}"
    changed = world.rest("PATCH", path, {"model": {"provider": "groq"}, "voice": None}).json
    assert changed["model"] == {"provider": "groq"}
    assert changed["voice"] is None
    assert changed["name"] == "Desk"
    assert "transcriber" not in changed
    assert changed["createdAt"] == assistant["createdAt"] < changed["updatedAt"]


def test_the_legacy_secret_is_never_shown() -> None:
    world = World()
    body = {"serverUrl": SERVER, "serverUrlSecret": "s3cret-value"}
    made = world.rest("POST", "/assistant", body)
    assert made.json["isServerUrlSecretSet"] is True
    assert b"s3cret-value" not in made.body


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"colour": 1}, "property colour should not exist"),
        ({"id": UNKNOWN}, "property id should not exist"),
        ({"name": 3}, "name must be a string"),
        ({"name": "x" * 41}, "name must be shorter than or equal to 40 characters"),
        ({"maxDurationSeconds": 9}, "maxDurationSeconds must not be less than 10"),
        (
            {"stopSpeakingPlan": {"voiceSeconds": 0.6}},
            "stopSpeakingPlan.voiceSeconds must not be greater than 0.5",
        ),
        ({"stopSpeakingPlan": {"x": 1}}, "stopSpeakingPlan.property x should not exist"),
        ({"model": {"provider": "openai", "x": 1}}, "model.property x should not exist"),
        (
            {"model": {"provider": "openai", "tools": [{"type": "function", "x": 1}]}},
            "model.tools.0.property x should not exist",
        ),
        ({"server": {"url": 3}}, "server.url must be a string"),
        ({"hooks": {}}, "hooks must be an array"),
        ({"serverMessages": "hang"}, "serverMessages must be an array"),
        (
            {"monitorPlan": {"listenEnabled": 1}},
            "monitorPlan.listenEnabled must be a boolean value",
        ),
        (
            {"firstMessageMode": "never"},
            "firstMessageMode must be one of the following values: assistant-speaks-first, "
            "assistant-speaks-first-with-model-generated-message, assistant-waits-for-user",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_the_service_s_words(body: Any, message: str) -> None:
    refused = World().rest("POST", "/assistant", body)
    assert refused.status == 400
    assert refused.json == {"message": [message], "error": "Bad Request", "statusCode": 400}


def test_all_that_is_wrong_is_told_at_once() -> None:
    refused = World().rest("POST", "/assistant", {"a": 1, "b": 2, "name": None})
    assert refused.json["message"] == [
        "property a should not exist",
        "property b should not exist",
    ]


def test_a_transient_assistant_is_checked_inside_its_call() -> None:
    body = {"transport": {"provider": "vapi.websocket"}, "assistant": {"nope": 1}}
    refused = World().rest("POST", "/call", body)
    assert refused.json["message"] == ["assistant.property nope should not exist"]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ((HOST,), "Missing Authorization Header."),
        ((HOST, ("authorization", "Bearer wrong")), "Invalid Key. Hot tip,"),
        ((HOST, ("authorization", "Basic a2V5")), "Invalid Key. Hot tip,"),
    ],
)
def test_who_has_no_key_gets_401(headers: Any, message: str) -> None:
    world = World(Options(keys=frozenset({"right"})))
    refused = world.rest("GET", "/assistant", headers=headers)
    assert refused.status == 401
    assert refused.json["message"].startswith(message)
    assert refused.json["statusCode"] == 401
    right = (HOST, ("authorization", "Bearer right"))
    assert world.rest("GET", "/assistant", headers=right).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/assistant/{UNKNOWN}"),
        ("PATCH", f"/assistant/{UNKNOWN}"),
        ("DELETE", f"/tool/{UNKNOWN}"),
        ("GET", f"/call/{UNKNOWN}"),
        ("GET", f"/call/{UNKNOWN}/mono-recording"),
        ("POST", f"/{UNKNOWN}/control"),
        ("GET", f"/storage/{UNKNOWN}-1-{UNKNOWN}-mono.wav"),
        ("GET", "/nothing/here"),
        ("PUT", "/assistant"),
    ],
)
def test_what_is_not_there_is_404(method: str, path: str) -> None:
    headers = (HOST,) if path.startswith("/storage") else (KEY, HOST)
    refused = World().rest(method, path, {}, headers=headers)
    assert refused.status == 404
    assert set(refused.json) == {"message", "error", "statusCode"}


def test_a_body_that_is_not_json_is_refused() -> None:
    world = World()
    assert world.rest("POST", "/assistant", [1]).status == 400


def test_what_others_hold_on_to_cannot_be_deleted() -> None:
    world = World()
    tool = world.rest("POST", "/tool", {"type": "function", "function": {"name": "f"}}).json
    body = {**ASSISTANT, "model": {"provider": "openai", "toolIds": [tool["id"]]}}
    assistant = world.rest("POST", "/assistant", body).json
    refused = world.rest("DELETE", f"/tool/{tool['id']}")
    assert (refused.status, refused.json["error"]) == (409, "tool_pinned")
    call = world.create(assistantId=assistant["id"])
    refused = world.rest("DELETE", f"/assistant/{assistant['id']}")
    assert (refused.status, refused.json["error"]) == (409, "assistant_pinned")
    world.rest("DELETE", f"/call/{call['id']}")
    assert world.rest("DELETE", f"/assistant/{assistant['id']}").status == 200
    assert world.rest("DELETE", f"/tool/{tool['id']}").status == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"assistantId": UNKNOWN}, "Couldn't Get Phone Number. Need Either"),
        (
            {"assistantId": UNKNOWN, "transport": {"provider": "daily"}},
            "Couldn't Get Phone Number. Need Either",
        ),
        ({"transport": {"provider": "vapi.websocket"}}, "Couldn't Get Assistant."),
        (
            {
                "transport": {"provider": "vapi.websocket"},
                "assistantId": UNKNOWN,
                "assistant": {},
            },
            "Give only one of",
        ),
    ],
)
def test_a_call_that_cannot_be_is_refused(fields: Any, message: str) -> None:
    refused = World().rest("POST", "/call", fields)
    assert refused.status == 400
    assert refused.json["message"].startswith(message)


def test_no_more_calls_at_once_than_slots() -> None:
    world = World(Options(concurrency=2))
    first = world.create(assistant={})
    assert first["subscriptionLimits"]["remainingConcurrentCalls"] == 1
    world.create(assistant={})
    body = {"assistant": {}, "transport": {"provider": "vapi.websocket"}}
    refused = world.rest("POST", "/call", body)
    assert (refused.status, refused.json["message"]) == (400, "Over Concurrency Limit")
    world.rest("DELETE", f"/call/{first['id']}")
    assert world.rest("POST", "/call", body).status == 201


def test_too_many_requests_wait_for_the_end_of_the_window() -> None:
    world = World(Options(rate_limit=2, rate_window_s=21))
    assert [world.rest("GET", "/assistant").status for _ in range(3)] == [200, 200, 429]
    world.wait(5.5)
    refused = world.rest("GET", "/assistant")
    assert (refused.status, refused.headers["retry-after"]) == (429, "16")
    world.wait(16)
    assert world.rest("GET", "/assistant").status == 200


def test_a_limit_may_say_nothing_about_when() -> None:
    world = World(Options(rate_limit=1, retry_after=False))
    world.rest("GET", "/assistant")
    refused = world.rest("GET", "/assistant")
    assert refused.status == 429
    assert "retry-after" not in refused.headers


def test_requests_fail_where_they_are_told_to() -> None:
    world = World(Options(faults={2: 503, 3: 0}))
    assert [world.rest("GET", "/assistant").status for _ in range(4)] == [200, 503, 0, 200]


@pytest.mark.parametrize(
    "wrong",
    [
        {"concurrency": 0},
        {"model_ms": -1},
        {"rate_limit": 0},
        {"server": {}},
        {"history": -1},
        {"faults": {1: 200}},
    ],
)
def test_impossible_options_are_refused(wrong: Any) -> None:
    with pytest.raises(RecorderError):
        Options(**wrong)


def test_calls_are_listed_newest_first_within_bounds() -> None:
    world = World(HISTORY)
    calls = world.rest("GET", "/call").json
    times = [call["createdAt"] for call in calls]
    assert len(calls) == 30
    assert times == sorted(times, reverse=True)
    middle = times[9]
    assert len(world.rest("GET", f"/call?createdAtGt={middle}").json) == 9
    assert len(world.rest("GET", f"/call?createdAtGe={middle}").json) == 10
    assert len(world.rest("GET", f"/call?createdAtLe={middle}").json) == 21
    page = world.rest("GET", f"/call?createdAtLt={middle}&limit=5").json
    assert page == calls[10:15]
    assert world.rest("GET", f"/call?id={calls[3]['id']}").json == [calls[3]]
    assert world.rest("GET", f"/call?assistantId={UNKNOWN}").json == []
    assert world.rest("GET", "/call?limit=0").json == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=1001", "limit must not be greater than 1000"),
        ("limit=all", "limit must be a number conforming to the specified constraints"),
        ("page=2", "property page should not exist"),
        ("createdAtGt=today", "createdAtGt must be a valid ISO 8601 date string"),
    ],
)
def test_a_query_that_cannot_be_is_refused(query: str, message: str) -> None:
    refused = World().rest("GET", f"/call?{query}")
    assert (refused.status, refused.json["message"]) == (400, [message])


def test_only_the_name_of_a_call_can_be_changed() -> None:
    world = World(HISTORY)
    key = world.rest("GET", "/call?limit=1").json[0]["id"]
    assert world.rest("PATCH", f"/call/{key}", {"name": "Mine"}).json["name"] == "Mine"
    assert world.rest("GET", f"/call/{key}").json["name"] == "Mine"
    refused = world.rest("PATCH", f"/call/{key}", {"cost": 0})
    assert refused.json["message"] == ["property cost should not exist"]


def test_a_deleted_call_is_gone() -> None:
    world = World(HISTORY)
    call = world.rest("GET", "/call?limit=1").json[0]
    assert world.rest("DELETE", f"/call/{call['id']}").json["id"] == call["id"]
    assert world.rest("GET", f"/call/{call['id']}").status == 404


def test_a_recording_is_fetched_by_a_redirect_without_the_key() -> None:
    world = World(HISTORY)
    call = world.rest("GET", "/call?limit=1").json[0]
    moved = world.rest("GET", f"/call/{call['id']}/stereo-recording")
    assert (moved.status, moved.body) == (302, b"")
    path = moved.headers["location"].removeprefix(f"http://{HOST[1]}")
    assert world.rest("GET", path).status == 400
    file = world.rest("GET", path, headers=(HOST,))
    assert (file.status, file.headers["content-type"]) == (200, "audio/wav")
    assert file.body[:4] == b"RIFF"
    ms = round(1000 * (len(file.body) - 44) / (4 * call["transport"]["audioFormat"]["sampleRate"]))
    assert ms / 60_000 == pytest.approx(call["costs"][3]["minutes"], abs=1e-4)


def test_addresses_follow_the_host_and_the_scheme() -> None:
    world = World(Options(tls=True))
    call = world.create(assistant={})
    base = f"{HOST[1]}/{call['id']}"
    assert call["transport"]["websocketCallUrl"] == f"wss://{base}/transport"
    assert call["monitor"] == {
        "listenUrl": f"wss://{base}/listen",
        "controlUrl": f"https://{base}/control",
    }


def test_equal_seeds_have_equal_pasts() -> None:
    pasts = [World(HISTORY, seed=seed).rest("GET", "/call").body for seed in (1, 1, 2)]
    assert pasts[0] == pasts[1] != pasts[2]
    assert len(json.loads(pasts[2])) == 30
