"""What was redacted on the tape, wherever it stood, does not keep a live client from fitting."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.providers import PROVIDERS
from recorder.redact import Redactor, Secrets
from replay.match.compare import Matcher
from replay.match.rulebook import Rulebook

BOOK = Rulebook(PROVIDERS["openai"].RULES)
KNOWN = "correct-horse-battery"
REDACTOR_OF_THE_TAPE = Secrets(b"key of the tape", (KNOWN,))
SHAPED = "sk-proj-0123456789abcdefghijABCDEFGHIJ"
RENEWED = "sk-proj-ZYXWVUTSRQPONMLKJIHGzyxwvutsrq"

WORDS = st.text("abc äß,.", max_size=12)
TEXTS = st.lists(WORDS | st.sampled_from([SHAPED, KNOWN]), max_size=5).map(" ".join)
NAMES = st.sampled_from(["a", "note", "list", "api_key", "password"])
TREES = st.recursive(
    TEXTS | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


def update(tree: Any, clean: str = "not secret") -> dict[str, Any]:
    return {"type": "session.update", "session": {"x": tree, "clean": clean}}


def taped(message: dict[str, Any]) -> bytes:
    """The message as a tape has it."""
    redactor = Redactor(REDACTOR_OF_THE_TAPE)
    body = json.dumps(message).encode()
    kept = redactor.redact(1, "client", "ws.text", "session.update", body)
    assert KNOWN.encode() not in kept
    return kept


def path(want: dict[str, Any], got: dict[str, Any]) -> str | None:
    live = json.dumps(got).encode()
    found = Matcher(BOOK, frozenset()).match("session.update", taped(want), live)
    return found.path if found else None


@settings(max_examples=examples(300), deadline=None)
@given(TREES, st.booleans())
def test_a_live_client_fits_with_the_same_secrets_and_with_renewed_ones(
    tree: Any, renews: bool
) -> None:
    live = json.loads(json.dumps(tree).replace(SHAPED, RENEWED)) if renews else tree
    assert path(update(tree), update(live)) is None


@settings(max_examples=examples(100), deadline=None)
@given(TREES)
def test_what_is_no_secret_still_has_to_be_the_same(tree: Any) -> None:
    assert path(update(tree), update(tree, "not the same")) == "$.session.clean"
