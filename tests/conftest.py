"""Shared by all tests. That it stands here lets them import `tapes`."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, settings
from thoroughness import SLOW

# Each HTTP client loads what certificates it trusts. Tests speak to this machine only: one
# certificate in the place of some hundred saves a tenth of a second a client and a process.
_trusted = tempfile.TemporaryDirectory()
if "PYTEST_XDIST_WORKER" not in os.environ:  # the parent of a worker has set it
    os.environ["SSL_CERT_FILE"] = str(Path(_trusted.name) / "trusted.pem")
    trustme.CA().cert_pem.write_to_path(os.environ["SSL_CERT_FILE"])

# Looking for rings of garbage among all that the tests import took an eighth of their time.
gc.set_threshold(50_000, 20, 20)

# How fast a loaded machine draws examples says nothing about what is tested.
_SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", _SHARED)
settings.register_profile("quick", _SHARED, max_examples=30)
settings.load_profile("thorough" if SLOW else "quick")


SLOW_FILES = (
    "e2e/mutants/",
    "recorder/commands/test_commands_rebuild.py",
    "recorder/report/test_page_browser.py",
    "recorder/test_background.py",
    "replay/pytest_plugin/test_plugin_records.py",
    "replay/simulators/vapi/test_vapi_sim_sdk.py",
    "replay/test_digest_determinism.py",
)


_TYPED = (
    "tests/recorder/trial/test_speaker.py",
    "tests/replay/commands/test_serve_command.py",
    "tests/replay/server/test_machine_server.py",
    "tests/replay/simulators/test_openai_",
)


@pytest.fixture(scope="session", autouse=True)
def _new_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from new_stores import Copies, files

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "open_file", Copies(tmp_path_factory.mktemp("new")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long runs only when it is asked for."""
    if SLOW:
        return
    skip = pytest.mark.skip(reason="slow: `make test-all` runs it")
    for item in items:
        name = item.nodeid.removeprefix("tests/")
        if item.get_closest_marker("slow") or name.startswith(SLOW_FILES):
            item.add_marker(skip)


@pytest.hookimpl(optionalhook=True)  # there is none where xdist is turned off
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """As `--dist loadfile`, save that one process runs all that is checked by the types of OpenAI's
    SDK: each that does loads it for two seconds."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            own = nodeid.startswith(_TYPED)
            return "typed" if own else str(super()._split_scope(nodeid))

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """What was imported stays."""
    gc.freeze()
