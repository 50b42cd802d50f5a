"""`record sql` and `record db`: what they answer, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from commandline import Kept, out, run

_QUERY = "SELECT seq, kind, raw, type FROM event WHERE kind <> 'ws.text' AND session = '{}'"


def test_sql_as_a_table(kept: Kept) -> None:
    assert out(kept, "sql", _QUERY.format(kept.raw)).splitlines() == [
        "seq  kind       raw           type",
        "  1  ws.binary  ff00fe (3 B)",
        "  4  ws.ping",
        "2 rows",
    ]


def test_sql_as_json_and_csv(kept: Kept) -> None:
    query = _QUERY.format(kept.raw)
    assert json.loads(out(kept, "sql", query, "--format", "json")) == [
        {"seq": 1, "kind": "ws.binary", "raw": "ff00fe", "type": ""},
        {"seq": 4, "kind": "ws.ping", "raw": None, "type": ""},
    ]
    text = "SELECT 'a,\"b' AS x, NULL AS y, x'00' AS z"
    rows = list(csv.reader(io.StringIO(out(kept, "sql", text, "--format", "csv"))))
    assert rows == [["x", "y", "z"], ['a,"b', "", "00"]]
    assert json.loads(out(kept, "sql", "SELECT 1 WHERE 0", "--format", "json")) == []


def test_sql_from_standard_input(kept: Kept) -> None:
    assert out(kept, "sql", "-", stdin="SELECT count(*) AS n\nFROM session").splitlines() == [
        "n",
        "3",
        "1 row",
    ]


def test_sql_of_a_view_and_of_the_schema(kept: Kept) -> None:
    found = json.loads(out(kept, "sql", "SELECT * FROM v_sessions", "--format", "json"))
    assert [row["session"] for row in found] == [kept.spoken, kept.raw, kept.left]
    assert "body" in out(kept, "sql", "PRAGMA table_info(event)")


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM event",
        "UPDATE session SET trial = 'x'",
        "INSERT INTO setting VALUES ('x', x'00')",
        "CREATE TABLE x (a)",
        "CREATE TEMP TABLE x (a)",
        "DROP TABLE event",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA writable_schema = ON",
        "ATTACH '{}' AS other",
        "VACUUM INTO '{}'",
        "BEGIN EXCLUSIVE",
    ],
)
def test_sql_refuses_to_write(kept: Kept, tmp_path: Path, query: str) -> None:
    before = kept.path.read_bytes()
    ended = run(kept, "sql", query.format(tmp_path / "other.db"))
    assert (ended.code, ended.error.split(":")[0]) == (2, "a query may only read")
    assert not (tmp_path / "other.db").exists()
    assert kept.path.read_bytes() == before


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1 FROM", "incomplete input"),
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM other", "no such table: other"),
        ("", "there is no question"),
        ("/* only words */", "there is no question"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
    ],
)
def test_sql_errors_are_one_line(kept: Kept, query: str, message: str) -> None:
    ended = run(kept, "sql", query)
    assert ended.code == 2
    assert message in ended.error
    assert "\n" not in ended.error


def test_sql_json_needs_names_that_differ(kept: Kept) -> None:
    assert "AS" in run(kept, "sql", "SELECT 1 AS a, 2 AS a", "--format", "json").error


def test_db_path_and_info(kept: Kept) -> None:
    assert out(kept, "db", "path") == f"{kept.path}\n"
    info = json.loads(out(kept, "db", "info", "--json"))
    assert (info["sessions"], info["events"], info["open_segments"]) == (3, 104, 2)
    text = out(kept, "db", "info")
    assert "sessions   3\n" in text
    assert "events     104\n" in text


def test_db_upgrade_has_nothing_to_do(kept: Kept) -> None:
    assert out(kept, "db", "upgrade").startswith("nothing to do: the schema is ")


def test_db_backup_is_a_store(kept: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert out(kept, "db", "backup", str(copy)) == f"copied to {copy}\n"
    assert out(copy, "sessions", "--json") == out(kept, "sessions", "--json")
    assert run(kept, "db", "backup", str(copy)).code == 2
