"""Shared by all tests. That it stands here lets them import `tapes`."""

from __future__ import annotations

import pytest
from hypothesis import settings
from thoroughness import SLOW

settings.register_profile("quick", max_examples=30)
if not SLOW:
    settings.load_profile("quick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long runs only when it is asked for."""
    if SLOW:
        return
    skip = pytest.mark.skip(reason="slow: `make test-all` runs it")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)
