"""The module of Vapi: where things belong, what is learnt, what is said."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from recorder.events import Kind, Sender
from recorder.heads import RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.providers.base import Insight, Route, Tracker
from recorder.providers.vapi.account import account
from recorder.providers.vapi.routing import template
from replay.match.rulebook import Rulebook

VAPI = PROVIDERS["vapi"]
CALL = "019c32ba-1e0f-7004-935b-7fa3e7399a21"
SECRET = "a secret of the test"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/call", Route("call")),
        ("POST", "/call/web", Route("call")),
        ("POST", "/call/phone/", Route("call")),
        ("GET", "/call", Route("control")),
        ("GET", f"/call/{CALL}", Route("call", CALL)),
        ("GET", f"/call/{CALL.upper()}/stereo-recording", Route("call", CALL)),
        ("DELETE", f"/v2/call/{CALL}", Route("call", CALL)),
        ("GET", f"/{CALL}/transport", Route("call", CALL)),
        ("POST", f"/{CALL}/control", Route("call", CALL)),
        ("GET", f"/{CALL}/else", Route("control")),
        ("GET", "/call/nonsense", Route("control")),
        ("PATCH", f"/assistant/{CALL}", Route("control")),
        ("POST", "/analytics", Route("control")),
    ],
)
def test_where_a_request_belongs(method: str, path: str, expected: Route) -> None:
    assert VAPI.route(RequestHead(method, path)) == expected


def test_a_socket_without_a_call_is_a_conversation() -> None:
    head = RequestHead("GET", "/odd", headers=(("Upgrade", "websocket"),))
    assert VAPI.route(head) == Route("conversation")


def test_the_answer_to_a_post_names_the_call() -> None:
    made = ResponseHead(201)
    body = json.dumps({"id": CALL}).encode()
    assert VAPI.correlate(RequestHead("POST", "/call"), made, body) == CALL
    assert VAPI.correlate(RequestHead("POST", "/assistant"), made, body) is None
    assert VAPI.correlate(RequestHead("POST", "/call"), ResponseHead(400), body) is None
    assert VAPI.correlate(RequestHead("POST", "/call"), made, b'{"results":[{"id":"x"}]}') is None
    assert VAPI.correlate(RequestHead("POST", "/call"), made, b"<html>") is None
    assert VAPI.correlate(RequestHead("POST", "/call"), made) is None


def test_names_have_no_ids() -> None:
    assert template(f"GET /call/{CALL}/mono-recording") == "GET /call/{id}/mono-recording"
    assert template(f"PATCH /eval/run/{CALL}/item/{CALL}") == "PATCH /eval/run/{id}/item/{id}"
    file = f"GET /storage/{CALL}-1760000000000-{CALL}-mono.wav"
    assert template(file) == "GET /storage/{id}-{id}-{id}-mono.wav"
    assert template("tool-calls") == "tool-calls"
    assert template('transcript[transcriptType="final"]') == 'transcript[transcriptType="final"]'


def test_an_id_tells_when_it_was_minted() -> None:
    assert VAPI.minted_ns(CALL) == 0x019C32BA1E0F * 1_000_000
    assert VAPI.minted_ns("00dbe917-37fd-4d3f-8cc0-ac6be0923f40") is None
    assert VAPI.minted_ns("rtc_1") is None


def see(
    tracker: Tracker,
    kind: Kind,
    body: object,
    *,
    sender: Sender = "provider",
    type_: str = "",
    channel: int = 1,
) -> Insight:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return tracker.inspect(channel, sender, kind, type_, raw)


def test_facts_are_learnt_from_the_answer_and_from_webhooks() -> None:
    tracker = VAPI.tracker()
    see(tracker, "http.request", RequestHead("POST", "/call").encode(), type_="POST /call")
    asked = {"id": "not this", "assistant": {"model": {"model": "gpt-4.1"}}}
    seen = see(tracker, "http.chunk", asked, sender="client", type_="POST /call")
    assert seen == Insight("POST /call", facts={"model": "gpt-4.1"})
    seen = see(tracker, "http.chunk", {"id": CALL.upper()}, type_="POST /call")
    assert seen.facts == {"external_id": CALL}
    assert see(tracker, "http.chunk", {"id": "another"}, type_="POST /call").facts is None

    tracker = VAPI.tracker()
    see(tracker, "webhook.request", RequestHead("POST", "/").encode(), type_="hang", channel=7)
    message = {
        "message": {"type": "hang", "call": {"id": CALL}, "assistant": {"model": {"model": "m"}}}
    }
    seen = see(tracker, "http.chunk", message, type_="hang", channel=7)
    assert seen.facts == {"external_id": CALL, "model": "m"}


def test_an_error_names_no_call() -> None:
    tracker = VAPI.tracker()
    refused = ResponseHead(400).encode()
    see(tracker, "http.response", refused, type_="POST /call")
    assert see(tracker, "http.chunk", {"id": CALL}, type_="POST /call").facts is None
    see(tracker, "http.response", ResponseHead(201).encode(), type_="POST /call", channel=2)
    seen = see(tracker, "http.chunk", {"id": CALL}, type_="POST /call", channel=2)
    assert seen.facts == {"external_id": CALL}


def test_control_traffic_names_no_call() -> None:
    tracker = VAPI.tracker()
    body = {"id": CALL, "model": {"model": "m"}, "call": {"id": CALL}}
    for name in ("POST /assistant", f"GET /assistant/{CALL}", "GET /call"):
        assert see(tracker, "http.chunk", body, type_=name).facts is None


@pytest.mark.parametrize(
    "audio",
    [b"{", b'{"format": 1}', b'{"format":"mulaw","sampleRate":-1}', b'{"sampleRate":true}', b"[]"],
)
def test_an_odd_format_is_no_error(audio: bytes) -> None:
    tracker = VAPI.tracker()
    see(tracker, "http.chunk", b'{"transport":{"audioFormat":' + audio + b"}}", type_="POST /call")
    (field,) = see(tracker, "ws.binary", b"1234").audio
    assert field.rate in (8_000, 16_000)
    assert see(tracker, "ws.binary", b"").audio == ()


def signed(headers: dict[str, str], body: bytes = b"{}") -> tuple[str, str]:
    assert VAPI.WEBHOOKS
    return VAPI.WEBHOOKS.signature(tuple(headers.items()), body, SECRET)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256=", "v1,", "t=17,v1="])
def test_signatures_of_every_kind_are_understood(
    algorithm: str, encoding: str, prefix: str
) -> None:
    digest = hmac.digest(SECRET.encode(), b"17.{}", algorithm)
    text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    headers = {"X-Timestamp": "17", "X-Signature": prefix + text}
    assert signed(headers) == ("ok", f"x-signature {algorithm}")
    assert signed(headers, b"{ }")[0] == "bad"
    assert signed(headers | {"X-Timestamp": "18"})[0] == "bad"


def test_however_many_signatures_there_are_each_hmac_is_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[bytes, bytes, str]] = []
    real = hmac.digest

    def counted(key: bytes, text: bytes, algorithm: str) -> bytes:
        made.append((key, text, algorithm))
        return real(key, text, algorithm)

    monkeypatch.setattr(hmac, "digest", counted)
    words = ",".join(f"{number:040x},{number:064x},{number:0128x}" for number in range(50))
    times = {name: name for name in ("x-timestamp", "svix-timestamp", "webhook-timestamp")}
    ids = {name: name for name in ("svix-id", "webhook-id", "x-message-id")}
    many = {f"x-signature-{number}": words for number in range(50)}
    assert signed({**many, **times, **ids}) == ("bad", "x-signature-0")
    assert len(made) == len(set(made)) <= 36
    assert {algorithm for _, _, algorithm in made} == {"sha1", "sha256", "sha512"}


def test_a_header_that_is_no_utf8_signs_nothing() -> None:
    headers = {"X-Signature": "caf\udce9", "X-Timestamp": "\udce9"}
    assert signed(headers) == ("bad", "x-signature")


def test_a_signature_in_the_manner_of_svix() -> None:
    assert VAPI.WEBHOOKS
    key = hashlib.sha256(b"key").digest()
    secret = "whsec_" + base64.b64encode(key).decode()
    text = base64.b64encode(hmac.digest(key, b"msg_1.17.{}", "sha256")).decode()
    headers = (
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "17"),
        ("webhook-signature", f"v1,AAAA v1,{text}"),
    )
    assert VAPI.WEBHOOKS.signature(headers, b"{}", secret).verdict == "ok"
    assert VAPI.WEBHOOKS.signature(headers, b"{}", "whsec_AAAA").verdict == "bad"


WALL_NS = 1_795_000_000_123_000_000
TAKEN = "[redacted:0123456789ab]"


@pytest.mark.parametrize(
    ("headers", "by"),
    [
        ({"X-Vapi-Secret": TAKEN}, "x-vapi-secret"),
        ({"authorization": f"Bearer {TAKEN}"}, "authorization"),
        ({"x-vapi-signature": TAKEN}, "x-vapi-signature sha256"),
        ({"X-Timestamp": "17", "X-Signature": TAKEN}, "x-signature sha256"),
        (
            {"webhook-id": "msg_1", "webhook-timestamp": "17", "webhook-signature": TAKEN},
            "webhook-signature sha256",
        ),
    ],
)
@pytest.mark.parametrize("secret", [SECRET, "whsec_" + base64.b64encode(b"k" * 24).decode()])
def test_a_delivery_is_signed_anew_and_a_changed_one_is_told(
    headers: dict[str, str], by: str, secret: str
) -> None:
    hooks = VAPI.WEBHOOKS
    assert hooks
    body = b'{"message": {"type": "hang"}}'
    made = hooks.signed((("content-type", "x"), *headers.items()), body, secret, WALL_NS)
    assert [name for name, _ in made] == ["content-type", *headers]
    assert TAKEN not in str(made)
    assert hooks.signature(made, body, secret) == ("ok", by)
    assert hooks.signature(made, body, "another-secret").verdict == "bad"
    if "signature" in by:
        assert hooks.signature(made, body[:-1] + b" }", secret).verdict == "bad"
        assert secret not in str(made)


@pytest.mark.parametrize(("was", "now"), [("17", "1795000000"), ("1" * 13, "1795000000123")])
def test_a_signature_is_of_its_time(was: str, now: str) -> None:
    assert VAPI.WEBHOOKS
    headers = (("x-timestamp", was), ("x-signature", TAKEN))
    made = dict(VAPI.WEBHOOKS.signed(headers, b"{}", SECRET, WALL_NS))
    digest = hmac.digest(SECRET.encode(), f"{now}.{{}}".encode(), "sha256").hex()
    assert made == {"x-timestamp": now, "x-signature": digest}
    alone = (("x-timestamp", was), ("x-vapi-secret", TAKEN))
    assert dict(VAPI.WEBHOOKS.signed(alone, b"{}", SECRET, WALL_NS))["x-timestamp"] == was


SAID: list[tuple[str, Any, str]] = [
    ("transcript", {"role": "user", "transcriptType": "final", "transcript": "Hi."}, "user: “Hi.”"),
    (
        'transcript[transcriptType="final"]',
        {"message": {"type": "t", "role": "bot", "transcript": "Yes."}},
        "bot: “Yes.”",
    ),
    (
        "transcript",
        {"role": "user", "transcriptType": "partial", "transcript": "Hi"},
        "user: “Hi…”",
    ),
    ("speech-update", {"role": "assistant", "status": "started"}, "assistant started"),
    (
        "status-update",
        {"status": "ended", "endedReason": "silence-timed-out"},
        "ended: silence-timed-out",
    ),
    (
        "tool-calls",
        {"toolCallList": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
        'f({"a": 1})',
    ),
    ("tool-calls", {"toolCalls": [{"function": {"name": "f", "arguments": "{}"}}]}, "f({})"),
    ("tool-calls", {"toolCallList": [{"name": "g", "parameters": {"b": "x"}}]}, 'g({"b": "x"})'),
    ("tool-calls", {"results": [{"toolCallId": "c", "result": "ok"}]}, "c: ok"),
    ("tool-calls", {"results": [{"toolCallId": "c", "error": "no"}]}, "c: error no"),
    (
        "conversation-update",
        {"conversation": [{"role": "user", "content": "Hi."}]},
        "1 message, user: “Hi.”",
    ),
    (
        "conversation-update",
        {"artifact": {"messages": [{"role": "bot", "message": "Yes."}] * 2}},
        "2 messages, bot: “Yes.”",
    ),
    ("model-output", {"output": "Yes"}, "“Yes”"),
    ("model-output", {"output": {"function": {"name": "f"}}}, "f()"),
    (
        "add-message",
        {"type": "add-message", "message": {"role": "system", "content": "x"}},
        "system: “x”",
    ),
    (
        "POST /{id}/control",
        {"type": "say", "content": "Hi.", "endCallAfterSpoken": True},
        "say “Hi.”, then ends the call",
    ),
    (
        "POST /call",
        {"message": ["a", "b"], "error": "Bad Request", "statusCode": 400},
        "400 Bad Request: a; b",
    ),
    ("POST /analytics", {"queries": [{"name": "cost"}, {"name": "n"}]}, "cost, n"),
    (
        "transfer-destination-request",
        {"destination": {"type": "number", "number": "+1555"}},
        "to number +1555",
    ),
    ("assistant-request", {"assistantId": "a1"}, "assistant a1"),
    ("voice-request", {"message": {"type": "voice-request", "text": "Hi."}}, "“Hi.”"),
    ("call.artifact.upload", {"artifacts": [{"type": "log", "success": False}]}, "log failed"),
    ("something-new", {"x": 1}, ""),
]


@pytest.mark.parametrize(("type_", "message", "expected"), SAID)
def test_what_a_message_says(type_: str, message: Any, expected: str) -> None:
    assert VAPI.describe(type_, message) == expected


@pytest.mark.parametrize("type_", sorted({type_ for type_, _, _ in SAID} | {"end-of-call-report"}))
@pytest.mark.parametrize("value", [None, 1, "x", [], [None], {}, {"a": []}])
def test_no_shape_is_an_error(type_: str, value: Any) -> None:
    keys = "message artifact messages output toolCallList results destination call costs artifacts "
    keys += "costBreakdown queries assistant customer functionCall monitor transport type status"
    for key in keys.split():
        assert isinstance(VAPI.describe(type_, {key: value}), str)


def test_costs_and_messages_of_every_year_are_read() -> None:
    old = {
        "endedReason": "hangup",
        "cost": 0.07,
        "costBreakdown": {"stt": 0.01, "llm": 0.02, "total": 0.07},
        "startedAt": "2024-07-15T05:44:45.926Z",
        "endedAt": "2024-07-15T05:45:45.426Z",
        "messages": [{"role": "bot", "message": "Hi."}],
    }
    found = account(old)
    assert (found.total_usd, found.seconds, len(found.messages)) == (0.07, 59.5, 1)
    assert [(line.kind, line.usd) for line in found.lines] == [("stt", 0.01), ("llm", 0.02)]
    new = {
        "cost": 0.1034,
        "durationMs": 58434,
        "costs": [
            {"type": "voice", "voice": {"provider": "vapi", "voiceId": "Elliot"}, "cost": 0.02},
            {"type": "analysis", "analysisType": "summary", "model": {"provider": "x"}, "cost": 0},
            {"type": "vapi", "subType": "normal"},
            {"type": "transport", "provider": "daily", "cost": 0.0},
        ],
        "artifact": {"messages": [{"role": "user"}, {"role": "bot"}]},
    }
    found = account(new)
    assert (found.total_usd, found.seconds, len(found.messages)) == (0.1034, 58.434, 2)
    assert [tuple(line) for line in found.lines] == [
        ("voice", "vapi Elliot", 0.02),
        ("analysis", "x summary", 0.0),
        ("vapi", "normal", None),
        ("transport", "daily", 0.0),
    ]
    unsettled = account({"cost": 0, "costs": []})
    assert (unsettled.total_usd, unsettled.seconds) == (None, None)


def test_our_errors_are_in_the_words_of_vapi() -> None:
    error = json.loads(VAPI.error_event("recorder_upstream_unreachable", "cannot reach it"))
    assert error == {
        "message": "cannot reach it",
        "error": "recorder_upstream_unreachable",
        "statusCode": 502,
    }
    assert json.loads(VAPI.error_event("x", "y", by_client=True))["statusCode"] == 400


def test_the_rules_can_be_read() -> None:
    assert Rulebook(VAPI.RULES).rules is VAPI.RULES


def test_the_hints_name_the_address() -> None:
    hints = VAPI.sdk_hints("http://127.0.0.1:8080/vapi")
    assert any("base_url=http://127.0.0.1:8080/vapi" in line for line in hints)
