"""A file that is one JSON document."""

from __future__ import annotations

import json
from typing import Any

from recorder.capture.importers.conversation import Source
from recorder.errors import ImportFailed


def load(source: Source) -> Any:
    """The document; ImportFailed names the line where it stops being JSON."""
    try:
        return json.loads(source.data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line, what = source.data.count(b"\n", 0, error.start) + 1, "not UTF-8"
    except json.JSONDecodeError as error:
        line, what = error.lineno, f"not JSON at column {error.colno}"
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
            what = "the file is cut off"
    except RecursionError:
        line, what = 1, "nested too deeply"
    raise ImportFailed(f"{source.name} line {line}: {what}; export it again (nothing was imported)")
