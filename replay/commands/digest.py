"""`replay digest`: print the canonical digest of a tape."""

from __future__ import annotations

import json
from contextlib import closing

import click

from recorder.commands.common import json_option, open_for_reading, session_argument, store_option


@click.command()
@session_argument
@store_option
@click.option(
    "--order", is_flag=True, help="Count in how the two directions came between each other."
)
@json_option
def command(session: str, store_url: str, order: bool, as_json: bool) -> None:
    """Print the canonical digest of SESSION.

    It is equal for two runs of the same conversation: ids are renumbered, times left out, streams
    joined (docs/digest.md).

    Example: replay digest last
    """
    from recorder.providers import provider
    from recorder.recording import Recording, find_session
    from replay.digest import SCHEME, tape_digest
    from replay.match.rulebook import Rulebook

    with closing(open_for_reading(store_url)) as store:
        row = find_session(store, session)
        found = provider(row.provider)
        events = Recording(store, row.id).events()
        result = tape_digest(events, found, Rulebook(found.RULES), order=order)
    if not as_json:
        click.echo(result.digest)
        return
    parts = [part._asdict() for part in result.parts]
    head = {"session": row.id, "scheme": SCHEME, "order": order, "digest": result.digest}
    click.echo(json.dumps({**head, "parts": parts}))
