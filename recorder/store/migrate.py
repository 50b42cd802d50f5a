"""Alembic without an ini file: which revisions there are, and how a connection gets to the newest.

The scripts ship inside the package as `recorder/migrations`; in a checkout they stand in the
top folder `migrations`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def script_location() -> Path:
    """The folder of the migration scripts."""
    package = Path(str(files("recorder")))
    shipped = package / "migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def config() -> Config:
    """Alembic's settings; a `%` is doubled because they are interpolated."""
    made = Config()
    made.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    return made


def revisions() -> list[str]:
    """All known revisions, oldest first."""
    scripts = ScriptDirectory.from_config(config())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def migrate(connection: Connection, target: str = "head") -> None:
    """Bring the schema to `target` inside the connection's transaction; the caller commits."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, target)
