"""Cassettes of HTTP exchanges as VCR-like tools write them in JSON (`interactions`)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from recorder.capture.importers.conversation import Conversation, Source
from recorder.capture.importers.document import load
from recorder.capture.importers.exchange import Exchange, request_head
from recorder.errors import ImportFailed
from recorder.heads import Headers, ResponseHead
from recorder.providers.base import Provider

NAME = "cassette"
TITLE = "VCR-like cassette of HTTP exchanges (JSON)"


def read(source: Source, provider: Provider) -> Sequence[Conversation]:
    """All exchanges as one conversation, one channel each, known by the id an answer tells."""
    document = load(source)
    interactions = document.get("interactions") if isinstance(document, dict) else None
    if not isinstance(interactions, list) or not interactions:
        raise ImportFailed(f'{source.name} has no "interactions": it is no cassette')
    conversation = Conversation(timed=False)
    facts: dict[str, str] = {}
    for number, interaction in enumerate(interactions, 1):
        try:
            exchange = _exchange(interaction)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else error
            raise ImportFailed(
                f"{source.name}: interaction {number} is not a request and its response ({what});"
                " record the cassette again (nothing was imported)"
            ) from None
        channel = conversation.channel("http", exchange.request.path)
        conversation.takes += exchange.takes(channel)
        facts |= _facts(exchange, provider)
    conversation.facts = facts
    return [conversation]


def _facts(exchange: Exchange, provider: Provider) -> dict[str, str]:
    route = provider.route(exchange.request)
    key = route.key
    if key is None and exchange.response is not None:
        key = provider.correlate(exchange.request, exchange.response)
    known = {"external_id": key, "model": route.model}
    return {name: fact for name, fact in known.items() if fact}


def _exchange(interaction: Mapping[str, Any]) -> Exchange:
    asked, answer = interaction["request"], interaction["response"]
    head = request_head(asked["method"], asked["uri"], _headers(asked.get("headers")))
    status = answer["status"]
    response = ResponseHead(
        int(status["code"]), str(status.get("message") or ""), _headers(answer.get("headers"))
    )
    return Exchange(head, _body(asked.get("body")), response, _body(answer.get("body")))


def _headers(headers: Mapping[str, Any] | None) -> Headers:
    """`{name: [value, …]}` or `{name: value}`, in the order written."""
    return tuple(
        (str(name), str(value))
        for name, values in (headers or {}).items()
        for value in (values if isinstance(values, list) else [values])
    )


def _body(body: object) -> bytes:
    """Text, `{"string": text}` or `{"base64_string": …}`; nothing for null."""
    if isinstance(body, Mapping):
        if "base64_string" in body:
            return _decoded(str(body["base64_string"]))
        body = body.get("string")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise ValueError("a body is not text")
    return body.encode()


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a body is not base64") from None
