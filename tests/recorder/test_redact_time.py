"""No input takes the redactor long: its time grows with the length of the text, not faster."""

from __future__ import annotations

import base64
import random
import time

import pytest

from recorder.redact import Redactor, Secrets

SIZE = 100_000
LIMIT_S = 2.0  # CPU; a fifth is usual, and what grows with the square of the length takes minutes
NOISE = base64.b64encode(random.Random(1).randbytes(SIZE * 3 // 4))
SECRETS = Secrets(b"key", ("known-Value-12345", "another.Secret.9"))


def many(text: bytes, size: int = SIZE) -> bytes:
    """`text` again and again, up to `size` bytes."""
    return (text * (size // len(text) + 1))[:size]


INPUTS = {
    "prefixes": many(b"sk-"),
    "keys": many(b"sk-aaaaaaaaaaaaaaaa "),
    "one long key": b"sk-" + many(b"a"),
    "quotes": many(b'"'),
    "quotes of both kinds": many(b"\"'"),
    "names": many(b'"token":"'),
    "unclosed": b'"token":"' + many(b"'"),
    "assignments": many(b"token=x "),
    "assigned quotes": many(b'"token"=\'"'),
    "one long name": many(b"a.") + b"token=x",
    "form": many(b"token=b&"),
    "encoded form": many(b"%74oken=%41&"),
    "query": b'{"query":"' + many(b"token=%73k&") + b'"}',
    "percent": many(b"%25"),
    "backslashes": b'{"token' + many(b"\\") + b'"}',
    "escaped quotes": b'{"a":"' + many(b'\\"token\\":\\"x'),
    "unicode escapes": many(b"\\u0073"),
    "brackets": many(b"["),
    "nested objects": b'{"token":' * 20_000 + b'"x"' + b"}" * 20_000,
    "secret fields": b"[" + many(b'{"token":"abcdefgh"},') + b"{}]",
    "lines of JSON": many(b'{"token":"x"}\n'),
    "cut JSON": many(b'{"token":"x",'),
    "headers": many(b"x-api-key: a\n"),
    "parts": many(b"content-disposition: form-data; name=token\r\n"),
    "parts with many names": many(b"content-disposition:; name=a" + b"; name=b" * 10 + b"\n"),
    "parts without end": many(b"content-disposition:; name=a\n\n"),
    "base64": NOISE,
    "base64 in a field": b'{"a":"' + NOISE + b'","token":"x"}',
    "base64 with a hint": NOISE + b" sk-",
    "web tokens": many(b"eyJaaaaaa."),
    "private keys": many(b"-----BEGIN PRIVATE KEY-----"),
    "an endless private key": b"-----BEGIN PRIVATE KEY-----" + many(b"-----END "),
    "bearers": many(b"bearer aaaa."),
    "basics": many(b"basic YTpi "),
    "addresses": many(b"://a:"),
    "candidates": many(b"candidate: ufrag "),
    "known values": many(b"known-Value-12345"),
    "markers": many(b"token=[redacted] "),
    "spaces": b"token=bearer" + many(b" "),
}


@pytest.mark.parametrize("kind", ["ws.text", "http.chunk"])
@pytest.mark.parametrize("name", INPUTS)
def test_it_takes_no_longer_than_its_length(name: str, kind: str) -> None:
    redactor = Redactor(SECRETS)
    began = time.process_time()
    clean = redactor.redact(1, "client", kind, "", INPUTS[name])  # type: ignore[arg-type]
    left = redactor.leftover(clean)
    assert time.process_time() - began < LIMIT_S
    assert left is None


def test_a_text_with_thousands_of_secrets_is_one() -> None:
    redactor = Redactor(SECRETS)
    text = many(b"sk-aaaaaaaaaaaaaaaa ")
    assert redactor.redact(1, "client", "ws.text", "", text) == b"[redacted]"
    field = b'{"say":"' + text + b'","input_tokens":1}'
    clean = redactor.redact(1, "client", "ws.text", "", field)
    assert clean == b'{"say":"[redacted]","input_tokens":1}'
