"""What the commands that judge share: their results as a file for CI systems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recorder.errors import RecorderError

if TYPE_CHECKING:
    from recorder.report.junit import Case


def junit_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--junit FILE`, given as a path or None."""
    return click.option(
        "--junit",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write the results as JUnit XML, too.",
    )(function)


def write_junit(path: Path, suite: str, cases: Sequence[Case]) -> None:
    """Write the file; RecorderError if it cannot be written."""
    from recorder.report.junit import junit

    try:
        path.write_text(junit(suite, cases), "utf-8")
    except OSError as error:
        raise RecorderError(
            f"--junit {path}: {error.strerror or error}; give a file in a folder that exists"
        ) from None
