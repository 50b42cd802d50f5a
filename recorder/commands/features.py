"""`record features`: what providers can do, with the evidence of a trial."""

from __future__ import annotations

import json
from pathlib import Path

import click

from recorder.commands.common import json_option, screen_width, store_option


@click.command()
@store_option
@click.argument("trial", metavar="TRIAL")
@click.option(
    "--rows",
    "more",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="More rows and columns: a TOML file, or a folder of them (docs/features.md).",
)
@click.option("--markdown", is_flag=True, help="As a table of Markdown, with footnotes.")
@json_option
def command(store_url: str, trial: str, more: Path | None, markdown: bool, as_json: bool) -> None:
    """Tell what each provider can do: shown by a query over the sessions of TRIAL, else documented,
    with source and date, else not tested.

    Example: record features switch --markdown > features.md
    """
    if markdown and as_json:
        raise click.UsageError("give --markdown or --json, not both")
    from recorder.commands.asking import asker
    from recorder.features import markdown as marked
    from recorder.features import wording
    from recorder.features.matrix import fill
    from recorder.features.reading import definitions

    found = definitions(more)
    matrix = fill(found, trial, asker(store_url))
    if as_json:
        click.echo(json.dumps(wording.facts(matrix), indent=1, ensure_ascii=False))
        return
    lines = marked.page(matrix) if markdown else wording.text(matrix, screen_width())
    for line in lines:
        click.echo(line)
