"""Pieces of streams are not read for what was used, because they do not tell it."""

from __future__ import annotations

import pytest

from recorder.providers import PROVIDERS

USED = {"seconds": 3, "input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
MESSAGE = {"usage": USED, "response": {"id": "a", "usage": USED}, "cost": 1.0, "delta": ""}


@pytest.mark.parametrize("name", PROVIDERS)
def test_no_piece_tells_of_usage(name: str) -> None:
    found = PROVIDERS[name]
    for type_ in found.RULES.deltas:
        assert list(found.usage().read(type_, MESSAGE)) == []
