"""The tables of a store, for SQLite and PostgreSQL; what each rule is for is in docs/store.md.

What a table `tape_X` keeps compactly is read through the view `X` (`tape_views.py`): sessions by
their id in the place of a number, and what many events have in common in each of them. Offsets
(`*_ns` save `wall_ns`, `started_ns`, `beat_ns` and the run's `ended_ns`, which count from 1970)
are nanoseconds since the session's wall anchor. Triggers are made by the migrations.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s",
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
# `number` stands for it in the rows of its tape, of which there are many.
session = Table(
    "session",
    metadata,
    Column("id", Text, nullable=False),
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
    Column("number", Integer, Identity(), primary_key=True),
    UniqueConstraint("id"),
)

tape_channel = Table(
    "tape_channel",
    metadata,
    Column("session", Integer, ForeignKey("session.number"), primary_key=True),
    Column("channel", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What events of a session have in common. `body` is that of events that have none of their own;
# `at` and `encoding` say where the audio of those that have one piece stood.
tape_form = Table(
    "tape_form",
    metadata,
    Column("session", Integer, ForeignKey("session.number"), primary_key=True),
    Column("form", Integer, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text),
    Column("at", BigInteger),
    Column("encoding", Text),
    sqlite_with_rowid=False,
)

# The tape. `segment`, `start` and `length` are of its audio, if that is one piece.
tape_event = Table(
    "tape_event",
    metadata,
    Column("session", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("form", Integer, nullable=False),
    Column("body", Text),
    Column("raw", LargeBinary),
    Column("segment", Integer),
    Column("start", BigInteger),
    Column("length", BigInteger),
    Column("digest", LargeBinary, nullable=False),
    CheckConstraint("seq >= 1", name="from_one"),
    CheckConstraint("body IS NULL OR raw IS NULL", name="one_body"),
    CheckConstraint(
        "(segment IS NULL) = (start IS NULL) AND (segment IS NULL) = (length IS NULL)",
        name="audio_whole",
    ),
    ForeignKeyConstraint(["session", "channel"], ["tape_channel.session", "tape_channel.channel"]),
    ForeignKeyConstraint(["session", "form"], ["tape_form.session", "tape_form.form"]),
    ForeignKeyConstraint(["session", "segment"], ["tape_audio.session", "tape_audio.number"]),
    sqlite_with_rowid=False,
)

# A run of audio. The columns from `size` on are NULL while it is open and fixed once sealed.
tape_audio = Table(
    "tape_audio",
    metadata,
    Column("session", Integer, primary_key=True),
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
    ForeignKeyConstraint(["session", "channel"], ["tape_channel.session", "tape_channel.channel"]),
)

# Where in an event's body which bytes of which segment go, for events with more than one piece.
tape_event_audio = Table(
    "tape_event_audio",
    metadata,
    Column("session", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("segment", Integer, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    ForeignKeyConstraint(["session", "seq"], ["tape_event.session", "tape_event.seq"]),
    ForeignKeyConstraint(["session", "segment"], ["tape_audio.session", "tape_audio.number"]),
    sqlite_with_rowid=False,
)

# The bytes of an open segment, without gap or overlap; gone once it is sealed. `size` bytes that
# are all the same, as of silence, are kept as one.
tape_audio_chunk = Table(
    "tape_audio_chunk",
    metadata,
    Column("session", Integer, primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(["session", "segment"], ["tape_audio.session", "tape_audio.number"]),
)

# What belongs to the store itself. A name is set once.
setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
