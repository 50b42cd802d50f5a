"""What docs/pytest.md says holds."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from plugin_world import greeting, keep
from tapes import WALL_NS

from replay.pytest_plugin.modes import MODES
from replay.pytest_plugin.settings import SETTINGS

TEXT = (Path(__file__).parents[3] / "docs" / "pytest.md").read_text()
WALL_NS_AGAIN = WALL_NS + 3_600_000_000_000


def rows(header: str) -> list[list[str]]:
    """The rows of the table whose header line begins so."""
    _, _, rest = TEXT.partition(f"\n{header}")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_precedence_is_whole() -> None:
    told = {row[0].strip("`"): row for row in rows("| command line")}
    for setting in SETTINGS.values():
        row = told.pop(setting.option)
        assert row[1] == f"`{setting.variable}`"
        assert row[3] == f"`{setting.ini}`"
        assert row[4].startswith(f"`{setting.default}`" if setting.default else "none")
    assert set(told) == {"--tape-orphans", "--tape-record-on-error"}


def test_the_table_of_modes_is_whole() -> None:
    assert {row[0].split("`")[1] for row in rows("| `--tape-mode`")} == set(MODES)


def test_the_diff_of_a_tape_shows_what_was_said_otherwise(tmp_path: Path) -> None:
    """The command that the page gives to git, on a conversation that was held again."""
    given = re.search(r'textconv "(.*)"$', TEXT, re.M)
    assert given
    command = given[1].replace('\\"', '"')
    keep(tmp_path / "old", greeting())
    keep(
        tmp_path / "new",
        [take._replace(at_ms=take.at_ms + 1) for take in greeting("Long.")],
        WALL_NS_AGAIN,
    )
    shown = []
    for name in ("old", "new"):
        path = tmp_path / name / "events.jsonl"
        words = ["sh", "-c", f'{command} "$@"', "sh", str(path)]
        shown.append(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    old, new = (text.splitlines() for text in shown)
    differing = [
        number for number, pair in enumerate(zip(old, new, strict=True), 1) if len(set(pair)) > 1
    ]
    assert differing == [4]
    assert "Short." in old[3]
    assert "Long." in new[3]
