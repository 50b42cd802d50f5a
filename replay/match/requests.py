"""HTTP requests and upgrades as JSON, so that they are compared like messages.

`{"method", "path", "query": {name: [values]}, "body"}`: header fields are not compared. An SDP
offer has new ports, candidates and keys each time, so that only its presence counts.
"""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import parse_qs

from recorder.heads import Headers, RequestHead, ResponseHead, header
from replay.match.jsontext import Json, Number, parse

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.I)
_NAME = re.compile(r'\bname="([^"]*)"')


def target_value(head: RequestHead) -> dict[str, Json]:
    """Path and query of an upgrade or request."""
    return {"path": head.path, "query": dict(parse_qs(head.query, keep_blank_values=True))}


def request_value(head: RequestHead, body: bytes) -> dict[str, Json]:
    """A whole request."""
    return {"method": head.method, **target_value(head), "body": body_value(head.headers, body)}


def response_value(head: ResponseHead, body: bytes) -> dict[str, Json]:
    """A whole answer: `{"status", "body"}`."""
    return {"status": Number(head.status), "body": body_value(head.headers, body)}


def body_value(headers: Headers, body: bytes) -> Json:
    """A body by its content type: JSON, a form, or text; anything else as its SHA-256."""
    kind = (header(headers, "content-type") or "").lower()
    if kind.startswith("multipart/form-data"):
        return _parts(header(headers, "content-type") or "", body)
    if kind.startswith("application/sdp"):
        return "an SDP"
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True))
    return _plain(body)


def _plain(body: bytes) -> Json:
    if not body:
        return None
    try:
        return parse(body)
    except ValueError:
        pass  # not JSON: compared as it stands
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"sha256 {sha256(body).hexdigest()}"
    return "an SDP" if text.startswith("v=0\r\n") else text


def _parts(content_type: str, body: bytes) -> Json:
    """The parts of a form by name, in order."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return _plain(body)
    parts: dict[str, list[Json]] = {}
    for piece in body.split(b"--" + found[1].encode())[1:-1]:
        raw, _, content = piece.strip(b"\r\n").partition(b"\r\n\r\n")
        headers = tuple(
            (name.strip(), value.strip())
            for name, _, value in (
                line.partition(":") for line in raw.decode("latin-1").splitlines()
            )
        )
        named = _NAME.search(header(headers, "content-disposition") or "")
        parts.setdefault(named[1] if named else "", []).append(body_value(headers, content))
    return parts
