"""Fixtures for tests that run the real commands; that it stands here lets them import `harness`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import Studio


@pytest.fixture(scope="session", autouse=True)
def _local() -> Iterator[None]:
    """Nothing here goes through a forward proxy, and no SDK reports to its maker."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1")
        patch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
        yield


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(tmp_path_factory.mktemp("studio")) as studio:
        yield studio
