"""How Alembic finds the database: the application's own engine, on both databases."""

from __future__ import annotations

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def run() -> None:
    """Run the migrations on the application's engine, each in a transaction of its own."""
    arguments = current_app.extensions["migrate"].configure_args
    with db.engine.connect().execution_options(writing=True) as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transaction_per_migration=True,
            **arguments,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
