"""Rows of the table of features are data, and are read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.features.definitions import Definitions
from recorder.features.reading import definitions, read, shipped
from recorder.trial.toml import FileError

COLUMNS = """\
schema = 1
[[column]]
id = "acme"
name = "Acme"
sessions = "acme"
"""
ROWS = """\
schema = 1
area = "Sound"
order = 3
[[source]]
id = "page"
title = "Acme, Sound"
url = "https://acme.example/sound"
seen = 2026-11-24
[[feature]]
id = "echo"
name = "Echo"
asks = "Is there an echo?"
[[feature.shown]]
query = "SELECT 1, 2 FROM v_turns WHERE trial = :trial AND provider = :provider"
text = "{shown} of {of} echoes"
[feature.documented.acme]
support = "partly"
text = "a little"
source = "page"
"""


def table(rows: str = ROWS) -> Definitions:
    return read({"columns.toml": COLUMNS, "sound.toml": rows})


def test_a_row_has_its_query_and_its_claim() -> None:
    [feature] = table().features
    assert (feature.area, feature.name, feature.asks) == ("Sound", "Echo", "Is there an echo?")
    assert feature.claims["acme"].text == "a little"
    assert feature.claims["acme"].source.seen.isoformat() == "2026-11-24"
    query = feature.query("acme")
    assert query is not None
    assert query.text == "{shown} of {of} echoes"


def test_a_query_may_be_for_some_columns_alone() -> None:
    named = ROWS.replace('text = "{shown}', 'columns = ["acme"]\ntext = "{shown}')
    [feature] = table(named).features
    assert feature.query("acme") is not None
    assert feature.query("other") is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "Echo"', 'nmae = "Echo"', "sound.toml:9: feature 1: name is missing"),
        ('asks = "Is', 'hint = ""\nasks = "Is', "unknown key 'hint'; valid are asks, documented"),
        ("schema = 1", "schema = 2", "schema has to be 1"),
        ('area = "Sound"', "", "area is missing"),
        ("documented.acme", "documented.acne", "unknown key 'acne'; valid are acme"),
        ('support = "partly"', 'support = "maybe"', "valid are yes, partly, no"),
        ('support = "partly"', "", "support is missing: yes, partly, no"),
        ('source = "page"', 'source = "book"', "there is no source 'book' in this file"),
        ("seen = 2026-11-24", 'seen = "today"', "seen has to be a day, such as 2026-11-24"),
        ("https://", "http://", "url has to begin with https://"),
        ("trial = :trial", "trial = 'x'", "query has to use :trial and :provider"),
        ("= :provider", "= :provider AND turn = :n", "and no other parameter"),
        ("{shown} of {of} echoes", "{shown} echoes", "text has to use {shown} and {of}"),
        ("{shown} of {of} echoes", "{shown of {of}", "text is no template"),
        ("order = 3", "order = 3\nmood = 1", "unknown key 'mood'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, told: str) -> None:
    assert ROWS.count(old) == 1
    with pytest.raises(FileError) as caught:
        table(ROWS.replace(old, new))
    assert told in str(caught.value)


def test_a_file_names_a_row_once() -> None:
    twice = ROWS + ROWS[ROWS.index("[[feature]]") :]
    with pytest.raises(FileError, match="there is another feature 'echo' in this file"):
        table(twice)


def test_rows_are_added_and_replaced_without_code(tmp_path: Path) -> None:
    new = ROWS.replace("documented.acme", "documented.vapi").replace('"echo"', '"analytics"')
    (tmp_path / "a.toml").write_text(new)
    (tmp_path / "b.toml").write_text(ROWS.replace("documented.acme", "documented.vapi"))
    before, after = definitions(), definitions(tmp_path)
    assert len(after.features) == len(before.features) + 1
    replaced = next(each for each in after.features if each.id == "analytics")
    assert (replaced.name, replaced.area) == ("Echo", "Sound")


def test_a_place_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"has no \*\.toml"):
        definitions(tmp_path)
    with pytest.raises(FileError, match="cannot be read"):
        definitions(tmp_path / "none.toml")


def test_what_is_shipped_covers_what_a_migration_needs() -> None:
    found = definitions()
    assert [each.id for each in found.columns] == ["openai-realtime", "vapi", "openai-live"]
    needed = {"authentication", "live-audio", "interruption", "function-calling", "transcription"}
    needed |= {"text-to-speech", "assistant-management", "analytics", "inbound", "recording"}
    needed |= {"cost-report", "latency-report", "model-choice", "model-end", "knowledge-base"}
    needed |= {"voicemail", "languages", "retention", "rate-limits"}
    assert needed <= {each.id for each in found.features}
    areas = [each.area for each in found.features]
    assert areas == sorted(areas, key=areas.index)
    assert len(shipped()) == 6
