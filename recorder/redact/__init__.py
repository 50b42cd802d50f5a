"""Secrets leave here, before anything is stored; see docs/redaction.md."""

from recorder.redact.personal import Personal
from recorder.redact.redactor import Redactor, redact_text
from recorder.redact.secrets import Secrets, known_secrets, marker

__all__ = [
    "Personal",
    "Redactor",
    "Secrets",
    "known_secrets",
    "marker",
    "redact_text",
]
