"""How thorough a run is: all of it with `make test-all`, else without what takes long."""

from __future__ import annotations

import os

SLOW = bool(os.environ.get("RECORDER_SLOW"))


def examples(wanted: int) -> int:
    """How many examples a property is tried with: a fifth of `wanted`, and not above 50; all of
    them in a thorough run."""
    return wanted if SLOW else min(max(wanted // 5, 10), 50)
