"""Full-text search over transcripts: FTS5 in SQLite, an index of `tsvector` in PostgreSQL."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

NAME: Final = "transcript_search"

_SQLITE: Final = (
    f"CREATE VIRTUAL TABLE {NAME} USING fts5("
    "text, content='transcript', tokenize='unicode61 remove_diacritics 2')",
    f"""
    CREATE TRIGGER {NAME}_added AFTER INSERT ON transcript BEGIN
        INSERT INTO {NAME} (rowid, text) VALUES (NEW.rowid, NEW.text);
    END
    """,
    f"""
    CREATE TRIGGER {NAME}_removed AFTER DELETE ON transcript BEGIN
        INSERT INTO {NAME} ({NAME}, rowid, text) VALUES ('delete', OLD.rowid, OLD.text);
    END
    """,
)
_POSTGRESQL: Final = (f"CREATE INDEX {NAME} ON transcript USING gin (to_tsvector('simple', text))",)


def create_search(connection: Connection) -> None:
    """Make the index; the table `transcript` must be there and empty."""
    is_sqlite = connection.dialect.name == "sqlite"
    for sql in _SQLITE if is_sqlite else _POSTGRESQL:
        connection.exec_driver_sql(sql)


def drop_search(connection: Connection) -> None:
    """Drop what is not dropped with `transcript` itself."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {NAME}")
