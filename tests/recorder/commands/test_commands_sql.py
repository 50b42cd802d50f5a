"""`record sql` and `record db`: what they answer, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from pathlib import Path

import pytest
from commandline import Kept, out, run

from recorder.store import open_store

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
    out(kept, "sql", "SELECT 1")  # brings the read models up to date
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


def test_sql_by_name(kept: Kept) -> None:
    told = json.loads(out(kept, "sql", "@slowest-turns", "--format", "json"))
    assert [(row["session_id"], row["turn"], row["v2v_ms"]) for row in told] == [
        (kept.spoken, 1, 850.0),
        (kept.left, 1, 850.0),  # its recording died: it is read as far as it goes
    ]
    words = json.loads(out(kept, "sql", "@search", "-p", "words=hello", "--format", "json"))
    assert [row["text"] for row in words] == ["Hello there."]


@pytest.mark.parametrize("words", ["there hello", "hello  there's", '"hello', "hello-there"])
def test_sql_search_takes_words_as_people_write_them(kept: Kept, words: str) -> None:
    told = json.loads(out(kept, "sql", "@search", "-p", f"words={words}", "--format", "json"))
    assert [row["text"] for row in told] == ([] if "'s" in words else ["Hello there."])


def test_sql_parameters_name_sessions_as_everywhere(kept: Kept) -> None:
    query = ("sql", "@timeline", "-p", "to_ms=25", "--format", "json")
    named = json.loads(out(kept, *query, "-p", f"session={kept.spoken[:-2]}"))
    assert [(row["seq"], row["at_ms"]) for row in named] == [(1, 0.0), (2, 20.0), (3, 25.0)]
    assert json.loads(out(kept, *query))[0]["seq"] == 1  # of the last session
    mine = "SELECT count(*) AS n FROM event WHERE session = :session AND seq <= :most"
    told = out(kept, "sql", mine, "-p", "session=last~1", "-p", "most=3", "--format", "csv")
    assert told.splitlines() == ["n", "3"]


def test_sql_lists_its_queries(kept: Kept) -> None:
    lines = out(kept, "sql", "--list").splitlines()
    assert lines[0].split() == ["NAME", "QUESTION", "-p"]
    assert len(lines) >= 26
    assert any(line.startswith("@slowest-turns ") for line in lines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["@slowest-turn"], "is it @slowest-turns?"),
        (["@slowest-turns", "-p", "x=1"], "has no parameter 'x'; it has: none"),
        (["@timeline", "-p", "session=zz"], "no session 'zz'"),
        (["@late-turns", "-p", "limit_ms=abc"], "takes a number for limit_ms, not 'abc'"),
        (["@late-turns", "-p", "limit_ms=nan"], "such as -p limit_ms=1000"),
        (["SELECT 1", "-p", "x"], "is not NAME=VALUE"),
        (["SELECT :x"], "the query fails"),
        (["SELECT 1", "--list"], "or --list alone"),
        ([], "give a QUERY"),
    ],
)
def test_sql_says_what_is_wrong_with_a_name(kept: Kept, words: list[str], message: str) -> None:
    ended = run(kept, "sql", *words)
    assert (ended.code, message in ended.error) == (2, True), ended.error


def test_sql_as_it_is(kept: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    out(kept, "db", "backup", str(copy))
    with closing(open_store(str(copy), create=False)) as store:
        store.put_models(kept.spoken, {})
    count = f"SELECT count(*) AS n FROM turn WHERE session = '{kept.spoken}'"
    assert out(copy, "sql", count, "--as-is", "--format", "csv") == "n\n0\n"
    assert out(copy, "sql", count, "--format", "csv") == "n\n2\n"
