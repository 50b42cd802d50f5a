"""What each column of the views means: its type, its meaning and unit, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from recorder.store.about import ABOUT

ColumnType = Literal["text", "integer", "real"]


class ViewColumn(NamedTuple):
    """One column. `source`: the table and column that it is made of."""

    type: ColumnType
    meaning: str
    source: str


def _text(meaning: str, source: str) -> ViewColumn:
    return ViewColumn("text", meaning, source)


def _count(meaning: str, source: str) -> ViewColumn:
    return ViewColumn("integer", meaning, source)


def _real(meaning: str, source: str) -> ViewColumn:
    return ViewColumn("real", meaning, source)


_INTEGERS: Final = frozenset(
    {"turn", "ordinal", "responses", "tool_calls", "was_interrupted", "failed", "is_fatal"}
    | {"seq", "first_seq", "last_seq"}
)
_REALS: Final = frozenset({"generated_ms", "heard_ms"})


def _copied(table: str, *names: str) -> dict[str, ViewColumn]:
    """Columns that stand in a read model under the same name."""
    return {name: _same(table, name) for name in names}


def _same(table: str, name: str) -> ViewColumn:
    meaning = ABOUT[table].get(name) or ABOUT[table][f"{name}_"]
    type_: ColumnType = "integer" if name in _INTEGERS else "real" if name in _REALS else "text"
    return ViewColumn(type_, meaning, f"`{table}.{name}`")


def _offsets(table: str, **names: str) -> dict[str, ViewColumn]:
    return {
        f"{name}_ms": _real(
            f"{meaning} Milliseconds since the session began.", f"`{table}.{name}_ns`"
        )
        for name, meaning in names.items()
    }


_ID: Final = {"session_id": _text("The session.", "`session.id`")}
_WHOSE: Final = {
    "trial": _text("Name the session belongs to.", "`session.trial`"),
    "provider": _text("`openai` or `vapi`.", "`session.provider`"),
}
_SEQS: Final = ("first_seq", "last_seq")

VIEW_ABOUT: Final[Mapping[str, tuple[str, Mapping[str, ViewColumn]]]] = {
    "v_sessions": (
        "One row a session.",
        {
            "session": _text("As `session_id`.", "`session.id`"),
            **_WHOSE,
            "external_id": _text("The provider's own id.", "`session.external_id`"),
            "model": _text("The model that was asked for.", "`session.model`"),
            "parent": _text("The session that this one is a replay of.", "`session.parent`"),
            "origin": _text(
                "`proxy`, `hook`, `import`, `pull`, `replay` or `simulate`.", "`session.origin`"
            ),
            "status": _text(
                "`recording`, `complete`, `interrupted` or `incomplete`.", "`session.status`"
            ),
            "started_at": _text("When it began: UTC, ISO 8601.", "`session.wall_ns`"),
            "duration_s": _real(
                "Seconds, up to the last event while it is recorded.", "`session.ended_ns`, `event`"
            ),
            "events": _count("Events on the tape.", "`event.seq`"),
            **_ID,
            "turns": _count("Rows of `turn`, as the metric `turns` counts them.", "`turn`"),
            "v2v_p50_ms": _real(
                "Median of `v2v_ms` over its turns: the smallest value that half of them do not"
                " exceed. Milliseconds.",
                "`metric.value`",
            ),
            "tool_calls": _count("Functions called.", "`tool_call`"),
            "interruptions": _count("Answers that were cut off.", "`interruption`"),
            "errors": _count("Errors.", "`error`"),
            "usd": _real("The bill; NULL if the price of a line is not known.", "`cost_line.usd`"),
            "end_reason": _text("Why it ended, in the provider's words.", "`outline.end_reason`"),
        },
    ),
    "v_events": (
        "One row an event.",
        {
            "session": _text("As `session_id`.", "`event.session`"),
            "seq": _count("Counts the events of a session from 1.", "`event.seq`"),
            "at_ms": _real(
                "When it was read. Milliseconds since the session began.", "`event.at_ns`"
            ),
            "sender": _text("`client`, `provider` or `recorder`.", "`event.sender`"),
            "kind": _text("`ws.text`, `http.request`, …", "`event.kind`"),
            "type": _text("The provider's name for it.", "`event.type`"),
            "body": _text(
                "Text with its audio lifted out; NULL where it is not text.", "`event.body`"
            ),
            "session_id": _text("The session.", "`event.session`"),
            "channel": _count("The socket or exchange.", "`event.channel`"),
        },
    ),
    "v_turns": (
        "One row a turn, with its latency and cost.",
        {
            **_ID,
            **_copied("turn", "turn"),
            **_WHOSE,
            **_copied("turn", "origin"),
            **_offsets(
                "turn",
                user_started="The provider heard the user begin, or a rule found it.",
                user_stopped="The provider heard the user end.",
                first_audio="First audio of the agent came.",
                ended="Last answer was over.",
            ),
            **_copied(
                "turn", "user_text", "agent_text", "responses", "tool_calls", "was_interrupted"
            ),
            "v2v_ms": _real("Voice to voice; milliseconds.", "`metric` `v2v_ms`"),
            "event_ms": _real("By the provider's events; milliseconds.", "`metric` `event_ms`"),
            "usd": _real(
                "What its answers cost; NULL if nothing is told of it, or a price is not known.",
                "`cost_line.usd`",
            ),
            **_copied("turn", *_SEQS),
        },
    ),
    "v_latency": (
        "One row a measured time.",
        {
            **_ID,
            **_copied("metric", "turn"),
            **_WHOSE,
            "model": _text("The model that was asked for.", "`session.model`"),
            **_copied("metric", "metric"),
            "value_ms": _real("The value. Milliseconds.", "`metric.value`"),
            **_copied("metric", "definition", "parameters", *_SEQS),
        },
    ),
    "v_cost": (
        "One row a line of a bill.",
        {
            **_ID,
            **_copied("cost_line", "turn"),
            "trial": _WHOSE["trial"],
            **_copied("cost_line", "provider", "model", "component", "meter"),
            "quantity": _real("How much, in `unit`.", "`cost_line.quantity`"),
            **_copied("cost_line", "unit"),
            "usd": _real("US dollars; NULL where the price is not known.", "`cost_line.usd`"),
            **_copied("cost_line", "charged_by", "price_book", "seq"),
        },
    ),
    "v_tools": (
        "One row a call of a function.",
        {
            **_ID,
            **_copied("tool_call", "turn"),
            **_WHOSE,
            **_copied("tool_call", "call", "name", "arguments", "output", "failed"),
            **_offsets(
                "tool_call", called="The call was complete.", answered="The result was sent."
            ),
            "exec_ms": _real(
                "From the call until its result was sent. Milliseconds.", "`tool_call`"
            ),
            **_copied("tool_call", *_SEQS),
        },
    ),
    "v_interruptions": (
        "One row an answer that was cut off.",
        {
            **_ID,
            **_copied("interruption", "turn"),
            **_WHOSE,
            "cut_off_by": _text("Who cut it off: `provider` or `client`.", "`interruption.by`"),
            **_copied("interruption", "response", "item"),
            **_offsets(
                "interruption",
                detected="The provider heard the user, or said that it was interrupted.",
                acted="The client told the provider.",
                ended="The answer was over.",
            ),
            **_copied("interruption", "generated_ms", "heard_ms", *_SEQS),
        },
    ),
    "v_errors": (
        "One row an error.",
        {
            **_ID,
            **_copied("error", "turn"),
            **_WHOSE,
            **_offsets("error", at="When it was told."),
            **_copied("error", "class", "side", "code", "text", "is_fatal", "seq"),
        },
    ),
    "v_transcripts": (
        "One row for words of one side.",
        {
            **_ID,
            **_copied("transcript", "ordinal", "turn"),
            **_WHOSE,
            **_copied("transcript", "role", "via", "text"),
            **_offsets("transcript", first="The first of them came.", final="They were complete."),
            **_copied("transcript", *_SEQS),
        },
    ),
}
"""View -> what it is, and its columns in order."""
