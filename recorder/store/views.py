"""The SQL of the views for analysis. The prefix `v_` is theirs: an upgrade makes them anew.

A change here needs a new revision in `migrations/`, which may be empty: stores get the new views
when they are upgraded to it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect

PREFIX: Final = "v_"

VIEWS: Final = {
    # One row a session. started_at: UTC; duration_s: seconds, up to now while it is recorded.
    "v_sessions": """
        SELECT id AS session, trial, provider, external_id, model, parent, origin, status,
               strftime('%Y-%m-%dT%H:%M:%S', wall_ns / 1000000000, 'unixepoch')
                   || printf('.%03dZ', wall_ns / 1000000 % 1000) AS started_at,
               coalesce(ended_ns, (SELECT at_ns FROM event WHERE event.session = session.id
                                   ORDER BY seq DESC LIMIT 1)) / 1e9 AS duration_s,
               (SELECT coalesce(max(seq), 0) FROM event
                WHERE event.session = session.id) AS events
        FROM session
    """,
    # One row an event. at_ms: milliseconds since the session began; body: text with its audio
    # lifted out, NULL where it is not text.
    "v_events": """
        SELECT session, seq, at_ns / 1e6 AS at_ms, sender, kind, type, body
        FROM event
    """,
}


def drop_views(connection: Connection) -> None:
    """Drop every view whose name begins with `PREFIX`."""
    for name in inspect(connection).get_view_names():
        if name.startswith(PREFIX):
            connection.exec_driver_sql(f'DROP VIEW "{name}"')


def create_views(connection: Connection) -> None:
    """Create the views; they must not exist."""
    for name, sql in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {sql.strip()}")
