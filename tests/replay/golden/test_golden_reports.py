"""What a user reads when a replay does not fit, as files.

`UPDATE_GOLDEN=1 pytest tests/replay/golden` writes them anew; read the difference before keeping
it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import situations
import situations_beside
from staging import PLAIN_SECRET, SECRET

FOLDER = Path(__file__).parent / "reports"
SITUATIONS = {**situations.SITUATIONS, **situations_beside.SITUATIONS}
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_report_is_the_one_on_file(name: str) -> None:
    path = FOLDER / f"{name}.txt"
    report = SITUATIONS[name]() + "\n"
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(report, "utf-8")
    assert path.exists(), "run again with UPDATE_GOLDEN=1 to write it"
    assert report == path.read_text("utf-8")


def test_there_is_no_file_without_a_situation() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(SITUATIONS)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_reports_are_short_and_say_what_to_do(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = text.splitlines()
    assert len(lines) < 12
    assert all(len(line) <= 400 for line in lines)
    assert SECRET not in text
    assert PLAIN_SECRET not in text
    if lines[0].startswith("replay failed"):
        assert any(line.startswith("  next      ") for line in lines)
