"""What Alembic runs to migrate, in the connection and transaction that `upgrade.migrate` gives it."""

from __future__ import annotations

from alembic import context

from ecosystemiser.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
with context.begin_transaction():
    context.run_migrations()
