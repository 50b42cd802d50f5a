"""The tables of a store, for SQLite and PostgreSQL; what each rule is for is in docs/store.md.

Columns stand in the order of the rows in `base.py`, so that a row is bound as it is. Offsets
(`*_ns` save `wall_ns`, `started_ns`, `beat_ns` and the run's `ended_ns`, which count from 1970)
are nanoseconds since the session's wall anchor. Triggers are made by the migrations.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

REVISION = "0002"
"""The newest revision in `migrations/`: what this program reads and writes."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# One process that writes; its heartbeat tells a live session from an interrupted one.
run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("beat_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
)

# A tape's label. `run` and `parent` may name rows of another store, so they are no foreign keys.
session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trial", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("wall_ns", BigInteger, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("external_id", Text),
    Column("model", Text),
    Column("parent", Text),
    Column("status", Text, nullable=False),
    Column("ended_ns", BigInteger),
    Column("events", BigInteger),
    Column("digest", LargeBinary),
    Column("origin", Text, nullable=False),
    sqlite_with_rowid=False,
)


channel = Table(
    "channel",
    metadata,
    Column("session", Text, ForeignKey("session.id"), primary_key=True),
    Column("channel", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    sqlite_with_rowid=False,
)

# The tape. `previous` is the event before it, which must be there: so there is no gap. (A key
# costs a tenth of what a trigger for each inserted row does.)
event = Table(
    "event",
    metadata,
    Column("session", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("sender", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text),
    Column("raw", LargeBinary),
    Column("digest", LargeBinary, nullable=False),
    Column("previous", BigInteger, Computed("nullif(seq, 1) - 1")),
    CheckConstraint("seq >= 1", name="from_one"),
    CheckConstraint("(body IS NULL) <> (raw IS NULL)", name="one_body"),
    ForeignKeyConstraint(["session", "previous"], ["event.session", "event.seq"]),
    ForeignKeyConstraint(["session", "channel"], ["channel.session", "channel.channel"]),
    sqlite_with_rowid=False,
)

# A run of audio. The columns from `size` on are NULL while it is open and fixed once sealed.
audio = Table(
    "audio",
    metadata,
    Column("session", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("channel", Integer, nullable=False),
    Column("sender", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("size", BigInteger),
    Column("frames", BigInteger),
    Column("sha256", LargeBinary),
    Column("form", Text),
    Column("data", LargeBinary),
    Column("tail", LargeBinary),
    CheckConstraint(
        "(form IS NULL) = (size IS NULL) AND (form IS NULL) = (frames IS NULL)"
        " AND (form IS NULL) = (sha256 IS NULL) AND (form IS NULL) = (data IS NULL)"
        " AND (form IS NULL) = (tail IS NULL)",
        name="sealed_whole",
    ),
    ForeignKeyConstraint(["session", "channel"], ["channel.session", "channel.channel"]),
)

# Where in an event's body which bytes of which segment go.
event_audio = Table(
    "event_audio",
    metadata,
    Column("session", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("segment", Integer, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    ForeignKeyConstraint(["session", "seq"], ["event.session", "event.seq"]),
    ForeignKeyConstraint(["session", "segment"], ["audio.session", "audio.number"]),
    sqlite_with_rowid=False,
)

# The bytes of an open segment, without gap or overlap; gone once it is sealed.
audio_chunk = Table(
    "audio_chunk",
    metadata,
    Column("session", Text, primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(["session", "segment"], ["audio.session", "audio.number"]),
)

# What belongs to the store itself. A name is set once.
setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
