"""Who is asking, and in which dialect: read from the head of a request."""

from __future__ import annotations

from urllib.parse import parse_qs

from recorder.heads import RequestHead, header

_KEY_PROTOCOL = "openai-insecure-api-key."
_BETA_PROTOCOL = "openai-beta.realtime-v1"


def parameter(head: RequestHead, name: str) -> str | None:
    """The first value of a query parameter, or None; an empty one is kept."""
    values = parse_qs(head.query, keep_blank_values=True).get(name)
    return values[0] if values else None


def key(head: RequestHead) -> str | None:
    """The key from the headers, a sub-protocol or the query, or None."""
    for found in (header(head.headers, "authorization"), parameter(head, "Authorization")):
        scheme, _, value = (found or "").partition(" ")
        if scheme.lower() == "bearer" and value.strip():
            return value.strip()
    for protocol in head.subprotocols:
        if protocol.startswith(_KEY_PROTOCOL) and protocol != _KEY_PROTOCOL:
            return protocol.removeprefix(_KEY_PROTOCOL)
    return header(head.headers, "api-key") or parameter(head, "api-key") or None


def asks_for_beta(head: RequestHead) -> bool:
    """Whether a header, a sub-protocol or a preview version of Azure asks for the beta dialect."""
    asked = "realtime=v1" in (header(head.headers, "openai-beta") or "")
    return asked or _BETA_PROTOCOL in head.subprotocols or is_preview(head)


def is_preview(head: RequestHead) -> bool:
    """Whether this is a preview version of Azure's API."""
    return "preview" in (parameter(head, "api-version") or "")


def model(head: RequestHead) -> str | None:
    """The model, or Azure's deployment, from the query."""
    return parameter(head, "model") or parameter(head, "deployment")
