"""The child of `background.py`: `python -m recorder.background_main`, with the store in a
variable. It gives way to whatever records, and loads nothing that only recording needs."""

from __future__ import annotations

import gc
import os
from contextlib import closing

_NICE = 10
_GC_EVERY = 50_000  # allocations; a short life leaves little garbage


def main() -> None:
    """Make the read models that are missing or stale, and say in one line what could not be."""
    os.nice(_NICE)
    gc.set_threshold(_GC_EVERY)
    from recorder.background import STORE
    from recorder.commands.common import open_for_writing
    from recorder.commands.derived import keep_derived, warn
    from recorder.errors import RecorderError

    try:
        with closing(open_for_writing(os.environ[STORE], create=False)) as store:
            keep_derived(store)
    except RecorderError as error:
        warn("read models are not made", error)


if __name__ == "__main__":
    main()
