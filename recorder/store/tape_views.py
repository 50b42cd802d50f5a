"""The views through which the tables `tape_…` are read, named as these without the prefix.

Sessions have their ids in them in the place of numbers, and each event has what it shares with
others. They mean the same to SQLite and PostgreSQL; like the views for analysis they are made anew
by an upgrade.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

from recorder.store import schema

_metadata = MetaData()


def _view(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _metadata, Column("session", Text, nullable=False), *columns)


def _plain_view(table: Table) -> Table:
    """That of a table in which only the session reads differently."""
    columns = [Column(each.name, each.type, nullable=each.nullable) for each in table.columns]
    return _view(table.name.removeprefix("tape_"), *columns[1:])


channel: Final = _plain_view(schema.tape_channel)
event: Final = _view(
    "event",
    Column("seq", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("sender", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text),
    Column("raw", LargeBinary),
    Column("digest", LargeBinary, nullable=False),
)
audio: Final = _plain_view(schema.tape_audio)
event_audio: Final = _plain_view(schema.tape_event_audio)
audio_chunk: Final = _plain_view(schema.tape_audio_chunk)

RELATIONS: Final = (
    schema.run,
    schema.session,
    channel,
    event,
    audio,
    event_audio,
    audio_chunk,
    schema.setting,
)
"""The tape as it is read: tables, and the views over the others."""

_SESSION: Final = "JOIN session ON session.number = kept.session"
_FORM: Final = "JOIN tape_form AS form ON form.session = kept.session AND form.form = kept.form"


def _select(view: Table) -> str:
    """A table with the ids of its sessions."""
    columns = ", ".join(f'kept."{column.name}"' for column in list(view.columns)[1:])
    return f"SELECT session.id AS session, {columns} FROM tape_{view.name} AS kept {_SESSION}"


TAPE_VIEWS: Final = {
    "channel": _select(channel),
    "event": f"""
        SELECT session.id AS session, kept.seq, kept.at_ns, kept.channel,
               form.sender, form.kind, form.type,
               coalesce(kept.body, form.body) AS body, kept.raw, kept.digest
        FROM tape_event AS kept {_SESSION} {_FORM}
    """,
    "audio": _select(audio),
    "event_audio": f"""
        SELECT session.id AS session, kept.seq, 0 AS ordinal, form.at, form.encoding,
               kept.segment, kept.start, kept.length
        FROM tape_event AS kept {_SESSION} {_FORM}
        WHERE kept.segment IS NOT NULL
        UNION ALL
        {_select(event_audio)}
    """,
    "audio_chunk": _select(audio_chunk),
}
