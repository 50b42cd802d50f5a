"""Handshakes, client secrets, calls and sidebands of the simulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai_client import KEY, WALL, Client

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead, header
from replay.simulators.openai import OpenAISimulator, Options

OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96 0 8",
        "a=mid:voice",
        "a=rtpmap:96 opus/48000/2",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:data",
        "",
    ]
)
JSON = ("content-type", "application/json")


class Http:
    """HTTP exchanges with one simulator."""

    def __init__(self) -> None:
        self.sim = OpenAISimulator(3, WALL, Options())
        self.channel = 100

    def __call__(
        self,
        path: str,
        body: object = None,
        headers: tuple[tuple[str, str], ...] = (*KEY, JSON),
        now: int = 0,
        method: str = "POST",
    ) -> tuple[ResponseHead, Any]:
        payload = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self.channel += 1
        head = RequestHead(method, path, "", headers)
        self.sim.receive(Message(self.channel, "http.request", head.encode(), payload), now)
        (answer,) = [m for m in self.sim.due(now) if m.channel == self.channel]
        assert answer.kind == "http.response"
        decoded = ResponseHead.decode(answer.body)
        is_json = header(decoded.headers, "content-type") == "application/json"
        return decoded, json.loads(answer.payload) if is_json else answer.payload

    def socket(self, query: str, key: str = "sk-x", now: int = 0, channel: int = 1) -> Client:
        headers = (("Authorization", f"Bearer {key}"),)
        return Client(query=query, headers=headers, sim=self.sim, now=now, channel=channel)


def form(*parts: tuple[str, str, str]) -> tuple[bytes, tuple[str, str]]:
    body = "".join(
        f'--line\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n{text}\r\n"
        for name, kind, text in parts
    )
    return f"{body}--line--\r\n".encode(), ("content-type", "multipart/form-data; boundary=line")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/realtime", "model=gpt-realtime"),
        ("/openai/v1/realtime", "model=my-deployment&x=%20"),
        ("/openai/realtime", "api-key=k&deployment=d"),
        ("/some/prefix/realtime", ""),
    ],
)
def test_upgrades_on_any_path_that_ends_in_realtime(path: str, query: str) -> None:
    client = Client(path=path, query=query)
    assert client.answer is not None
    assert client.answer.status == 101
    assert client.types() == ["session.created"]


def test_other_paths_are_refused() -> None:
    client = Client(path="/v1/chat")
    assert client.answer is not None
    assert client.answer.status == 404
    assert json.loads(client.payload)["error"]["code"] == "unknown_url"
    assert client.events == []


@pytest.mark.parametrize(
    ("headers", "query", "status", "chosen"),
    [
        ((), "", 401, None),
        ((("Authorization", "Basic eA=="),), "", 401, None),
        ((("Sec-WebSocket-Protocol", "realtime"),), "", 401, None),
        ((("api-key", "k"),), "", 101, None),
        ((), "api-key=k", 101, None),
        ((), "Authorization=Bearer%20k", 101, None),
        (
            (("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.ek_1, other"),),
            "",
            101,
            "realtime",
        ),
        ((("Sec-WebSocket-Protocol", "openai-insecure-api-key.ek_1"),), "", 101, None),
    ],
)
def test_a_key_is_needed_and_realtime_is_chosen(
    headers: tuple[tuple[str, str], ...], query: str, status: int, chosen: str | None
) -> None:
    client = Client(headers=headers, query=query)
    assert client.answer is not None
    assert (client.answer.status, client.answer.subprotocol) == (status, chosen)
    if status == 401:
        assert set(json.loads(client.payload)["error"]) == {"type", "code", "message", "param"}


def test_a_client_secret_opens_its_session_until_it_expires() -> None:
    from openai.types.realtime import ClientSecretCreateResponse  # loads for a second

    http = Http()
    wish = {
        "expires_after": {"anchor": "created_at", "seconds": 30},
        "session": {"type": "realtime", "model": "gpt-realtime-mini", "instructions": "Hush."},
    }
    head, body = http("/v1/realtime/client_secrets", wish)
    assert head.status == 200
    ClientSecretCreateResponse.model_validate(body)
    assert body["value"].startswith("ek_")
    assert body["expires_at"] == WALL // 10**9 + 30
    assert body["session"]["expires_at"] == 0
    client = http.socket("", body["value"], now=10**9)
    session = client.events[0]["session"]
    assert (session["instructions"], session["model"]) == ("Hush.", "gpt-realtime-mini")
    late = http.socket("", body["value"], now=31 * 10**9, channel=2)
    assert late.error()["code"] == "invalid_api_key"
    assert late.close is not None


def test_bad_requests_are_refused_with_the_place() -> None:
    http = Http()
    head, body = http("/v1/realtime/client_secrets", {"session": {"type": "realtime", "x": 1}})
    assert (head.status, body["error"]["param"]) == (400, "session.x")
    head, body = http("/v1/realtime/client_secrets", b"{")
    assert head.status == 400
    head, body = http("/v1/realtime/client_secrets", {}, headers=())
    assert head.status == 401
    head, body = http("/v1/files")
    assert (head.status, body["error"]["code"]) == (404, "unknown_url")
    head, body = http("/v1/realtime/client_secrets", method="GET")
    assert head.status == 404


def test_unknown_keys_are_refused_over_http() -> None:
    sim = OpenAISimulator(1, WALL, Options(keys=frozenset({"sk-good"})))
    for key, status in (("sk-good", 200), ("sk-bad", 401)):
        headers = (("Authorization", f"Bearer {key}"),)
        head = RequestHead("POST", "/v1/realtime/client_secrets", "", headers)
        sim.receive(Message(1, "http.request", head.encode(), b"{}"), 0)
        (answer,) = sim.due(0)
        assert ResponseHead.decode(answer.body).status == status


def test_beta_secrets_come_with_the_flat_session() -> None:
    from openai.types.beta.realtime import Session  # loads for a second

    http = Http()
    head, body = http("/v1/realtime/sessions", {"voice": "ash", "modalities": ["text"]})
    assert head.status == 200
    Session.model_validate(body)
    assert (body["voice"], body["modalities"]) == ("ash", ["text"])
    assert body["client_secret"]["value"].startswith("ek_")
    head, body = http("/v1/realtime/transcription_sessions", {"input_audio_format": "g711_ulaw"})
    assert (head.status, body["input_audio_format"]) == (200, "g711_ulaw")


def start_call(http: Http) -> str:
    session = {"type": "realtime", "instructions": "On the phone."}
    payload, kind = form(
        ("sdp", "application/sdp", OFFER), ("session", "application/json", json.dumps(session))
    )
    head, body = http("/v1/realtime/calls", payload, headers=(*KEY, kind))
    assert (head.status, head.reason) == (201, "Created")
    assert header(head.headers, "content-type") == "text/plain; charset=utf-8"
    lines = body.decode().split("\r\n")
    assert lines[0] == "v=0"
    assert "a=group:BUNDLE voice data" in lines
    assert "a=rtpmap:96 opus/48000/2" in lines
    return str(header(head.headers, "location"))


def test_a_sideband_joins_its_call_without_a_greeting_or_audio() -> None:
    http = Http()
    location = start_call(http)
    call_id = location.rpartition("/")[2]
    client = http.socket(f"call_id={call_id}")
    assert client.types() == []
    session = client.update(output_modalities=["audio"])[0]["session"]
    assert session["id"].removeprefix("sess_") == call_id.removeprefix("rtc_")
    assert session["instructions"] == "On the phone."
    client.type_in("Hello.")
    client.wait(20_000)
    types = client.types()
    assert "response.output_audio.delta" not in types
    assert "response.output_audio.done" in types
    started = types.index("output_audio_buffer.started")
    assert types.index("response.output_audio_transcript.delta") < started
    assert types[-1] == "output_audio_buffer.stopped"
    assert len(client.events[-1]["event_id"]) == len("event_") + 16
    other = http.socket(f"call_id={call_id}", channel=2, now=client.now)
    client.sim.receive(Message(1, "ws.close", b'{"code":1000,"reason":""}'), client.now)
    assert other.update(instructions="x")[0]["type"] == "session.updated"


def test_clearing_the_play_out_of_a_call() -> None:
    http = Http()
    client = http.socket(f"call_id={start_call(http).rpartition('/')[2]}")
    client.type_in("Hello.")
    got = client.send("output_audio_buffer.clear")
    assert [event["type"] for event in got] == ["output_audio_buffer.cleared"]
    assert client.wait(20_000) == []


def test_a_raw_offer_takes_the_session_of_its_secret() -> None:
    http = Http()
    _, secret = http(
        "/v1/realtime/client_secrets", {"session": {"type": "realtime", "instructions": "Mine."}}
    )
    key = ("Authorization", f"Bearer {secret['value']}")
    kind = ("content-type", "application/sdp")
    head, _ = http("/v1/realtime/calls", OFFER.encode(), headers=(key, kind))
    call_id = str(header(head.headers, "location")).rpartition("/")[2]
    client = http.socket(f"call_id={call_id}")
    assert client.update()[0]["session"]["instructions"] == "Mine."


def test_calls_that_cannot_be() -> None:
    http = Http()
    head, body = http("/v1/realtime/calls", b"hello", headers=(*KEY, ("content-type", "x")))
    assert (head.status, body["error"]["param"]) == (400, "sdp")
    payload, kind = form(("session", "application/json", "{}"))
    head, body = http("/v1/realtime/calls", payload, headers=(*KEY, kind))
    assert (head.status, body["error"]["code"]) == (400, "missing_required_parameter")
    client = http.socket("call_id=rtc_nobody")
    assert client.answer is not None
    assert client.answer.status == 404


def test_sip_calls_are_accepted_rejected_referred_and_hung_up() -> None:
    http = Http()
    calls = "/v1/realtime/calls"
    config = {"type": "realtime", "model": "gpt-realtime", "instructions": "Ring."}
    assert http(f"{calls}/rtc_one/accept", config)[0].status == 200
    client = http.socket("call_id=rtc_one")
    assert client.update()[0]["session"]["instructions"] == "Ring."
    assert http(f"{calls}/rtc_two/reject", {"status_code": 486})[0].status == 200
    assert http(f"{calls}/rtc_one/reject")[0].status == 404
    assert http(f"{calls}/rtc_one/refer", {})[0].status == 400
    head = RequestHead("POST", f"{calls}/rtc_one/hangup", "", KEY)
    client.sim.receive(Message(50, "http.request", head.encode()), client.now)
    client.wait(0)
    assert client.close is not None
    assert client.close.code == 1000
    for verb, body in (("hangup", {}), ("refer", {"target_uri": "tel:+15550100"})):
        head_, answer = http(f"{calls}/rtc_one/{verb}", body)
        assert (head_.status, answer["error"]["code"]) == (404, "call_not_found")
    assert http(f"{calls}/rtc_one/sing")[0].status == 404
