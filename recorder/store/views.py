"""The SQL of the views for analysis. The prefix `v_` is theirs: an upgrade makes them anew.

The SQL means the same to SQLite and PostgreSQL but for what `_WORDS` says in each. Offsets are
milliseconds since the session began, money is a number; what a column means stands in
`view_about.py`. A change here needs a new revision in `migrations/`, which may be empty: stores
get the new views when they are upgraded to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, inspect

from recorder.store.tape_views import TAPE_VIEWS

PREFIX: Final = "v_"

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "sqlite": {
        "started_at": "strftime('%Y-%m-%dT%H:%M:%S', wall_ns / 1000000000, 'unixepoch')"
        " || printf('.%03dZ', wall_ns / 1000000 % 1000)",
    },
    "postgresql": {
        "started_at": "to_char(to_timestamp(wall_ns / 1000000000) AT TIME ZONE 'UTC',"
        " 'YYYY-MM-DD\"T\"HH24:MI:SS')"
        " || '.' || lpad(CAST(mod(wall_ns / 1000000, 1000) AS text), 3, '0') || 'Z'",
    },
}


def _ms(column: str) -> str:
    """An offset in ns as ms."""
    return f"CAST({column} AS DOUBLE PRECISION) / 1000000"


def _usd(where: str) -> str:
    """The sum of a bill; NULL if one of its lines has no price."""
    total = "CASE WHEN count(*) = count(usd) THEN sum(CAST(usd AS NUMERIC)) END"
    return f"(SELECT {total} FROM cost_line WHERE {where})"


def _of_turn(metric: str) -> str:
    """A value of a turn, which has one at most."""
    return (
        f"(SELECT min(value) FROM metric WHERE metric.metric = '{metric}'"
        " AND metric.session = turn.session AND metric.turn = turn.turn)"
    )


_MEDIAN: Final = """(SELECT min(value) FROM (
                    SELECT value, row_number() OVER (ORDER BY value) AS place,
                           count(*) OVER () AS size
                    FROM metric
                    WHERE metric.metric = 'v2v_ms' AND metric.session = session.id) AS ranked
                WHERE place * 2 >= size)"""

VIEWS: Final = {
    "v_sessions": f"""
        SELECT id AS session, trial, provider, external_id, model, parent, origin, status,
               {{started_at}} AS started_at,
               CAST(coalesce(ended_ns, (SELECT at_ns FROM tape_event
                                        WHERE tape_event.session = session.number
                                        ORDER BY seq DESC LIMIT 1)) AS DOUBLE PRECISION)
                   / 1000000000 AS duration_s,
               (SELECT coalesce(max(seq), 0) FROM tape_event
                WHERE tape_event.session = session.number) AS events,
               id AS session_id,
               (SELECT count(*) FROM turn WHERE turn.session = session.id) AS turns,
               {_MEDIAN} AS v2v_p50_ms,
               (SELECT count(*) FROM tool_call WHERE tool_call.session = session.id) AS tool_calls,
               (SELECT count(*) FROM interruption
                WHERE interruption.session = session.id) AS interruptions,
               (SELECT count(*) FROM error WHERE error.session = session.id) AS errors,
               {_usd("cost_line.session = session.id")} AS usd,
               (SELECT end_reason FROM outline WHERE outline.session = session.id) AS end_reason
        FROM session
    """,
    "v_events": f"""
        SELECT session, seq, {_ms("at_ns")} AS at_ms, sender, kind, type, body,
               session AS session_id, channel
        FROM event
    """,
    "v_turns": f"""
        SELECT turn.session AS session_id, turn.turn, session.trial, session.provider,
               turn.origin,
               {_ms("turn.user_started_ns")} AS user_started_ms,
               {_ms("turn.user_stopped_ns")} AS user_stopped_ms,
               {_ms("turn.first_audio_ns")} AS first_audio_ms,
               {_ms("turn.ended_ns")} AS ended_ms,
               turn.user_text, turn.agent_text, turn.responses, turn.tool_calls,
               turn.was_interrupted,
               {_of_turn("v2v_ms")} AS v2v_ms, {_of_turn("event_ms")} AS event_ms,
               {_usd("cost_line.session = turn.session AND cost_line.turn = turn.turn")} AS usd,
               turn.first_seq, turn.last_seq
        FROM turn JOIN session ON session.id = turn.session
    """,
    "v_latency": """
        SELECT metric.session AS session_id, metric.turn, session.trial, session.provider,
               session.model, metric.metric, metric.value AS value_ms, metric.definition,
               metric.parameters, metric.first_seq, metric.last_seq
        FROM metric JOIN session ON session.id = metric.session
        WHERE metric.unit = 'ms'
    """,
    "v_cost": """
        SELECT cost_line.session AS session_id, cost_line.turn, session.trial,
               cost_line.provider, cost_line.model, cost_line.component, cost_line.meter,
               CAST(cost_line.quantity AS NUMERIC) AS quantity, cost_line.unit,
               CAST(cost_line.usd AS NUMERIC) AS usd, cost_line.charged_by,
               cost_line.price_book, cost_line.seq
        FROM cost_line JOIN session ON session.id = cost_line.session
    """,
    "v_tools": f"""
        SELECT tool_call.session AS session_id, tool_call.turn, session.trial, session.provider,
               tool_call.call, tool_call.name, tool_call.arguments, tool_call.output,
               tool_call.failed,
               {_ms("tool_call.called_ns")} AS called_ms,
               {_ms("tool_call.answered_ns")} AS answered_ms,
               {_ms("(tool_call.answered_ns - tool_call.called_ns)")} AS exec_ms,
               tool_call.first_seq, tool_call.last_seq
        FROM tool_call JOIN session ON session.id = tool_call.session
    """,
    "v_interruptions": f"""
        SELECT interruption.session AS session_id, interruption.turn, session.trial,
               session.provider, interruption."by" AS cut_off_by, interruption.response,
               interruption.item,
               {_ms("interruption.detected_ns")} AS detected_ms,
               {_ms("interruption.acted_ns")} AS acted_ms,
               {_ms("interruption.ended_ns")} AS ended_ms,
               interruption.generated_ms, interruption.heard_ms,
               interruption.first_seq, interruption.last_seq
        FROM interruption JOIN session ON session.id = interruption.session
    """,
    "v_errors": f"""
        SELECT error.session AS session_id, error.turn, session.trial, session.provider,
               {_ms("error.at_ns")} AS at_ms, error.class, error.side, error.code, error.text,
               error.is_fatal, error.seq
        FROM error JOIN session ON session.id = error.session
    """,
    "v_transcripts": f"""
        SELECT transcript.session AS session_id, transcript.ordinal, transcript.turn,
               session.trial, session.provider, transcript.role, transcript.via, transcript.text,
               {_ms("transcript.first_ns")} AS first_ms,
               {_ms("transcript.final_ns")} AS final_ms,
               transcript.first_seq, transcript.last_seq
        FROM transcript JOIN session ON session.id = transcript.session
    """,
}


def drop_views(connection: Connection) -> None:
    """Drop the views of the tape, and every view whose name begins with `PREFIX`."""
    names = inspect(connection).get_view_names()
    for name in sorted(names, key=TAPE_VIEWS.__contains__):  # the others are made of these
        if name.startswith(PREFIX) or name in TAPE_VIEWS:
            connection.exec_driver_sql(f'DROP VIEW "{name}"')


def create_views(connection: Connection) -> None:
    """Create the views; they must not exist."""
    words = _WORDS[connection.dialect.name]
    for name, sql in {**TAPE_VIEWS, **VIEWS}.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {sql.format(**words).strip()}")
