"""What a recording waits for when it begins: what its two processes load."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAVY = ("alembic", "numpy", "soundfile", "sqlalchemy")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("recorder.capture.process_main", ("aiohttp", *_HEAVY)),
        ("recorder.capture.proxy.server", _HEAVY),
    ],
)
def test_recording_loads_nothing_that_it_does_not_use(module: str, heavy: tuple[str, ...]) -> None:
    code = (
        f"import sys, {module}, recorder.store.files\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
