"""What holds for any text: clean ones pass untouched, and only secrets are changed."""

from __future__ import annotations

import base64
import json
import random
import re
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.redact import Redactor, Secrets, marker
from recorder.redact.finder import Finder
from recorder.redact.names import is_secret_field, is_secret_header, is_secret_query
from recorder.redact.secrets import MARKER
from recorder.redact.sieve import Sieve
from recorder.redact.views import unescaped, unquoted
from recorder.redact.walk import strings, texts

KNOWN = ("Xv7-quartz/Brim_42-Ohm", "geheim über alles")
SECRETS = Secrets(b"key", KNOWN)
SIEVE = Sieve(SECRETS)
FINDER = Finder(SECRETS, SIEVE)
KEY = "sk-proj-Qw8zRt5yUo2pAs9dFg"

words = st.text(string.ascii_letters + ' .,!?:;0123456789äß€\n\t"\\/', max_size=30)
names = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8).filter(
    lambda name: not is_secret_field(name) and not name.endswith(("headers", "logprobs"))
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
layouts = st.sampled_from([(",", ":"), (", ", ": ")])


def redacted(body: bytes, kind: str = "ws.text") -> bytes:
    return Redactor(SECRETS).redact(1, "client", kind, "type", body)


@settings(max_examples=examples(80), deadline=None)
@given(values, layouts, st.booleans())
def test_clean_json_is_the_same_object(value: Any, layout: tuple[str, str], ascii_: bool) -> None:
    body = json.dumps(value, separators=layout, ensure_ascii=ascii_).encode()
    assert redacted(body) is body
    assert redacted(body, "http.chunk") is body


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 20_000))
def test_audio_is_never_touched(seed: int, size: int) -> None:
    text = base64.b64encode(random.Random(seed).randbytes(size))
    for body in (b'{"type":"input_audio_buffer.append","audio":"' + text + b'"}', text):
        assert redacted(body) is body
        assert redacted(body, "http.chunk") is body
    assert not FINDER.find(text)


def planted(value: Any, path: list[int], secret: str) -> Any:
    """`value` with a secret text in one of its places."""
    if not path or not isinstance(value, (list, dict)) or not value:
        return [value, f"see {secret} there"]
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = planted(value[key], path[1:], secret)
    return copy


@settings(max_examples=examples(80), deadline=None)
@given(values, st.lists(st.integers(0, 9), max_size=4), layouts, st.sampled_from([KEY, *KNOWN]))
def test_structure_and_all_else_stay(
    value: Any, path: list[int], layout: tuple[str, str], secret: str
) -> None:
    body = json.dumps(planted(value, path, secret), separators=layout).encode()
    result = redacted(body)
    assert json.loads(result) == planted(value, path, marker(SECRETS, secret))
    quoted = json.dumps(secret)[1:-1].encode()
    assert result == body.replace(quoted, marker(SECRETS, secret).encode())
    assert redacted(result) is result


@settings(max_examples=examples(80), deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                KEY,
                *KNOWN,
                "Bearer ",
                "password",
                "api_key",
                "://",
                "u:p@",
                "=",
                ":",
                '"',
                "'",
                "\\",
                "{",
                "}",
                "[",
                ",",
                " ",
                "&",
                "?",
                "%2D",
                "%",
                "\\u002d",
                "sk-",
                "eyJ",
                ".",
                "\r\n",
                "a=ice-pwd:",
                "x",
                "1",
                "é",
                "[redacted]",
                "-----BEGIN PRIVATE KEY-----",
                "--",
            ]
        ),
        max_size=14,
    )
)
def test_twice_is_once_and_nothing_known_is_left(parts: list[str]) -> None:
    body = "".join(parts).encode()
    for kind in ("ws.text", "http.chunk"):
        result = redacted(body, kind)
        assert not re.search(rb"(?<![A-Za-z0-9])" + KEY.encode(), result)
        assert KNOWN[0].encode() not in result
        assert Redactor(SECRETS).leftover(result) is None
        assert redacted(result) is result
        if not body.strip():
            assert result is body


