"""What the commands with a provider's side share: faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from replay.commands.files import read_each

if TYPE_CHECKING:
    from replay.faults import Fault


def _read(ctx: click.Context, param: click.Parameter, paths: Sequence[Path]) -> tuple[Fault, ...]:
    """The faults of the files of `--faults`."""
    if not paths:
        return ()
    from replay.faults import read_plan

    return read_each(paths, "--faults", "fault", read_plan)


def _parse(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> tuple[Fault, ...]:
    """The faults of `--fault`."""
    if not texts:
        return ()
    from replay.faults import parse_fault

    return tuple(map(parse_fault, texts))


def fault_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--fault` and `--faults`, both given as faults, and `--fault-seed`."""
    fault = click.option(
        "--fault",
        multiple=True,
        metavar="FAULT",
        callback=_parse,
        allow_from_autoenv=False,  # it would be split at spaces; REPLAY_FAULTS names files
        help="What is to go wrong, such as 'close@step=12 code=1011'; may be given several times.",
    )
    files = click.option(
        "--faults",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=_read,
        envvar="REPLAY_FAULTS",
        help="Faults, one a line; may be given several times.",
    )
    seed = click.option(
        "--fault-seed",
        type=int,
        default=1,
        show_default=True,
        metavar="N",
        envvar="REPLAY_FAULT_SEED",
        help="Equal seeds have equal faults, where they are left to chance.",
    )
    return fault(files(seed(function)))
