"""`record show`: a session as a timeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Event as Signal
from typing import TYPE_CHECKING

import click

from recorder.commands.common import (
    json_option,
    open_for_reading,
    paint,
    screen_width,
    session_argument,
    store_option,
)

if TYPE_CHECKING:
    from recorder.events import Event
    from recorder.providers.base import Provider
    from recorder.recording import Moment, Recording
    from recorder.report.timeline import Timeline
    from recorder.report.turns import Mark
    from recorder.store.base import SessionRow, Store

_POLL_S = 0.25
Tell = Callable[["Moment | None"], Iterator[str]]
"""The lines that a moment settles; None is a pause or the end."""


@click.command()
@store_option
@session_argument
@click.option("--all", "every", is_flag=True, help="Every event on a line of its own.")
@click.option("--turns", is_flag=True, help="The turns: words, tools, latency, cost.")
@json_option
@click.option("--raw", is_flag=True, help="With --json: the wire content exactly.")
@click.option("--follow", is_flag=True, help="Go on until the session ends.")
def command(
    store_url: str,
    session: str,
    every: bool,
    turns: bool,
    as_json: bool,
    raw: bool,
    follow: bool,
) -> None:
    """Show a session as a timeline: when, who, what, and what it says; audio as duration and
    level; silences of a second and more. Streamed pieces are joined to one line. Where a turn was
    answered, a line tells how long it took, if the store has its read models.

    With --turns, one block a turn: what the user and the agent said, calls of tools, how long it
    took and what it cost; with --json, one turn a line.

    With --json, one event a line: seq, at_ms, channel, sender, kind, type, text, audio. With
    --raw --json: seq, at_ns, channel, sender, kind, type and the content as it crossed the wire,
    as text, or as base64 where it is not UTF-8.

    Example: record show last --json
    """
    from recorder.recording import Recording, find_session

    if raw and not as_json:
        raise click.UsageError("--raw goes with --json")
    if turns:
        if every or raw or follow:
            raise click.UsageError("--turns goes with none of --all, --raw, --follow")
        _turns(store_url, session, as_json=as_json)
        return
    with closing(open_for_reading(store_url)) as store:
        tape = Recording(store, find_session(store, session).id)
        tell = _teller(store, tape, every=every, as_json=as_json, raw=raw)
        try:
            for line in _followed(store, tape, tell) if follow else _lines(tape, tell):
                click.echo(line)
        except KeyboardInterrupt:
            if not follow:
                raise


def _teller(store: Store, tape: Recording, *, every: bool, as_json: bool, raw: bool) -> Tell:
    if raw:
        return lambda moment: iter([_raw(moment.event())] if moment else [])
    from recorder.report.timeline import Timeline

    if as_json:
        return _json(Timeline(_provider(tape), every=True))
    for line in _header(store, tape):
        click.echo(line)
    return _text(store, tape, Timeline(_provider(tape), every=every))


def _json(events: Timeline) -> Tell:
    from recorder.report.timeline import Line, as_json

    return lambda moment: (as_json(line) for line in events.lines(moment) if isinstance(line, Line))


def _provider(tape: Recording) -> Provider | None:
    """The provider of a tape, if this program knows it; without it, words are not told."""
    from recorder.providers import PROVIDERS

    return PROVIDERS.get(tape.row.provider)


def _header(store: Store, tape: Recording) -> Iterator[str]:
    from recorder.report.text import header

    yield from header(tape, _now(store, tape))
    yield ""


def _text(store: Store, tape: Recording, events: Timeline) -> Tell:
    """Lines of text, with what is known of latency where the agent is first heard."""
    from recorder.report.text import marked, writer

    width = screen_width()
    write = writer(paint, width, channels=len(tape.channels()) > 1)
    marks = _marks(store, tape)

    def tell(moment: Moment | None) -> Iterator[str]:
        for line in events.lines(moment):
            while marks and marks[0].at_ns < line.at_ns:
                yield marked(marks.pop(0).text, paint, width)
            yield write(line)

    return tell


def _marks(store: Store, tape: Recording) -> list[Mark]:
    """How long each turn took, if the store keeps that."""
    from recorder.report.models import kept_models
    from recorder.report.turns import marks, turns

    kept = kept_models(store, tape.row)
    return [] if kept is None else marks(turns(kept.tables))


def _turns(store_url: str, session: str, *, as_json: bool) -> None:
    from recorder.commands.derived import derived_first
    from recorder.recording import Recording, find_session
    from recorder.report.models import read_models
    from recorder.report.turns import as_json as turn_as_json
    from recorder.report.turns import block, turns

    derived_first(store_url)
    with closing(open_for_reading(store_url)) as store:
        tape = Recording(store, find_session(store, session).id)
        found = turns(read_models(store, tape.row).tables)
        if not as_json:
            for line in _header(store, tape):
                click.echo(line)
    for turn in found:
        lines = [turn_as_json(turn)] if as_json else block(turn, paint, screen_width())
        for line in lines:
            click.echo(line)
    if not found and not as_json:
        click.echo("no turns: nobody said anything, or in a way that is not known here")


def _lines(tape: Recording, tell: Tell) -> Iterator[str]:
    for moment in tape.moments():
        yield from tell(moment)
    yield from tell(None)


def _followed(store: Store, tape: Recording, tell: Tell) -> Iterator[str]:
    """Lines as they come, until the session has ended and its last event was told."""
    seq, live, pause = 0, True, Signal()
    while live:
        live = _now(store, tape).status == "recording"
        before = seq
        for moment in tape.moments(after=seq):
            seq = moment.row.seq
            yield from tell(moment)
        if seq == before or not live:
            yield from tell(None)
        if live:
            pause.wait(_POLL_S)


def _now(store: Store, tape: Recording) -> SessionRow:
    """The session's row as it stands."""
    from recorder.clock import SystemClock
    from recorder.recording import current

    row = store.session(tape.id) or tape.row
    return current(store, [row], SystemClock().wall_ns())[0]


def _raw(event: Event) -> str:
    """One event as JSON; `text` or `base64` holds the wire content exactly."""
    facts = {
        "seq": event.seq,
        "at_ns": event.at_ns,
        "channel": event.channel,
        "sender": event.sender,
        "kind": event.kind,
        "type": event.type,
    }
    try:
        return json.dumps({**facts, "text": event.body.decode()})
    except UnicodeDecodeError:
        from pybase64 import b64encode_as_string

        return json.dumps({**facts, "base64": b64encode_as_string(event.body)})
