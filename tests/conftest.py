"""Shared by all tests. That it stands here lets them import `tapes`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from thoroughness import SLOW

# How fast a loaded machine draws examples says nothing about what is tested.
_SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", _SHARED)
settings.register_profile("quick", _SHARED, max_examples=30)
settings.load_profile("thorough" if SLOW else "quick")


SLOW_FILES = (
    "e2e/mutants/",
    "e2e/test_e2e_vapi_call.py",
    "recorder/capture/test_crash.py",
    "recorder/commands/test_commands_rebuild.py",
    "recorder/report/test_page_browser.py",
    "recorder/store/test_store_pages.py",
    "recorder/store/test_store_postgres.py",
    "recorder/test_background.py",
    "replay/player/test_player_determinism.py",
    "replay/pytest_plugin/test_plugin_records.py",
    "replay/simulators/vapi/test_vapi_sim_sdk.py",
    "replay/test_digest_determinism.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long runs only when it is asked for."""
    if SLOW:
        return
    skip = pytest.mark.skip(reason="slow: `make test-all` runs it")
    for item in items:
        name = item.nodeid.removeprefix("tests/")
        if item.get_closest_marker("slow") or name.startswith(SLOW_FILES):
            item.add_marker(skip)
