"""HAR files as Chrome and Playwright write them."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from recorder.capture.importers import har
from recorder.capture.importers.conversation import Conversation
from recorder.capture.importers.source import open_source
from recorder.errors import ImportFailed
from recorder.heads import RequestHead, ResponseHead
from recorder.providers import PROVIDERS

START = "2026-11-02T10:00:00.250Z"
START_NS = 1_793_613_600_250_000_000
START_S = START_NS / 1e9


def _entry(url: str, **fields: Any) -> dict[str, Any]:
    headers = [{"name": "User-Agent", "value": "browser"}, {"name": ":authority", "value": "x"}]
    return {
        "startedDateTime": START,
        "time": 80.0,
        "request": {"method": "GET", "url": url, "headers": headers},
        "response": {"status": 200, "statusText": "OK", "headers": [], "content": {}},
        "timings": {"blocked": -1, "dns": 1, "connect": 2, "send": 0, "wait": 7, "receive": 70},
        **fields,
    }


def _socket(messages: list[dict[str, Any]] | None, url: str = "", **fields: Any) -> dict[str, Any]:
    chosen = [{"name": "Sec-WebSocket-Protocol", "value": "realtime"}]
    entry = _entry(
        url or "wss://api.openai.com/v1/realtime?model=gpt-realtime",
        _resourceType="websocket",
        response={"status": 101, "statusText": "Switching Protocols", "headers": chosen},
        **fields,
    )
    return entry if messages is None else {**entry, "_webSocketMessages": messages}


def _message(type_: str, after_s: float, data: str, opcode: int = 1) -> dict[str, Any]:
    return {"type": type_, "time": START_S + after_s, "opcode": opcode, "data": data}


def _file(path: Path, *entries: object) -> Path:
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return path


def _read(path: Path) -> list[Conversation]:
    return list(har.read(open_source(path), PROVIDERS["openai"]))


def _refused(path: Path) -> str:
    with pytest.raises(ImportFailed) as refused:
        _read(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_socket_of_chrome(tmp_path: Path) -> None:
    odd = '{"type":"response.create",  "s":"\\u00e9é"}'
    messages = [
        _message("receive", 0.5, '{"type":"session.created"}'),
        _message("send", 0.75, odd),
        _message("send", 0.8, base64.b64encode(b"\0\xff").decode(), 2),
        _message("receive", 0.9, "", 9),
        _message("receive", 1.0, "", 8),
    ]
    other = _entry("https://example.test/realtime-news.css")
    [conversation] = _read(_file(tmp_path / "x.har", _socket(messages), other))
    assert conversation.wall_ns == START_NS
    assert conversation.timed
    assert conversation.facts == {"model": "gpt-realtime"}
    assert [tuple(line) for line in conversation.channels] == [("ws", "/v1/realtime")]
    takes = conversation.takes
    assert [(take.sender, take.kind, take.type) for take in takes] == [
        ("client", "ws.open", "GET /v1/realtime"),
        ("provider", "ws.open", "101"),
        ("provider", "ws.text", ""),
        ("client", "ws.text", ""),
        ("client", "ws.binary", ""),
        ("provider", "ws.ping", ""),
        ("provider", "ws.close", "1005"),
    ]
    asked = RequestHead.decode(takes[0].body)
    assert (asked.query, asked.headers) == ("model=gpt-realtime", (("User-Agent", "browser"),))
    assert ResponseHead.decode(takes[1].body).subprotocol == "realtime"
    assert (takes[3].body, takes[4].body) == (odd.encode(), b"\0\xff")
    offsets = [round(take.at_ns / 1e6) for take in takes]
    assert offsets == [0, 10, 500, 750, 800, 900, 1000]


@pytest.mark.parametrize("form", ["inline", "folder", "zip"])
def test_a_socket_of_playwright(tmp_path: Path, form: str) -> None:
    """Milliseconds, and the messages perhaps in a file of their own."""
    said = [_message("receive", 0.5, "hello"), _message("send", 1.5, "AP8=", 2)]
    said = [{**message, "time": message["time"] * 1000} for message in said]
    entry = _socket(said if form == "inline" else None)
    lines = "".join(json.dumps(message) + "\n" for message in said)
    if form != "inline":
        entry["response"]["content"] = {"_file": "0a1b.jsonl", "mimeType": "x-unknown"}
    path = _file(tmp_path / "har.har", entry)
    if form == "folder":
        (tmp_path / "0a1b.jsonl").write_text(lines)
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "test.har.zip", "w") as archive:
            archive.write(path, "har.har")
            archive.writestr("0a1b.jsonl", lines)
        path = tmp_path / "test.har.zip"
    [conversation] = _read(path)
    assert [(round(take.at_ns / 1e6), take.kind, take.body) for take in conversation.takes[2:]] == [
        (500, "ws.text", b"hello"),
        (1500, "ws.binary", b"\0\xff"),
    ]


def test_every_socket_is_a_session_and_a_call_is_one(tmp_path: Path) -> None:
    call = _entry(
        "https://api.openai.com/v1/realtime/calls",
        request={
            "method": "POST",
            "url": "https://api.openai.com/v1/realtime/calls",
            "headers": [],
            "postData": {"mimeType": "application/sdp", "text": "v=0\r\n"},
        },
        response={
            "status": 201,
            "statusText": "Created",
            "headers": [{"name": "Location", "value": "/v1/realtime/calls/rtc_1"}],
            "content": {"text": base64.b64encode(b"v=0\n").decode(), "encoding": "base64"},
        },
    )
    later = "2026-11-02T10:00:01.250Z"
    entries = [
        call,
        _socket(
            [_message("send", 1.5, "{}")],
            "wss://api.openai.com/v1/realtime?call_id=rtc_1",
            startedDateTime=later,
        ),
        _socket([_message("send", 0.2, "{}")]),
        _socket([_message("send", 0.3, "{}")]),
        _entry("https://api.openai.com/v1/realtime/client_secrets"),
        _entry("https://api.openai.com/v1/models"),
        _socket([_message("send", 0.1, "{}")], "wss://example.test/hot-reload"),
    ]
    first, second, third, control = _read(_file(tmp_path / "x.har", *entries))
    assert first.facts == {"external_id": "rtc_1"}
    assert [line.kind for line in first.channels] == ["http", "ws"]
    assert [
        (round(take.at_ns / 1e6), take.channel, take.kind, take.body)
        for take in first.takes
        if take.kind in ("http.chunk", "ws.text")
    ] == [
        (0, 1, "http.chunk", b"v=0\r\n"),
        (0, 1, "http.chunk", b""),
        (10, 1, "http.chunk", b"v=0\n"),
        (80, 1, "http.chunk", b""),
        (1500, 2, "ws.text", b"{}"),
    ]
    assert [line.kind for line in second.channels + third.channels] == ["ws", "ws"]
    assert [line.target for line in control.channels] == [
        "/v1/realtime/client_secrets",
        "/v1/models",
    ]


def test_the_only_socket_is_taken_whatever_its_address(tmp_path: Path) -> None:
    entries = [
        _entry("https://app.test/index.html"),
        _socket([_message("send", 0.1, "{}")], "wss://app.test/ws"),
    ]
    [conversation] = _read(_file(tmp_path / "x.har", *entries))
    assert conversation.channels[0].target == "/ws"


def test_a_failed_connection_is_a_note(tmp_path: Path) -> None:
    entry = _socket([_message("error", 0.1, "net::ERR_FAILED", -1)])
    entry["response"]["status"] = 0
    [conversation] = _read(_file(tmp_path / "x.har", entry))
    assert [(take.sender, take.kind, take.body) for take in conversation.takes[1:]] == [
        ("recorder", "note", b"net::ERR_FAILED")
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"startedDateTime": "yesterday"}, "entry 1: Invalid isoformat"),
        ({"request": {"method": "GET", "url": "/v1/realtime"}}, "entry 1: '/v1/realtime' is not"),
        ({"request": None}, "entry 1: "),
        ({"_webSocketMessages": [{"type": "send", "opcode": 1}]}, "message 1: no 'time'"),
        ({"_webSocketMessages": ["?"]}, "message 1: "),
        (
            {"_webSocketMessages": [_message("send", 0, "?", 2)]},
            "message 1: its data is not base64",
        ),
        ({"_webSocketMessages": [_message("send", 0, "", 3)]}, "message 1: opcode 3 is no message"),
        (
            {"_webSocketMessages": None, "response": {"status": 101, "content": {"_file": "../x"}}},
            "entry 1: '../x' is not the name of a file beside it",
        ),
        (
            {"_webSocketMessages": None, "response": {"status": 101, "content": {"_file": "gone"}}},
            "entry 1: gone, which it names, cannot be read",
        ),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    assert message in _refused(_file(tmp_path / "x.har", {**_socket([]), **change}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"log": {"entries": [\n{"a": "b', "x.har line 2: the file is cut off"),
        ('{"log": {"entries": [\n{]', "x.har line 2: not JSON at column 2"),
        ('{"log": {}}', 'no "log" with "entries"'),
        ("[]", 'no "log" with "entries"'),
        ('{"log": {"entries": []}}', "has no WebSocket"),
    ],
)
def test_a_file_that_is_no_har(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.har").write_text(text)
    assert message in _refused(tmp_path / "x.har")
