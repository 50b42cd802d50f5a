"""What the commands that compare share: a user's rules, and how audio is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from replay.commands.files import read_each

if TYPE_CHECKING:
    from replay.match.rules import Rule


class _Lines(click.types.StringParamType):
    """Texts that an environment variable has one a line, because they have spaces."""

    def split_envvar_value(self, rv: str) -> list[str]:
        """The lines of a variable."""
        return [line for line in rv.splitlines() if line.strip()]


def _read(ctx: click.Context, param: click.Parameter, paths: Sequence[Path]) -> tuple[Rule, ...]:
    """The rules of the files of `--rules`."""
    from replay.match.rules import parse_rules

    return read_each(
        paths, "--rules", "rule", lambda text, name: parse_rules(text.splitlines(), name)
    )


def _parse(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of `--rule`."""
    from replay.match.rules import parse_rule

    return tuple(parse_rule(text, "--rule") for text in texts)


def matching_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--rules` and `--rule`, both given as rules, and `--audio`."""
    files = click.option(
        "--rules",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=_read,
        envvar="REPLAY_RULES",
        help="Rules of what may differ, one a line; may be given several times.",
    )
    rule = click.option(
        "--rule",
        multiple=True,
        metavar="RULE",
        callback=_parse,
        type=_Lines(),
        envvar="REPLAY_RULE",
        help="One more rule: 'any session.update:$.session.instructions'. The environment "
        "variable has one a line.",
    )
    audio = click.option(
        "--audio",
        type=click.Choice(("exact", "energy", "duration", "ignore")),
        default="exact",
        show_default=True,
        envvar="REPLAY_AUDIO",
        help="How streamed audio is compared: samples, pieces of speech, length, or not at all.",
    )
    return files(rule(audio(function)))
