"""Where personal data is, and what becomes of it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from recorder.redact import Personal, Redactor, Secrets
from recorder.redact.personal import Places

SECRETS = Secrets(b"key", personal=True)
TABLE = Personal(
    ("said", "customer.number", "list.*", "messages.*.text", "facts.**"), frozenset({"k.delta"})
)
PLACES = Places(TABLE.places)


@pytest.mark.parametrize(
    "path",
    [
        ("said",),
        ("a", 0, "said"),
        ("customer", "number"),
        ("call", "customer", "number"),
        ("list", 3),
        ("messages", 7, "text"),
        ("facts", "a"),
        ("x", "facts", "a", 0, "b"),
    ],
)
def test_a_place_is_the_end_of_a_path(path: tuple[str | int, ...]) -> None:
    assert path in PLACES


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("unsaid",),
        ("said", "more"),
        ("number",),
        ("number", "customer"),
        ("list",),
        ("messages", "text"),
        ("facts",),
        ("customer.number",),
    ],
)
def test_anything_else_is_none(path: tuple[str | int, ...]) -> None:
    assert path not in PLACES


def left(value: Any, type_: str = "x", table: Personal = TABLE) -> Any:
    body = json.dumps(value).encode()
    redactor = Redactor(SECRETS, table)
    result = redactor.redact(1, "client", "ws.text", type_, body)
    assert redactor.leftover(result) is None
    assert redactor.redact(1, "client", "ws.text", type_, result) is result
    return json.loads(result)


def test_texts_go_as_a_whole_and_all_else_stays() -> None:
    value = {"said": 'so "this"\u00e9\n', "n": {"said": 7, "b": True}, "facts": {"a": ["x", 1]}}
    assert left(value) == {
        "said": "[redacted]",
        "n": {"said": 7, "b": True},
        "facts": {"a": ["[redacted]", 1]},
    }
    assert left({"said": ""}) == {"said": ""}


def test_a_secret_in_words_goes_with_them() -> None:
    key = "sk-proj-Qw8zRt5yUo2pAs9dFg"
    assert left({"said": f"my key is {key}", "other": key})["said"] == "[redacted]"
    assert left({"other": key})["other"].startswith("[redacted:")


def test_of_a_kept_type_only_numbers_go() -> None:
    value = {"said": "text", "delta": "dial +1 415 555 0100 now"}
    assert left(value, "k.delta") == {"said": "text", "delta": "dial [redacted] now"}


def test_a_number_in_pieces_goes_with_what_begins_like_one() -> None:
    redactor = Redactor(SECRETS, TABLE)
    pieces = ["dial +1", "415", "5550100", " now, 2+2"]
    bodies = [json.dumps({"item_id": "i", "delta": piece}).encode() for piece in pieces]
    results = [redactor.redact(1, "provider", "ws.text", "k.delta", body) for body in bodies]
    said = [json.loads(result)["delta"] for result in results]
    assert said[0] == "dial [redacted]"
    assert said[-1] == " now, 2+2"
    assert not set("4150") & set("".join(said[:3]))


def test_in_a_part_of_a_text_a_field_is_told_by_its_name() -> None:
    redactor = Redactor(SECRETS, TABLE)
    pieces = [b'{"a": {"said": "one tw', b"o thr", b'ee", "number": "four", "b": "five"}}']
    results = [redactor.redact(1, "client", "http.chunk", "POST /x", piece) for piece in pieces]
    whole = b"".join(results)
    assert whole.startswith(b'{"a": {"said": "')
    assert whole.endswith(b'", "b": "five"}}')
    assert not [word for word in (b"one", b"tw", b"thr", b"ee", b"four") if word in whole]


def test_without_the_wish_nothing_personal_goes() -> None:
    body = b'{"said": "call +14155550100"}'
    assert Redactor(Secrets(b"key"), TABLE).redact(1, "client", "ws.text", "x", body) is body


def test_a_long_name_over_many_texts_takes_no_time() -> None:
    value = {"n" * 300_000: [{"said": "x"} for _ in range(20_000)]}
    start = time.process_time()
    assert b"x" not in json.dumps(next(iter(left(value).values()))).encode()
    assert time.process_time() - start < 5
