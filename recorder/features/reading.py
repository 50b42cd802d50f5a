"""Definitions of features out of TOML, strictly: docs/features.md describes the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Final, cast

from recorder.features.definitions import (
    SUPPORT,
    Claim,
    Column,
    Definitions,
    Feature,
    Query,
    Source,
    Support,
)
from recorder.trial.toml import FileError, Table
from recorder.trial.toml import Source as Text

SCHEMA: Final = 1
_PARAMETER: Final = re.compile(r"(?<![:\w]):(\w+)")
_PARAMETERS: Final = {"trial", "provider"}
_FIELDS: Final = {"shown", "of"}


def shipped() -> dict[str, str]:
    """The texts that come with this program, by name."""
    folder = files("recorder.features").joinpath("table")
    found = {each.name: each for each in folder.iterdir() if each.name.endswith(".toml")}
    return {name: found[name].read_text(encoding="utf-8") for name in sorted(found)}


def definitions(more: Path | None = None) -> Definitions:
    """The table that comes with this program, and what a file or the files of a folder add; a row
    or column of the same id takes the place of the one before. FileError tells what is wrong."""
    return read(shipped() | (_texts_at(more) if more else {}))


def read(texts: Mapping[str, str]) -> Definitions:
    """Definitions from texts by their names, in this order."""
    columns: dict[str, Column] = {}
    features: dict[str, tuple[int, Feature]] = {}
    tables = [(name, Text(text, name).root()) for name, text in texts.items()]
    for _, table in tables:
        columns |= {each.id: each for each in _columns(table)}
    for _, table in tables:
        order = table.whole("order", 1000)
        features |= {each.id: (order, each) for each in _features(table, columns)}
        table.done()
    rows = [each for _, each in sorted(features.values(), key=lambda each: each[0])]
    return Definitions(tuple(columns.values()), tuple(rows))


def _texts_at(path: Path) -> dict[str, str]:
    found = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    try:
        texts = {str(each): each.read_text(encoding="utf-8") for each in found}
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read: {error}") from None
    if not texts:
        raise FileError(f"{path} has no *.toml: give a file of features, or a folder of them")
    return texts


def _columns(table: Table) -> list[Column]:
    if table.whole("schema") != SCHEMA:
        table.refuse(f"schema has to be {SCHEMA}", "schema")
    found = []
    for each in table.tables("column"):
        found.append(Column(each.text("id"), each.text("name"), each.maybe_text("sessions")))
        each.done()
    return found


def _features(table: Table, columns: Mapping[str, Column]) -> list[Feature]:
    rows = table.tables("feature")
    area = table.text("area") if rows else table.text("area", "-")
    named = sources(table)
    found: dict[str, Feature] = {}
    for row in rows:
        feature = _feature(row, area, named, columns)
        if feature.id in found:
            row.refuse(f"there is another feature {feature.id!r} in this file", "id")
        found[feature.id] = feature
    return list(found.values())


def sources(table: Table) -> dict[str, Source]:
    """The sources of a file, by their ids."""
    return dict(map(_source, table.tables("source")))


def source(table: Table, named: Mapping[str, Source]) -> Source:
    """The one that a table names."""
    found = table.text("source")
    if found not in named:
        table.refuse(f"there is no source {found!r} in this file", "source")
    return named[found]


def _source(table: Table) -> tuple[str, Source]:
    found = table.text("id"), Source(table.text("title"), table.text("url"), day(table, "seen"))
    if not found[1].url.startswith("https://"):
        table.refuse("url has to begin with https://", "url")
    table.done()
    return found


def day(table: Table, key: str) -> date:
    """A day that is needed."""
    found = table.any(key)
    if not isinstance(found, date) or isinstance(found, datetime):
        table.refuse(f"{key} has to be a day, such as 2026-11-24", key)
    return found


def _feature(
    row: Table, area: str, named: Mapping[str, Source], columns: Mapping[str, Column]
) -> Feature:
    claims = {}
    documented = row.table("documented")
    for column in columns if documented else ():
        cell = documented.table(column) if documented else None
        if cell:
            claims[column] = _claim(cell, named)
    if documented:
        documented.done()
    queries = tuple(_query(each, columns) for each in row.tables("shown"))
    found = Feature(row.text("id"), area, row.text("name"), row.text("asks"), queries, claims)
    row.done()
    return found


def _claim(cell: Table, named: Mapping[str, Source]) -> Claim:
    if not cell.has("support"):
        cell.refuse(f"support is missing: {', '.join(SUPPORT)}")
    support = cell.choice("support", SUPPORT, "")
    found = Claim(cast(Support, support), cell.text("text"), source(cell, named))
    cell.done()
    return found


def _query(cell: Table, columns: Mapping[str, Column]) -> Query:
    sql, text = question(cell), cell.text("text")
    try:
        fields = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        cell.refuse(f"text is no template: {error}", "text")
    if fields != _FIELDS:
        cell.refuse("text has to use {shown} and {of}, and nothing else in braces", "text")
    named = cell.texts("columns")
    for column in named:
        if column not in columns:
            cell.refuse(f"there is no column {column!r}", "columns")
    cell.done()
    return Query(sql, text, named)


def question(cell: Table) -> str:
    """The SQL of a table, on one line."""
    sql = cell.text("query")
    if set(_PARAMETER.findall(sql)) != _PARAMETERS:
        cell.refuse("query has to use :trial and :provider, and no other parameter", "query")
    return " ".join(sql.split())
