"""Deliveries of the simulated Vapi: which, when, signed how, and what becomes of answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from typing import Any

import pytest
from vapi_world import HOST, MS, SERVER, WALL, Hook, S, World

from recorder.audio import pcm
from recorder.heads import header
from recorder.trial.steps import AwaitReply, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options
from replay.simulators.vapi.names import CLIENT_MESSAGES, SERVER_DEFAULT, SERVER_MESSAGES

ASSISTANT: dict[str, Any] = {"firstMessage": "Hello.", "server": {"url": SERVER}}
HELLO: list[Step] = [
    AwaitReply(),
    Speak(pcm.to_bytes(synthesise("Good morning to you"))),
    AwaitReply(),
]


def talked(assistant: dict[str, Any] = ASSISTANT, **options: Any) -> World:
    """A call of one turn, and what follows it."""
    world = World(Options(transcripts=("Good morning.",), **options))
    channel, speaker = world.speak(world.create(assistant=assistant), HELLO)
    assert speaker.failed is None
    assert world.texts(channel)
    world.wait(20)
    return world


def test_the_default_messages_come_in_order() -> None:
    world = talked()
    types = [kind for kind, _ in itertools.groupby(world.hook_types())]
    assert types == [
        "status-update",
        "assistant.started",
        "speech-update",
        "conversation-update",
        "speech-update",
        "conversation-update",
        "speech-update",
        "conversation-update",
        "status-update",
        "end-of-call-report",
    ]
    statuses = [hook.message["status"] for hook in world.of("status-update")]
    assert statuses == ["queued", "in-progress", "ended"]
    assert set(types) <= set(SERVER_DEFAULT)


def test_deliveries_leave_shortly_after_what_they_tell_and_in_order() -> None:
    world = talked()
    delays = [hook.at / MS - (hook.message["timestamp"] - WALL / MS) for hook in world.hooks]
    assert min(delays) >= 55
    assert max(delays) <= 90
    stamps = [hook.message["timestamp"] for hook in world.hooks]
    assert stamps == sorted(stamps)


def test_the_end_is_told_at_its_time() -> None:
    world = talked()
    ended, report = world.of("status-update")[-1], world.of("end-of-call-report")[0]
    over = next(one.at for one in world.frames[2] if one.kind == "ws.close" and one.who == "client")
    wall = (WALL + over) // MS
    assert ended.message["timestamp"] - wall == 1600
    assert report.message["timestamp"] - wall == 2900
    assert ended.message["endedReason"] == "customer-ended-call"


def test_the_call_in_a_message_is_as_it_was_created() -> None:
    world = World(Options(transcripts=("Good morning.",)))
    created = world.create(assistant=ASSISTANT, customer={"number": "+15550100", "name": "Ann"})
    world.speak(created, HELLO)
    world.wait(20)
    created.pop("subscriptionLimits")
    for hook in world.hooks:
        assert hook.message["call"] == created
        assert hook.message["customer"] == created["customer"]
        assert hook.message["assistant"] == ASSISTANT
        headers = dict(hook.head.headers)
        assert (hook.head.method, hook.head.path, hook.head.query) == ("POST", SERVER, "")
        assert headers == {"content-type": "application/json", "x-call-id": created["id"]}


def test_only_what_was_subscribed_comes() -> None:
    world = talked({**ASSISTANT, "serverMessages": ["end-of-call-report"]})
    assert world.hook_types() == ["end-of-call-report"]
    world = talked({**ASSISTANT, "serverMessages": []})
    assert world.hook_types() == []


def test_all_that_the_call_has_to_tell_can_be_had() -> None:
    known = list(SERVER_MESSAGES)
    world = talked({**ASSISTANT, "serverMessages": known})
    assert {
        "assistant.speechStarted",
        "model-output",
        "transcript",
        "voice-input",
        "call.artifact.upload",
    } < set(world.hook_types())
    uploaded = world.of("call.artifact.upload")[0].message["artifacts"]
    assert uploaded[0] == {"type": "end-of-call-report", "success": True}


def test_final_transcripts_alone_have_a_name_of_their_own() -> None:
    final = 'transcript[transcriptType="final"]'
    world = talked({**ASSISTANT, "serverMessages": [final]})
    assert set(world.hook_types()) == {final}
    said = [(hook.message["role"], hook.message["transcript"]) for hook in world.hooks]
    assert said[:2] == [("assistant", "Hello."), ("user", "Good morning.")]
    assert all(hook.message["transcriptType"] == "final" for hook in world.hooks)


def test_the_client_s_messages_are_chosen_too() -> None:
    world = World(Options(transcripts=("Good morning.",)))
    wanted = ["speech-update", "status-update", "transcript"]
    call = world.create(assistant={"firstMessage": "Hello.", "clientMessages": wanted})
    channel, speaker = world.speak(call, HELLO)
    assert speaker.failed is None
    assert {one["type"] for one in world.texts(channel)} == set(wanted) < set(CLIENT_MESSAGES)
    assert world.hooks == []


def test_the_plain_secret_and_own_headers_are_sent() -> None:
    server = {"url": SERVER, "secret": "s3cret", "headers": {"X-Team": "blue"}}
    world = talked({**ASSISTANT, "server": server})
    for hook in world.hooks:
        assert header(hook.head.headers, "x-vapi-secret") == "s3cret"
        assert header(hook.head.headers, "x-team") == "blue"


def signed(world: World, plan: dict[str, Any]) -> Hook:
    """The first delivery of a call whose server has this credential."""
    made = world.rest("POST", "/credential", {"provider": "webhook", "authenticationPlan": plan})
    assert made.status == 201, made.body
    for secret in ("token", "secretKey"):
        assert secret not in made.json["authenticationPlan"]
    server = {"url": SERVER, "credentialId": made.json["id"]}
    world.create(assistant={**ASSISTANT, "server": server})
    world.wait(1)
    return world.hooks[0]


def test_a_bearer_credential() -> None:
    hook = signed(World(), {"type": "bearer", "token": "abc"})
    assert header(hook.head.headers, "authorization") == "Bearer abc"
    plan = {
        "type": "bearer",
        "token": "abc",
        "headerName": "X-Vapi-Secret",
        "bearerPrefixEnabled": False,
    }
    hook = signed(World(), plan)
    assert header(hook.head.headers, "x-vapi-secret") == "abc"


def test_an_hmac_signature_over_time_and_body() -> None:
    hook = signed(World(), {"type": "hmac", "secretKey": "key", "algorithm": "sha256"})
    stamp = header(hook.head.headers, "x-timestamp")
    assert stamp is not None
    assert int(stamp) == WALL // S
    wanted = hmac.new(b"key", stamp.encode() + b"." + hook.body, hashlib.sha256).hexdigest()
    assert header(hook.head.headers, "x-signature") == wanted


def test_an_hmac_signature_in_another_form() -> None:
    plan = {
        "type": "hmac",
        "secretKey": base64.b64encode(b"\x00key").decode(),
        "secretIsBase64": True,
        "algorithm": "sha512",
        "signatureHeader": "webhook-signature",
        "timestampHeader": "webhook-timestamp",
        "messageIdHeader": "webhook-id",
        "payloadFormat": "{svix-id}.{timestamp}.{body}",
        "signatureEncoding": "base64",
        "signaturePrefix": "v1,",
    }
    hook = signed(World(), plan)
    headers = hook.head.headers
    parts = (header(headers, "webhook-id"), header(headers, "webhook-timestamp"))
    text = ".".join(str(one) for one in parts).encode() + b"." + hook.body
    digest = hmac.new(b"\x00key", text, hashlib.sha512).digest()
    assert header(headers, "webhook-signature") == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    "plan",
    [
        {"type": "oauth2", "url": "x", "clientId": "x", "clientSecret": "x"},
        {"type": "hmac", "secretKey": "x"},
        {"type": "hmac", "secretKey": "?", "algorithm": "sha1", "secretIsBase64": True},
        {},
    ],
)
def test_an_unusable_credential_is_refused(plan: dict[str, Any]) -> None:
    body = {"provider": "webhook", "authenticationPlan": plan}
    assert World().rest("POST", "/credential", body).status == 400


def failing(world: World, server: dict[str, Any]) -> list[int]:
    """When the deliveries of the first message were tried, in ms since the first."""
    world.create(
        assistant={"server": {"url": SERVER, **server}, "serverMessages": ["status-update"]}
    )
    world.wait(14)
    return [(hook.at - world.hooks[0].at) // MS for hook in world.hooks]


def test_nothing_is_tried_again_by_default() -> None:
    assert failing(World(answer=lambda _: (500, {})), {}) == [0]


def test_a_plan_says_how_often_and_when() -> None:
    plan = {"type": "fixed", "maxRetries": 2, "baseDelaySeconds": 3}
    assert failing(World(answer=lambda _: (500, {})), {"backoffPlan": plan}) == [0, 3040, 6080]
    plan["type"] = "exponential"
    plan["baseDelaySeconds"] = 1
    assert failing(World(answer=lambda _: (0, "refused")), {"backoffPlan": plan}) == [
        0,
        1040,
        3080,
    ]
    excluded = {"backoffPlan": {**plan, "excludedStatusCodes": [400]}}
    assert failing(World(answer=lambda _: (400, {})), excluded) == [0]
    never = failing(World(answer=lambda _: None), {"timeoutSeconds": 2, "backoffPlan": plan})
    assert never == [0, 3000, 7000]


def test_a_late_answer_changes_nothing() -> None:
    plan = {"type": "fixed", "maxRetries": 1, "baseDelaySeconds": 1}
    world = World(answer=lambda _: (200, {}), server_ms=3000)
    assert failing(world, {"timeoutSeconds": 1, "backoffPlan": plan}) == [0, 2000]


# The request for an assistant


def asked(answer: Any, **options: Any) -> tuple[World, dict[str, Any]]:
    """A call without an assistant."""

    def server(message: dict[str, Any]) -> Any:
        return answer if message["type"] == "assistant-request" else (200, {})

    world = World(Options(server={"url": SERVER}, **options), server)
    return world, world.create()


@pytest.mark.parametrize("way", ["transient", "saved"])
def test_a_server_says_who_answers(way: str) -> None:
    answer: dict[str, Any] = {}
    world, call = asked((200, answer))
    if way == "saved":
        saved = world.rest("POST", "/assistant", {"firstMessage": "Welcome."}).json
        overrides = {"name": "Override"}
        answer.update(assistantId=saved["id"], assistantOverrides=overrides)
    else:
        answer.update(assistant={"firstMessage": "Welcome."})
    channel, speaker = world.speak(call, [AwaitReply()])
    assert [one.text for one in speaker.heard] == ["Welcome."]
    request = world.of("assistant-request")[0]
    assert "assistant" not in request.message
    assert request.message["call"]["id"] == call["id"]
    started = next(one for one in world.texts(channel) if one["type"] == "assistant.started")
    assert started["newAssistant"].get("name") == ("Override" if way == "saved" else None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, {}), "failed"),
        ((0, "connection refused"), "failed"),
        (None, "failed"),
        ((200, {"error": "closed today"}), "returned-error"),
        ((200, {}), "returned-no-assistant"),
        ((200, {"assistant": {"nope": 1}}), "returned-invalid-assistant"),
        ((200, {"assistantId": "unknown"}), "returned-invalid-assistant"),
    ],
)
def test_without_an_assistant_the_call_ends(answer: Any, reason: str) -> None:
    world, call = asked(answer)
    channel = world.open(f"/{call['id']}/transport")
    world.wait(14)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["endedReason"] == f"assistant-request-{reason}"
    assert world.closes[channel].code == 1000
    ended = world.of("status-update")[-1].message
    assert "Errors" in str(ended["inboundPhoneCallDebuggingArtifacts"]) or reason != (
        "returned-invalid-assistant"
    )
    if answer is None:
        asked_at = world.of("assistant-request")[0].at
        close = next(one for one in world.frames[channel] if one.kind == "ws.close")
        assert close.at - asked_at == 7500 * MS


def test_the_report_of_a_deleted_call_is_followed_by_its_deletion() -> None:
    wanted = ["end-of-call-report", "call.deleted"]
    world = talked({**ASSISTANT, "serverMessages": wanted})
    key = world.hooks[0].message["call"]["id"]
    assert world.rest("DELETE", f"/call/{key}").status == 200
    world.wait(1)
    assert world.hook_types() == wanted


def test_the_control_url_needs_no_key_and_knows_no_other_call() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    path = f"/{call['id']}/control"
    assert world.rest("POST", path, {"type": "end-call"}, headers=(HOST,)).status == 200
    assert world.rest("GET", path, headers=(HOST,)).status == 404
