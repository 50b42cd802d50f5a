"""Runs migrations in the transaction of the connection that `recorder.store.migrate` hands over.

Views and read models are dropped before and made again after, so that a migration never meets one
and they always fit this program, which reads the newest revision only; read models are then empty,
and filled when they are next read.
Logging is left as the program set it.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from recorder.errors import StoreError
from recorder.store.models import create_models, drop_models
from recorder.store.schema import metadata
from recorder.store.views import create_views, drop_views


def run() -> None:
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is None:
        raise StoreError("migrations need an open store: run `record db upgrade --store URL`")
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        drop_views(connection)
        drop_models(connection)
        context.run_migrations()
        if context.get_context().get_current_revision() == context.get_head_revision():
            create_models(connection)
            create_views(connection)


run()
