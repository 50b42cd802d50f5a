"""Compact tapes: sessions by number, what events have in common kept once.

The tables of the tape are made anew with the prefix `tape_` and filled from the old ones, whose
names go to views (see `env.py`). Rows are taken over as they are: events of older tapes share
sender, kind and type only, and all their audio stands in `tape_event_audio`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_LABELS = (
    "id, trial, provider, wall_ns, scheme, run, external_id, model, parent, status, ended_ns,"
    " events, digest, origin"
)
_AUDIO = (
    "number, channel, sender, stream, codec, rate, channels, at_ns, size, frames, sha256, form,"
    " data, tail"
)
_OF = "JOIN session ON session.id = old.session"
COPIES = (
    f"INSERT INTO session ({_LABELS}) SELECT {_LABELS} FROM old_session ORDER BY id",
    "INSERT INTO tape_channel (session, channel, kind, target)"
    f" SELECT session.number, old.channel, old.kind, old.target FROM channel AS old {_OF}",
    "INSERT INTO tape_form (session, form, sender, kind, type)"
    " SELECT number, row_number() OVER (PARTITION BY number ORDER BY first), sender, kind, type"
    " FROM (SELECT session.number AS number, min(old.seq) AS first, old.sender AS sender,"
    f" old.kind AS kind, old.type AS type FROM event AS old {_OF}"
    " GROUP BY session.number, old.sender, old.kind, old.type) AS found",
    "INSERT INTO tape_event (session, seq, at_ns, channel, form, body, raw, digest)"
    " SELECT session.number, old.seq, old.at_ns, old.channel, form.form, old.body, old.raw,"
    f" old.digest FROM event AS old {_OF}"
    " JOIN tape_form AS form ON form.session = session.number AND form.sender = old.sender"
    " AND form.kind = old.kind AND form.type = old.type ORDER BY session.number, old.seq",
    f"INSERT INTO tape_audio (session, {_AUDIO})"
    f" SELECT session.number, {', '.join(f'old.{name.strip()}' for name in _AUDIO.split(','))}"
    f" FROM audio AS old {_OF}",
    "INSERT INTO tape_event_audio (session, seq, ordinal, at, encoding, segment, start, length)"
    " SELECT session.number, old.seq, old.ordinal, old.at, old.encoding, old.segment, old.start,"
    f" old.length FROM event_audio AS old {_OF}",
    "INSERT INTO tape_audio_chunk (session, segment, start, size, data)"
    " SELECT session.number, old.segment, old.start, length(old.data), old.data"
    f" FROM audio_chunk AS old {_OF}",
)
OLD = ("audio_chunk", "event_audio", "audio", "event", "channel", "old_session")

SQLITE = (
    """
    CREATE TRIGGER session_update BEFORE UPDATE ON session BEGIN
        SELECT RAISE(ABORT, 'id, provider, wall_ns, scheme and parent of a session are fixed')
        WHERE (NEW.number, NEW.id, NEW.provider, NEW.wall_ns, NEW.scheme, NEW.parent) IS NOT
              (OLD.number, OLD.id, OLD.provider, OLD.wall_ns, OLD.scheme, OLD.parent);
        SELECT RAISE(ABORT, 'the session has ended')
        WHERE OLD.digest IS NOT NULL AND NEW.digest IS NOT NULL AND
              (NEW.trial, NEW.run, NEW.external_id, NEW.model, NEW.status, NEW.ended_ns,
               NEW.events, NEW.digest, NEW.origin) IS NOT
              (OLD.trial, OLD.run, OLD.external_id, OLD.model, OLD.status, OLD.ended_ns,
               OLD.events, OLD.digest, OLD.origin);
    END
    """,
    """
    CREATE TRIGGER tape_audio_update BEFORE UPDATE ON tape_audio BEGIN
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
    CREATE TRIGGER tape_audio_chunk_delete BEFORE DELETE ON tape_audio_chunk BEGIN
        SELECT RAISE(ABORT, 'the segment is open')
        WHERE (SELECT form FROM tape_audio
               WHERE session = OLD.session AND number = OLD.segment) IS NULL;
    END
    """,
)
POSTGRESQL = (
    "DROP FUNCTION audio_update, audio_chunk_delete",
    """
    CREATE OR REPLACE FUNCTION session_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (NEW.number, NEW.id, NEW.provider, NEW.wall_ns, NEW.scheme, NEW.parent)
           IS DISTINCT FROM
           (OLD.number, OLD.id, OLD.provider, OLD.wall_ns, OLD.scheme, OLD.parent) THEN
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
    CREATE FUNCTION tape_audio_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
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
    CREATE FUNCTION tape_audio_chunk_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT form FROM tape_audio
            WHERE session = OLD.session AND number = OLD.segment) IS NULL THEN
            RAISE EXCEPTION 'the segment is open';
        END IF;
        RETURN OLD;
    END $$
    """,
    "CREATE TRIGGER session_update BEFORE UPDATE ON session"
    " FOR EACH ROW EXECUTE FUNCTION session_update()",
    "CREATE TRIGGER tape_audio_update BEFORE UPDATE ON tape_audio"
    " FOR EACH ROW EXECUTE FUNCTION tape_audio_update()",
    "CREATE TRIGGER tape_audio_chunk_delete BEFORE DELETE ON tape_audio_chunk"
    " FOR EACH ROW EXECUTE FUNCTION tape_audio_chunk_delete()",
)
FIXED = {
    "tape_event": ("UPDATE", "DELETE"),
    "tape_event_audio": ("UPDATE", "DELETE"),
    "tape_form": ("UPDATE", "DELETE"),
    "tape_channel": ("UPDATE", "DELETE"),
    "session": ("DELETE",),
    "tape_audio": ("DELETE",),
    "tape_audio_chunk": ("UPDATE",),
}


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("PRAGMA legacy_alter_table = ON")  # leaves views of users as they are
    op.rename_table("session", "old_session")
    if not is_sqlite:
        op.execute("ALTER TABLE old_session RENAME CONSTRAINT pk_session TO pk_old_session")
    _labels()
    _audio()
    _events()
    for copy in COPIES:
        op.execute(copy)
    for table in OLD:
        op.drop_table(table)
    if is_sqlite:
        op.execute("PRAGMA legacy_alter_table = OFF")
    for sql in (*(SQLITE if is_sqlite else POSTGRESQL), *_append_only(is_sqlite)):
        op.execute(sql)


def _append_only(is_sqlite: bool) -> list[str]:
    """Triggers that refuse a change; PostgreSQL has one more way to remove rows."""
    if is_sqlite:
        return [
            f"CREATE TRIGGER {table}_{change} BEFORE {change} ON {table} BEGIN\n"
            f"    SELECT RAISE(ABORT, '{table.removeprefix('tape_')} is append-only');\nEND"
            for table, changes in FIXED.items()
            for change in changes
        ]
    return [
        f"CREATE TRIGGER {table}_{change} BEFORE {change} ON {table}"
        f" FOR EACH {'STATEMENT' if change == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION append_only()"
        for table, changes in FIXED.items()
        for change in (*changes, "TRUNCATE")
    ]


def _labels() -> None:
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
        sa.Column("number", sa.Integer, sa.Identity(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_session"),
        sa.UniqueConstraint("id", name="uq_session"),
    )
    op.create_table(
        "tape_channel",
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("session", "channel", name="pk_tape_channel"),
        sa.ForeignKeyConstraint(["session"], ["session.number"], name="fk_tape_channel_session"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tape_form",
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("form", sa.Integer, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("at", sa.BigInteger),
        sa.Column("encoding", sa.Text),
        sa.PrimaryKeyConstraint("session", "form", name="pk_tape_form"),
        sa.ForeignKeyConstraint(["session"], ["session.number"], name="fk_tape_form_session"),
        sqlite_with_rowid=False,
    )


def _audio() -> None:
    op.create_table(
        "tape_audio",
        sa.Column("session", sa.Integer, nullable=False),
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
        sa.PrimaryKeyConstraint("session", "number", name="pk_tape_audio"),
        _key("tape_audio", "tape_channel", "channel", "channel"),
        sa.CheckConstraint(
            "(form IS NULL) = (size IS NULL) AND (form IS NULL) = (frames IS NULL)"
            " AND (form IS NULL) = (sha256 IS NULL) AND (form IS NULL) = (data IS NULL)"
            " AND (form IS NULL) = (tail IS NULL)",
            name=op.f("ck_tape_audio_sealed_whole"),
        ),
    )
    op.create_table(
        "tape_audio_chunk",
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("session", "segment", "start", name="pk_tape_audio_chunk"),
        _key("tape_audio_chunk", "tape_audio", "number", "segment"),
    )


def _events() -> None:
    op.create_table(
        "tape_event",
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("form", sa.Integer, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("segment", sa.Integer),
        sa.Column("start", sa.BigInteger),
        sa.Column("length", sa.BigInteger),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_tape_event"),
        _key("tape_event", "tape_channel", "channel", "channel"),
        _key("tape_event", "tape_form", "form", "form"),
        _key("tape_event", "tape_audio", "number", "segment"),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_tape_event_from_one")),
        sa.CheckConstraint("body IS NULL OR raw IS NULL", name=op.f("ck_tape_event_one_body")),
        sa.CheckConstraint(
            "(segment IS NULL) = (start IS NULL) AND (segment IS NULL) = (length IS NULL)",
            name=op.f("ck_tape_event_audio_whole"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tape_event_audio",
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("session", "seq", "ordinal", name="pk_tape_event_audio"),
        _key("tape_event_audio", "tape_event", "seq", "seq"),
        _key("tape_event_audio", "tape_audio", "number", "segment"),
        sqlite_with_rowid=False,
    )


def _key(table: str, other: str, key: str, column: str) -> sa.ForeignKeyConstraint:
    """A reference to a row of the same session in another table."""
    theirs = [f"{other}.session", f"{other}.{key}"]
    return sa.ForeignKeyConstraint(["session", column], theirs, name=f"fk_{table}_{other}")
