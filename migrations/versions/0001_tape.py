"""The first tables: runs, sessions, channels, events, audio and settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = """
CREATE TRIGGER {table}_{change} BEFORE {change} ON {table} BEGIN
    SELECT RAISE(ABORT, '{table} is append-only');
END
"""

# With `recursive_triggers` on, as this program sets it, these also stop INSERT OR REPLACE.
TRIGGERS = (
    """
    CREATE TRIGGER session_update BEFORE UPDATE ON session BEGIN
        SELECT RAISE(ABORT, 'id, provider, wall_ns, scheme and parent of a session are fixed')
        WHERE (NEW.id, NEW.provider, NEW.wall_ns, NEW.scheme, NEW.parent) IS NOT
              (OLD.id, OLD.provider, OLD.wall_ns, OLD.scheme, OLD.parent);
        SELECT RAISE(ABORT, 'the session has ended')
        WHERE OLD.digest IS NOT NULL AND NEW.digest IS NOT NULL AND
              (NEW.trial, NEW.run, NEW.external_id, NEW.model, NEW.status, NEW.ended_ns,
               NEW.events, NEW.digest, NEW.origin) IS NOT
              (OLD.trial, OLD.run, OLD.external_id, OLD.model, OLD.status, OLD.ended_ns,
               OLD.events, OLD.digest, OLD.origin);
    END
    """,
    """
    CREATE TRIGGER audio_update BEFORE UPDATE ON audio BEGIN
        SELECT RAISE(ABORT, 'the segment is sealed') WHERE OLD.form IS NOT NULL;
        SELECT RAISE(ABORT, 'only the sealing of a segment changes it')
        WHERE NEW.form IS NULL OR
              (NEW.session, NEW.number, NEW.channel, NEW.sender, NEW.stream, NEW.codec, NEW.rate,
               NEW.channels, NEW.at_ns) IS NOT
              (OLD.session, OLD.number, OLD.channel, OLD.sender, OLD.stream, OLD.codec, OLD.rate,
               OLD.channels, OLD.at_ns);
    END
    """,
    """
    CREATE TRIGGER audio_chunk_delete BEFORE DELETE ON audio_chunk BEGIN
        SELECT RAISE(ABORT, 'the segment is open')
        WHERE (SELECT form FROM audio
               WHERE session = OLD.session AND number = OLD.segment) IS NULL;
    END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE FUNCTION session_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (NEW.id, NEW.provider, NEW.wall_ns, NEW.scheme, NEW.parent) IS DISTINCT FROM
           (OLD.id, OLD.provider, OLD.wall_ns, OLD.scheme, OLD.parent) THEN
            RAISE EXCEPTION 'id, provider, wall_ns, scheme and parent of a session are fixed';
        END IF;
        IF OLD.digest IS NOT NULL AND NEW.digest IS NOT NULL AND
           (NEW.trial, NEW.run, NEW.external_id, NEW.model, NEW.status, NEW.ended_ns,
            NEW.events, NEW.digest, NEW.origin) IS DISTINCT FROM
           (OLD.trial, OLD.run, OLD.external_id, OLD.model, OLD.status, OLD.ended_ns,
            OLD.events, OLD.digest, OLD.origin) THEN
            RAISE EXCEPTION 'the session has ended';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION audio_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.form IS NOT NULL THEN
            RAISE EXCEPTION 'the segment is sealed';
        END IF;
        IF NEW.form IS NULL OR
           (NEW.session, NEW.number, NEW.channel, NEW.sender, NEW.stream, NEW.codec, NEW.rate,
            NEW.channels, NEW.at_ns) IS DISTINCT FROM
           (OLD.session, OLD.number, OLD.channel, OLD.sender, OLD.stream, OLD.codec, OLD.rate,
            OLD.channels, OLD.at_ns) THEN
            RAISE EXCEPTION 'only the sealing of a segment changes it';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION audio_chunk_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT form FROM audio
            WHERE session = OLD.session AND number = OLD.segment) IS NULL THEN
            RAISE EXCEPTION 'the segment is open';
        END IF;
        RETURN OLD;
    END $$
    """,
    "CREATE TRIGGER session_update BEFORE UPDATE ON session"
    " FOR EACH ROW EXECUTE FUNCTION session_update()",
    "CREATE TRIGGER audio_update BEFORE UPDATE ON audio"
    " FOR EACH ROW EXECUTE FUNCTION audio_update()",
    "CREATE TRIGGER audio_chunk_delete BEFORE DELETE ON audio_chunk"
    " FOR EACH ROW EXECUTE FUNCTION audio_chunk_delete()",
)
FIXED = {
    "event": ("UPDATE", "DELETE"),
    "event_audio": ("UPDATE", "DELETE"),
    "channel": ("UPDATE", "DELETE"),
    "session": ("DELETE",),
    "audio": ("DELETE",),
    "audio_chunk": ("UPDATE",),
    "setting": ("UPDATE", "DELETE"),
}


def upgrade() -> None:
    _labels()
    _events()
    _audio()
    is_sqlite = _is_sqlite()
    for sql in TRIGGERS if is_sqlite else POSTGRESQL:
        op.execute(sql)
    for table, changes in FIXED.items():
        for change in changes if is_sqlite else (*changes, "TRUNCATE"):
            op.execute(
                APPEND_ONLY.format(table=table, change=change)
                if is_sqlite
                else _append_only(table, change)
            )


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _append_only(table: str, change: str) -> str:
    """The trigger in the words of PostgreSQL, which has one more way to remove rows."""
    each = "STATEMENT" if change == "TRUNCATE" else "ROW"
    return (
        f"CREATE TRIGGER {table}_{change} BEFORE {change} ON {table}"
        f" FOR EACH {each} EXECUTE FUNCTION append_only()"
    )


def _labels() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("beat_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("trial", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("wall_ns", sa.BigInteger, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("parent", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("events", sa.BigInteger),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("origin", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )


def _events() -> None:
    op.create_table(
        "channel",
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("session", "channel", name="pk_channel"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_channel_session"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column(
            "previous",
            sa.BigInteger,
            sa.Computed("nullif(seq, 1) - 1", persisted=None if _is_sqlite() else True),
        ),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_event"),
        sa.ForeignKeyConstraint(
            ["session", "previous"], ["event.session", "event.seq"], name="fk_event_event"
        ),
        _channel_key("event"),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_event_from_one")),
        sa.CheckConstraint("(body IS NULL) <> (raw IS NULL)", name=op.f("ck_event_one_body")),
        sqlite_with_rowid=False,
    )


def _audio() -> None:
    op.create_table(
        "audio",
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("codec", sa.Text, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("channels", sa.Integer, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("frames", sa.BigInteger),
        sa.Column("sha256", sa.LargeBinary),
        sa.Column("form", sa.Text),
        sa.Column("data", sa.LargeBinary),
        sa.Column("tail", sa.LargeBinary),
        sa.PrimaryKeyConstraint("session", "number", name="pk_audio"),
        _channel_key("audio"),
        sa.CheckConstraint(
            "(form IS NULL) = (size IS NULL) AND (form IS NULL) = (frames IS NULL)"
            " AND (form IS NULL) = (sha256 IS NULL) AND (form IS NULL) = (data IS NULL)"
            " AND (form IS NULL) = (tail IS NULL)",
            name=op.f("ck_audio_sealed_whole"),
        ),
    )
    op.create_table(
        "event_audio",
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("session", "seq", "ordinal", name="pk_event_audio"),
        sa.ForeignKeyConstraint(
            ["session", "seq"], ["event.session", "event.seq"], name="fk_event_audio_event"
        ),
        _segment_key("event_audio"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audio_chunk",
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("session", "segment", "start", name="pk_audio_chunk"),
        _segment_key("audio_chunk"),
    )


def _channel_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["session", "channel"], ["channel.session", "channel.channel"], name=f"fk_{table}_channel"
    )


def _segment_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["session", "segment"], ["audio.session", "audio.number"], name=f"fk_{table}_audio"
    )
