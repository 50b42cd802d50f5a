"""Requests as JSON."""

from __future__ import annotations

from recorder.heads import RequestHead
from replay.match.requests import body_value, request_value


def form(boundary: str, sdp: str) -> bytes:
    parts = (("sdp", "application/sdp", sdp), ("session", "application/json", '{"b":1, "a":2}'))
    lines = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n{text}\r\n"
        for name, kind, text in parts
    )
    return f"{lines}--{boundary}--\r\n".encode()


def posted(kind: str, body: bytes) -> object:
    return body_value((("Content-Type", kind),), body)


def test_forms_compare_by_part_whatever_the_boundary() -> None:
    one = posted("multipart/form-data; boundary=abc", form("abc", "v=0\r\no=1"))
    other = posted('multipart/form-data; boundary="x-y"', form("x-y", "v=0\r\no=2"))
    assert one == other
    assert one == {"sdp": ["an SDP"], "session": [{"b": "1", "a": "2"}]}


def test_bodies_of_each_kind() -> None:
    assert posted("application/json", b'{"a":"x"}') == {"a": "x"}
    assert posted("application/x-www-form-urlencoded", b"a=1&a=2&b=") == {
        "a": ["1", "2"],
        "b": [""],
    }
    assert posted("application/sdp", b"v=0\r\nanything") == "an SDP"
    assert posted("text/plain", b"words") == "words"
    assert str(posted("image/png", b"\x89\xff")).startswith("sha256 ")
    assert posted("application/json", b"") is None


def test_the_query_is_compared_without_order() -> None:
    one = request_value(RequestHead("GET", "/p", "b=2&a=1"), b"")
    other = request_value(RequestHead("GET", "/p", "a=1&b=2"), b"")
    assert one == other
