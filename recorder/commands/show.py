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
    from recorder.store.base import SessionRow, Store

_POLL_S = 0.25
Tell = Callable[["Moment | None"], Iterator[str]]
"""The lines that a moment settles; None is a pause or the end."""


@click.command()
@store_option
@session_argument
@click.option("--all", "every", is_flag=True, help="Every event on a line of its own.")
@json_option
@click.option("--raw", is_flag=True, help="With --json: the wire content exactly.")
@click.option("--follow", is_flag=True, help="Go on until the session ends.")
def command(
    store_url: str, session: str, every: bool, as_json: bool, raw: bool, follow: bool
) -> None:
    """Show a session as a timeline: when, who, what, and what it says; audio as duration and
    level; silences of a second and more. Streamed pieces are joined to one line.

    With --json, one event a line: seq, at_ms, channel, sender, kind, type, text, audio. With
    --raw --json: seq, at_ns, channel, sender, kind, type and the content as it crossed the wire,
    as text, or as base64 where it is not UTF-8.

    Example: record show last --json
    """
    from recorder.recording import Recording, find_session

    if raw and not as_json:
        raise click.UsageError("--raw goes with --json")
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
    return _text(tape, Timeline(_provider(tape), every=every))


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


def _text(tape: Recording, events: Timeline) -> Tell:
    from recorder.report.text import writer

    write = writer(paint, screen_width(), channels=len(tape.channels()) > 1)
    return lambda moment: (write(line) for line in events.lines(moment))


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
