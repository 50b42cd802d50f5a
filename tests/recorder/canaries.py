"""Secrets to be planted, each in a place of its own, and the traffic that carries them.

A `Place` says what is secret, how it crosses the wire, and what the tape shows in its stead.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Ping:
    """A ping with this payload."""

    payload: bytes


Frames = tuple[str | bytes | Ping, ...]


@dataclass(frozen=True)
class Socket:
    """What is special about a WebSocket: its handshake, what each side says, how it closes.

    `refusal` is status, headers and body in place of an upgrade; `closes` is who closes and why.
    """

    client: Frames = ()
    provider: Frames = ()
    headers: Pairs = ()
    query: str = "model=gpt-realtime"
    protocols: tuple[str, ...] = ()
    answer_headers: Pairs = ()
    refusal: tuple[int, Pairs, bytes] | None = None
    closes: tuple[str, str] = ("client", "")


@dataclass(frozen=True)
class Exchange:
    """An HTTP request and its answer. Several pieces are sent one after the other, chunked."""

    method: str = "POST"
    path: str = "/v1/files"
    query: str = ""
    headers: Pairs = ()
    body: tuple[bytes, ...] = ()
    status: int = 200
    reason: str | None = None
    answer_headers: Pairs = ()
    answer: tuple[bytes, ...] = (b"{}",)


@dataclass(frozen=True)
class Place:
    """`secret` must not be found, nor any of `spellings`; `wire` is how it crosses (`secret` if
    empty); `marks` is what the marker on the tape stands for (`secret` if None, no marker if
    empty); `env` names the variable of the proxy that holds it."""

    name: str
    secret: str
    talk: Socket | Exchange
    wire: tuple[bytes, ...] = ()
    marks: str | None = None
    env: str = ""
    spellings: tuple[bytes, ...] = ()


def core(name: str) -> str:
    """24 letters and digits that nothing but their place or label makes a secret."""
    digest = int.from_bytes(sha256(f"canary {name}".encode()).digest())
    return "q" + "".join("bcdfghjkmnpqrstvwxz23456789"[digest // 27**n % 27] for n in range(23))


def event(type_: str, **fields: Any) -> str:
    return json.dumps({"type": type_, **fields}, separators=(",", ":"))


def said(text: str) -> str:
    """A typed message."""
    content = [{"type": "input_text", "text": text}]
    return event("conversation.item.create", item={"type": "message", "content": content})


def _sliced(text: str, count: int) -> list[str]:
    size = -(-len(text) // count)
    return [text[at : at + size] for at in range(0, len(text), size)]


def split(
    name: str, type_: str, secret: str, count: int, around: str = "{}", env: str = ""
) -> Place:
    """A secret in `count` deltas, in the middle of other text."""
    before, _, after = around.partition("{}")
    pieces = _sliced(secret, count)
    texts = [before + pieces[0], *pieces[1:-1], pieces[-1] + after]
    frames = tuple(
        event(
            type_, event_id=f"event_{name}_{n}", item_id=f"item_{name}", content_index=0, delta=text
        )
        for n, text in enumerate(texts)
    )
    wire = tuple(json.dumps(text)[1:-1].encode() for text in texts)
    return Place(name, secret, Socket(provider=frames), wire, env=env)


def _handshakes() -> Iterable[Place]:
    c = core("ws-authorization")
    yield Place("ws-authorization", c, Socket(headers=(("Authorization", f"Bearer {c}"),)))
    c = b64encode(f"user:{core('ws-basic')}".encode()).decode()
    basic = Socket(headers=(("Authorization", f"Basic {c}"),))
    yield Place("ws-basic", c, basic, spellings=(core("ws-basic").encode(),))
    c = core("ws-api-key-header")
    yield Place("ws-api-key-header", c, Socket(headers=(("api-key", c),)))
    c = core("ws-cookie")
    yield Place("ws-cookie", c, Socket(headers=(("Cookie", f"sid={c}"),)), marks=f"sid={c}")
    c = core("ws-subprotocol")
    offers = ("realtime", f"openai-insecure-api-key.{c}")
    yield Place("ws-subprotocol", c, Socket(protocols=offers))
    c = core("ws-query-api-key")
    yield Place("ws-query-api-key", c, Socket(query=f"model=m&api-key={c}"))
    c = core("ws-query-authorization") + "+/x=="
    quoted = quote(f"Bearer {c}", safe="")
    wire = (quoted.encode(),)
    yield Place("ws-query-authorization", c, Socket(query=f"Authorization={quoted}"), wire)
    c = "sk-" + core("ws-query-model")
    yield Place("ws-query-model", c, Socket(query=f"model={c}"))
    c = core("ws-answer-set-cookie")
    answer = (("Set-Cookie", f"{c}; Secure"),)
    yield Place("ws-answer-set-cookie", c, Socket(answer_headers=answer), marks=f"{c}; Secure")
    c = core("ws-answer-header")
    yield Place("ws-answer-header", c, Socket(answer_headers=(("x-session-token", c),)))
    c = "sk-proj-" + core("ws-refusal-body")
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {c}."}}).encode()
    yield Place("ws-refusal-body", c, Socket(refusal=(401, (), body)))
    c = core("ws-refusal-header")
    refusal = (403, (("X-Secret-Hint", c),), b"no")
    yield Place("ws-refusal-header", c, Socket(refusal=refusal))
    c = "sk-" + core("ws-close-by-client")
    yield Place("ws-close-by-client", c, Socket(closes=("client", f"bad key {c}")))
    c = "sk-" + core("ws-close-by-provider")
    yield Place("ws-close-by-provider", c, Socket(closes=("provider", f"bad key {c}")))


def _messages() -> Iterable[Place]:
    c = core("tool-authorization")
    tools: list[dict[str, Any]] = [{"type": "mcp", "server_label": "x", "authorization": c}]
    update = event("session.update", session={"tools": tools})
    yield Place("tool-authorization", c, Socket((update,)))
    c = core("tool-header")
    tools = [{"type": "mcp", "server_label": "x", "headers": {"X-Anything": c}}]
    update = event("session.update", session={"tools": tools})
    yield Place("tool-header", c, Socket((update,)))
    c = core("tool-echo")
    tools = [{"type": "mcp", "server_label": "x", "authorization": c}]
    updated = event("session.updated", session={"id": "sess_1", "tools": tools})
    yield Place("tool-echo", c, Socket(provider=(updated,)))
    c = core("tool-url") + "!"
    url = f"https://tools.example/mcp?token={quote(c, safe='')}&x=1"
    update = event("session.update", session={"tools": [{"server_url": url}]})
    yield Place("tool-url", c, Socket((update,)), (quote(c, safe="").encode(),))
    c = "sk-proj-" + core("typed-text")
    yield Place("typed-text", c, Socket((said(f"is {c} my key?"),)))
    c = core("typed-bearer") + "7"
    yield Place("typed-bearer", c, Socket((said(f"curl -H 'Authorization: Bearer {c}'"),)))
    c = "ghp_" + core("transcript")
    done = event("response.output_audio_transcript.done", item_id="item_t", transcript=f"So {c}.")
    yield Place("transcript", c, Socket(provider=(done,)))
    c = core("url-userinfo")
    yield Place("url-userinfo", f"u:{c}", Socket((said(f"use postgres://u:{c}@db.example/x"),)))
    c = core("json-in-json")
    output = json.dumps({"user": "u", "password": c})
    item = {"type": "function_call_output", "call_id": "call_1", "output": output}
    yield Place("json-in-json", c, Socket((event("conversation.item.create", item=item),)))
    c = "sk-proj-" + core("json-escapes")
    escaped = "".join(f"\\u{ord(char):04x}" for char in c)
    frame = said("it is HERE").replace("HERE", escaped)
    yield Place("json-escapes", c, Socket((frame,)), (escaped.encode(),))
    c = "sk-" + core("json-name")
    yield Place("json-name", c, Socket((event("x", **{c: 1}),)))
    c = "sk-" + core("event-type")
    yield Place("event-type", c, Socket((event(c),)))
    c = "ek_" + core("session-id")
    created = event("session.created", session={"id": c})
    yield Place("session-id", c, Socket(provider=(created,), query="model=none"))
    c = "sk-" + core("audio-item")
    sound = b64encode(bytes(range(240)) * 40).decode()
    frame = event("response.output_audio.delta", item_id=c, content_index=0, delta=sound)
    yield Place("audio-item", c, Socket(provider=(frame,)))
    c = "sk-" + core("binary-frame")
    yield Place("binary-frame", c, Socket((b"\x00\xff key: " + c.encode() + b" \xfe",)))
    c = "sk-" + core("not-json")
    yield Place("not-json", c, Socket((f"{{not json: {c}",)))
    c = "sk-" + core("ping")
    yield Place("ping", c, Socket((Ping(c.encode()),)))
    c = "sk-" + core("provider-ping")
    yield Place("provider-ping", c, Socket(provider=(Ping(c.encode()),)))


def _environment() -> Iterable[Place]:
    c = core("env-text")
    yield Place("env-text", c, Socket((said(f"the word is {c}, ok"),)), env="MY_SERVICE_TOKEN")
    c = core("env-name")
    frame = event("x", **{f"say {c}": None})
    yield Place("env-name", c, Socket(provider=(frame,)), env="CRM_PASSWORD")
    c = core("env-binary")
    yield Place("env-binary", c, Socket((b"\xff" + c.encode(),)), env="BINARY_SECRET")
    c = core("env-percent")
    quoted = "".join(f"%{ord(char):02X}" for char in c)
    talk = Exchange("GET", query=f"note={quoted}")
    yield Place("env-percent", c, talk, (quoted.encode(),), env="PERCENT_API_KEY")
    c = core("env-path")
    yield Place("env-path", c, Exchange("GET", f"/v1/things/{c}"), env="PATH_CREDENTIAL")
    text = "response.output_text.delta"
    c = core("env-split")
    yield split("env-split", text, c, 3, "the word is {}, ok", env="SPLIT_TOKEN")


def _splits() -> Iterable[Place]:
    text, spoken = "response.output_text.delta", "response.output_audio_transcript.delta"
    arguments = "response.function_call_arguments.delta"
    for count in (2, 5):
        name = f"text-in-{count}"
        yield split(name, text, "sk-proj-" + core(name), count, "about {} and more")
        name = f"arguments-in-{count}"
        yield split(name, arguments, core(name), count, '{"a": 1, "api_key": "{}", "b": 2}')
    yield split("spoken-in-2", spoken, "sk-" + core("spoken-in-2"), 2, "so {}.")
    c = "sk-proj-" + core("answer-in-2")
    pieces = (f"data: my key {c[:15]}".encode(), f"{c[15:]} is it\n\n".encode())
    yield Place("answer-in-2", c, Exchange(answer=pieces), pieces)
    c = core("answer-field-in-2")
    pieces = (f'{{"id": 1, "password": "{c[:9]}'.encode(), f'{c[9:]}", "x": 1}}'.encode())
    yield Place("answer-field-in-2", c, Exchange(answer=pieces), pieces)
    c = "sk-" + core("request-in-2")
    pieces = (f"key {c[:7]}".encode(), f"{c[7:]} is it".encode())
    yield Place("request-in-2", c, Exchange(body=pieces), pieces)


def _multipart(name: str, content: str) -> tuple[Pairs, bytes]:
    body = (
        '--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nx\r\n'
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: text/plain\r\n\r\n{content}\r\n--edge--\r\n"
    )
    return (("Content-Type", "multipart/form-data; boundary=edge"),), body.encode()


def _exchanges() -> Iterable[Place]:
    c = core("http-authorization")
    yield Place("http-authorization", c, Exchange(headers=(("Authorization", f"Bearer {c}"),)))
    c = "ek_" + core("http-path")
    yield Place("http-path", c, Exchange("GET", f"/v1/keys/{c}"))
    c = core("form-body") + "/+"
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    body = f"grant=x&client_secret={quote(c, safe='')}&y=1".encode()
    wire = (quote(c, safe="").encode(),)
    yield Place("form-body", c, Exchange(headers=form, body=(body,)), wire)
    c = core("multipart-field")
    headers, body = _multipart("token", c)
    yield Place("multipart-field", c, Exchange(headers=headers, body=(body,)))
    c = core("multipart-json")
    headers, body = _multipart("session", json.dumps({"tools": [{"authorization": c}]}))
    yield Place("multipart-json", c, Exchange(headers=headers, body=(body,)))
    c = core("sdp-offer")
    sdp = f"v=0\r\na=ice-ufrag:x\r\na=ice-pwd:{c}\r\na=mid:0\r\n".encode()
    yield Place("sdp-offer", c, Exchange(path="/v1/realtime/calls", body=(sdp,)))
    c = core("sdp-answer")
    sdp = f"v=0\r\na=ice-pwd:{c}\r\n".encode()
    yield Place("sdp-answer", c, Exchange(path="/v1/realtime/calls", answer=(sdp,), status=201))
    c = "ek_" + core("client-secret")
    made = json.dumps({"value": c, "expires_at": 1, "session": {"type": "realtime"}}).encode()
    yield Place("client-secret", c, Exchange(path="/v1/realtime/client_secrets", answer=(made,)))
    c = core("client-secret-value")
    made = json.dumps({"client_secret": {"value": c, "expires_at": 1}}).encode()
    yield Place("client-secret-value", c, Exchange(path="/v1/realtime/sessions", answer=(made,)))
    c = "sk-" + core("http-error-body")
    error = json.dumps({"error": {"message": f"Incorrect API key provided: {c}"}}).encode()
    yield Place("http-error-body", c, Exchange(status=401, answer=(error,)))
    c = "sk-" + core("http-reason")
    yield Place("http-reason", c, Exchange(status=401, reason=f"bad key {c}"))
    c = core("http-answer-header")
    yield Place("http-answer-header", c, Exchange(answer_headers=(("X-Api-Key", c),)))
    c = core("http-set-cookie")
    yield Place("http-set-cookie", c, Exchange(answer_headers=(("Set-Cookie", c),)))
    c = core("http-location")
    where = f"https://x.example/y?access_token={c}"
    yield Place("http-location", c, Exchange(status=307, answer_headers=(("Location", where),)))
    gzipped = (("Content-Encoding", "gzip"),)
    c = core("gzip-request")
    body = gzip.compress(json.dumps({"api_key": c}).encode(), mtime=0)
    yield Place("gzip-request", c, Exchange(headers=gzipped, body=(body,)))
    c = core("gzip-answer")
    body = gzip.compress(json.dumps({"api_key": c}).encode(), mtime=0)
    yield Place("gzip-answer", c, Exchange(answer_headers=gzipped, answer=(body[:30], body[30:])))
    c = core("unknown-coding")
    odd = (("Content-Encoding", "rot0"),)
    body = json.dumps({"api_key": c}).encode()
    yield Place("unknown-coding", c, Exchange(headers=odd, body=(body,)), marks="")


PLACES = [*_handshakes(), *_messages(), *_environment(), *_splits(), *_exchanges()]
