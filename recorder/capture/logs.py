"""Logging of the processes that see traffic: to standard error, without secrets."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from recorder.redact import Secrets, known_secrets, redact_text


def log_to_stderr(level: int, environ: Mapping[str, str]) -> None:
    """Log from `level` on, tracebacks included. The markers are not those of a store, whose key
    is not needed to tell what happened."""
    secrets = Secrets(b"", known_secrets(environ))

    class Clean(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return redact_text(secrets, super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(Clean("record: %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