@settings(max_examples=examples(80), deadline=None)
@given(st.text('{}[]",:\\ aks-_=%/.u0', max_size=40), st.integers(0, 40))
def test_the_sieve_passes_nothing_that_the_finder_would_find(text: str, at: int) -> None:
    for part in (KEY, '"api_key":"x"', "://a:b@", "?sig=x", "Bearer abcd1234", "PASS_WORD=x"):
        body = f"{text[:at]}{part}{text[at:]}".encode()
        assert not (Sieve(SECRETS).is_clean(body) and FINDER.find(body))


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "API-Key",
        "client_secret",
        "clientSecret",
        "secret",
        "password",
        "token",
        "access_token",
        "refreshToken",
        "private_key",
        "credentials",
        "authorization",
        "auth",
        "jwt",
        "Ocp-Apim-Subscription-Key",
        "aws_secret_access_key",
        "passphrase",
        "passwd",
        "pass_word",
        "cookie",
        "usernameFragment",
        "accessKeyId",
        "x.session.token",
        "pwd",
        "bot_token",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_field(name)
    body = json.dumps({name: "v"}).encode()
    assert not Sieve(SECRETS).is_clean(body)
    assert json.loads(redacted(body)) == {name: marker(SECRETS, "v")}


@pytest.mark.parametrize(
    "name", ["sig", "key", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "code"]
)
def test_names_of_secrets_in_a_query(name: str) -> None:
    assert is_secret_query(name)
    body = f"see https://h/x?a=b&{name}=v".encode()
    assert redacted(body) == body[:-1] + marker(SECRETS, "v").encode()


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("X-Signature", True),
        ("Authorization", True),
        ("X-Goog-Api-Key", True),
        ("Cookie", True),
        ("Sec-WebSocket-Key", False),
        ("Content-Type", False),
        ("X-Author", False),
        ("Access-Control-Allow-Credentials", False),
        ("OpenAI-Beta", False),
        ("Via", False),
    ],
)
def test_names_of_headers(name: str, secret: bool) -> None:
    assert is_secret_header(name) is secret


@given(st.text(max_size=30))
def test_views_decode_like_the_library(text: str) -> None:
    for ascii_ in (True, False):
        raw = json.dumps(text, ensure_ascii=ascii_)[1:-1].encode("utf-8", "surrogatepass")
        view = unescaped(raw)
        assert view.text.decode("utf-8", "surrogatepass") == text
        assert view.at(len(view.text)) == len(raw)


def test_views_know_where_each_byte_stood() -> None:
    view = unescaped(b"a\\u00e9\\nb\\ud83d\\ude00c")
    assert view.text == "aé\nb😀c".encode()
    assert [view.at(offset) for offset in range(len(view.text) + 1)] == (
        [0, 1, 1, 7, 9, 10, 10, 10, 10, 22, 23]
    )
    assert unquoted(b"a%20b%zz").text == b"a b%zz"


@settings(max_examples=examples(60), deadline=None)
@given(values)
def test_the_walk_sees_every_string(value: Any) -> None:
    def inside(part: Any) -> list[tuple[bool, str]]:
        if isinstance(part, str):
            return [(False, part)]
        if isinstance(part, dict):
            return [s for name, each in part.items() for s in [(True, name), *inside(each)]]
        return [s for each in part for s in inside(each)] if isinstance(part, list) else []

    raw = json.dumps(value).encode()
    seen = [(name, unescaped(raw[t.start : t.end]).text.decode()) for name, t in strings(raw)]
    assert seen == inside(value)
    assert list(texts(raw)) == [text for is_name, text in strings(raw) if not is_name]


def test_markers_are_safe_where_they_stand() -> None:
    mark = marker(SECRETS, KEY)
    assert MARKER.fullmatch(mark.encode())
    assert json.dumps(mark)[1:-1] == mark
    assert not set(mark) & set("\r\n,;&=#%+ \"'\\")
