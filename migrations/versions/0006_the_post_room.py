"""Give the post room what it works with: labels, statements, promised sums; and columns and comparisons a record each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import BIG, DOCUMENT, Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("appeal_totals") as table:
        table.add_column(sa.Column("promised_minor", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("appeal_totals") as table:
        table.alter_column("promised_minor", server_default=None)
    _sum_promises()
    with op.batch_alter_table("post_batches") as table:
        table.add_column(sa.Column("label", sa.String(length=80), nullable=False, server_default=""))
    with op.batch_alter_table("post_batches") as table:
        table.alter_column("label", server_default=None)
    _widen_lines()
    _add_tables()
    # Nothing has been printed before there were columns.
    with op.batch_alter_table("credit_prints") as table:
        table.add_column(sa.Column("column_id", BIG, nullable=False))
        table.create_foreign_key(
            op.f("fk_credit_prints_column_id_thanks_columns"), "thanks_columns", ["column_id"], ["id"]
        )
        table.create_index(op.f("ix_credit_prints_column_id"), ["column_id"])


def _sum_promises() -> None:
    op.execute(
        "UPDATE appeal_totals SET promised_minor = (SELECT coalesce(sum(amount_minor), 0) FROM promises"
        " WHERE promises.appeal_id = appeal_totals.appeal_id AND promises.state = 'open')"
    )


def _widen_lines() -> None:
    with op.batch_alter_table("post_lines") as table:
        table.add_column(sa.Column("fact", sa.String(length=120), nullable=True))
        table.add_column(sa.Column("received_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("address", sa.String(length=300), nullable=False, server_default=""))
        table.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.execute(
        "UPDATE post_lines SET fact = 'line:' || id, received_on = (SELECT received_on FROM post_batches"
        " WHERE post_batches.id = post_lines.batch_id)"
    )
    with op.batch_alter_table("post_lines") as table:
        table.alter_column("fact", existing_type=sa.String(length=120), nullable=False)
        table.alter_column("received_on", existing_type=sa.Date(), nullable=False)
        table.alter_column("address", server_default=None)
        table.alter_column("revision", server_default=None)
        table.create_unique_constraint(op.f("uq_post_lines_fact"), ["fact"])
        table.create_unique_constraint(op.f("uq_post_lines_promise_id"), ["promise_id"])
        table.create_index(op.f("ix_post_lines_email"), ["email"])
        table.create_index(op.f("ix_post_lines_donation_id"), ["donation_id"])


def _add_tables() -> None:
    op.create_table(
        "bank_statements",
        sa.Column("id", BIG, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("columns", DOCUMENT, nullable=False),
        sa.Column("handed_in_by", sa.String(length=254), nullable=False),
        sa.Column("handed_in_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_bank_statements_appeal_id_appeals")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["post_batches.id"], name=op.f("fk_bank_statements_batch_id_post_batches")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statements")),
    )
    op.create_index("ix_bank_statements_head_id", "bank_statements", ["head", "id"])
    op.create_table(
        "thanks_columns",
        sa.Column("id", BIG, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("named_count", sa.Integer(), nullable=False),
        sa.Column("unnamed_count", sa.Integer(), nullable=False),
        sa.Column("printed_on", sa.Date(), nullable=False),
        sa.Column("marked_by", sa.String(length=254), nullable=False),
        sa.Column("marked_at", Instant(), nullable=False),
        sa.Column("undone_by", sa.String(length=254), nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_thanks_columns_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thanks_columns")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_thanks_columns_fingerprint")),
    )
    op.create_index("ix_thanks_columns_appeal_id_id", "thanks_columns", ["appeal_id", "id"])
    op.create_table(
        "reconcile_runs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ran_at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("report", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconcile_runs")),
    )


def downgrade() -> None:
    with op.batch_alter_table("credit_prints") as table:
        table.drop_index(op.f("ix_credit_prints_column_id"))
        table.drop_constraint(op.f("fk_credit_prints_column_id_thanks_columns"), type_="foreignkey")
        table.drop_column("column_id")
    for name in ("reconcile_runs", "thanks_columns", "bank_statements"):
        op.drop_table(name)
    with op.batch_alter_table("post_lines") as table:
        table.drop_index(op.f("ix_post_lines_donation_id"))
        table.drop_index(op.f("ix_post_lines_email"))
        table.drop_constraint(op.f("uq_post_lines_promise_id"), type_="unique")
        table.drop_constraint(op.f("uq_post_lines_fact"), type_="unique")
        for name in ("revision", "address", "received_on", "fact"):
            table.drop_column(name)
    with op.batch_alter_table("post_batches") as table:
        table.drop_column("label")
    with op.batch_alter_table("appeal_totals") as table:
        table.drop_column("promised_minor")
