"""What the plug-in tells when a tape cannot be played or was not recorded."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from recorder.counting import counted

DAY_NS = 86_400_000_000_000


def command(nodeid: str, mode: str) -> str:
    """The command that runs a test in a mode."""
    return f"pytest {shlex.quote(nodeid)} --tape-mode {mode}"


def missing(name: str, folder: Path, nodeid: str) -> str:
    """There is no tape."""
    return (
        f"tape {name!r} is missing: there is no {os.path.relpath(folder)}\n"
        f"  record it  {command(nodeid, 'record')}"
    )


def refused(name: str, folder: Path, nodeid: str) -> str:
    """There is no tape, and this is CI."""
    return (
        f"tape {name!r} is missing ({os.path.relpath(folder)}), and a CI run (CI is set) never "
        f"records\n  record it on your machine, and commit it  {command(nodeid, 'record')}"
    )


def damaged(name: str, folder: Path, nodeid: str, reason: str) -> str:
    """There is a tape that cannot be read."""
    shown = os.path.relpath(folder)
    return (
        f"tape {name!r} cannot be read: {reason}\n"
        f"  restore it         git checkout -- {shlex.quote(shown)}\n"
        f"  or record it anew  delete {shown}, then {command(nodeid, 'record')}"
    )


def there(name: str, folder: Path) -> str:
    """There is a tape that would have to be overwritten."""
    return f"tape {name!r} is there: delete {os.path.relpath(folder)} to record it again"


def expired(name: str, folder: Path, wall_ns: int, now_ns: int, limit_days: int) -> str | None:
    """The remark on a tape that is older than it may be; None if it is not."""
    days = (now_ns - wall_ns) // DAY_NS
    if days <= limit_days:
        return None
    date = datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC).date()
    return (
        f"tape {name!r} is {counted(days, 'day')} old (of {date}; tape_max_age is {limit_days}d): "
        f"delete {os.path.relpath(folder)} and record it again with --tape-mode record"
    )


def blocked(places: Sequence[str], advice: str) -> str:
    """The application reached for the network and went on without it."""
    return f"the test reached for {', '.join(places)}, which is outside of its tape: {advice}"
