"""Alembic's environment: migrates on the connection that Simple Trader hands it."""

from alembic import context
from sqlalchemy.engine import Connection

from simple_trader.adapters.store.tables import METADATA

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations with `simple-trader db upgrade`: it brings the connection.")

context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
