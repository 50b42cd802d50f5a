"""Read models and their views, which every upgrade makes anew: see `env.py`."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The tape stays as it is."""
