"""Money that stays true: terms of monthly gifts, refund orders, notices, Stripe's statement, seals, donors' links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import BIG, DOCUMENT, Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REFUSAL = "the seal of a day is never changed or removed"


def guard_seals() -> None:
    """Refuse every change of a seal in the database itself, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER daily_seals_no_{verb.lower()} BEFORE {verb} ON daily_seals "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION seal_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER daily_seals_no_change BEFORE UPDATE OR DELETE ON daily_seals "
        "FOR EACH ROW EXECUTE FUNCTION seal_refuse()"
    )
    op.execute(
        "CREATE TRIGGER daily_seals_no_truncate BEFORE TRUNCATE ON daily_seals "
        "FOR EACH STATEMENT EXECUTE FUNCTION seal_refuse()"
    )


def upgrade() -> None:
    op.create_table(
        "daily_seals",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("sum_minor", sa.BigInteger(), nullable=False),
        sa.Column("last_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_daily_seals")),
        sa.UniqueConstraint("digest", name=op.f("uq_daily_seals_digest")),
    )
    op.create_table(
        "payouts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("payout_id", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("arrives_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("movements_read_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("payout_id", name=op.f("uq_payouts_payout_id")),
    )
    op.create_index(op.f("ix_payouts_created_at"), "payouts", ["created_at"], unique=False)

    op.create_table(
        "scheduled_runs",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_scheduled_runs")),
    )
    op.create_table(
        "complaints",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("donor_id", BIG, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_complaints_donor_id_donors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
        sa.UniqueConstraint("public_id", name=op.f("uq_complaints_public_id")),
    )
    op.create_index(op.f("ix_complaints_donor_id"), "complaints", ["donor_id"], unique=False)

    op.create_table(
        "donor_links",
        sa.Column("id", BIG, nullable=False),
        sa.Column("donor_id", BIG, nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_donor_links_donor_id_donors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donor_links")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_donor_links_token_digest")),
    )
    op.create_index(op.f("ix_donor_links_donor_id"), "donor_links", ["donor_id"], unique=False)
    op.create_index(op.f("ix_donor_links_expires_at"), "donor_links", ["expires_at"], unique=False)

    op.create_table(
        "balance_movements",
        sa.Column("id", BIG, nullable=False),
        sa.Column("movement_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=True),
        sa.Column("donation_id", BIG, nullable=True),
        sa.Column("payout_id", BIG, nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("available_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_balance_movements_donation_id_donations")
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_balance_movements_payout_id_payouts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_movements")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_balance_movements_movement_id")),
    )
    op.create_index("ix_balance_movements_created_at", "balance_movements", ["created_at"], unique=False)
    op.create_index(
        op.f("ix_balance_movements_donation_id"), "balance_movements", ["donation_id"], unique=False
    )
    op.create_index(op.f("ix_balance_movements_payout_id"), "balance_movements", ["payout_id"], unique=False)
    op.create_index(op.f("ix_balance_movements_source_id"), "balance_movements", ["source_id"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dedupe", sa.String(length=200), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("appeal_id", BIG, nullable=True),
        sa.Column("donation_id", BIG, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=True),
        sa.Column("seen_by", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_notices_appeal_id_appeals")),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_notices_donation_id_donations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_notices_dedupe")),
    )
    op.create_index(op.f("ix_notices_appeal_id"), "notices", ["appeal_id"], unique=False)
    op.create_index(op.f("ix_notices_donation_id"), "notices", ["donation_id"], unique=False)
    op.create_index("ix_notices_open", "notices", ["seen_at", "created_at"], unique=False)

    op.create_table(
        "refund_orders",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("donation_id", BIG, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked", "made", "refused", name="state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("refund_id", sa.String(length=64), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_orders_amount_positive")),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_refund_orders_donation_id_donations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_orders")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_orders_public_id")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_refund_orders_refund_id")),
    )
    op.create_index(op.f("ix_refund_orders_donation_id"), "refund_orders", ["donation_id"], unique=False)

    op.add_column(
        "appeal_totals", sa.Column("running_monthly", DOCUMENT, nullable=False, server_default="{}")
    )

    op.add_column("donations", sa.Column("fraud_warning_at", Instant(), nullable=True))

    op.add_column("inbox_events", sa.Column("waits_for", sa.String(length=120), nullable=True))
    op.create_index(op.f("ix_inbox_events_waits_for"), "inbox_events", ["waits_for"], unique=False)

    op.add_column(
        "recurring_gifts", sa.Column("told_mark", sa.String(length=120), nullable=False, server_default="")
    )
    op.add_column("recurring_gifts", sa.Column("customer_id", sa.String(length=64), nullable=True))
    op.add_column(
        "recurring_gifts", sa.Column("anchor_day", sa.Integer(), nullable=False, server_default="1")
    )
    op.add_column("recurring_gifts", sa.Column("terms", DOCUMENT, nullable=False, server_default="[]"))
    op.add_column("recurring_gifts", sa.Column("failed_at", Instant(), nullable=True))
    op.add_column(
        "recurring_gifts",
        sa.Column("failed_invoice_url", sa.String(length=500), nullable=False, server_default=""),
    )

    guard_seals()


def downgrade() -> None:
    op.drop_column("recurring_gifts", "failed_invoice_url")
    op.drop_column("recurring_gifts", "failed_at")
    op.drop_column("recurring_gifts", "terms")
    op.drop_column("recurring_gifts", "anchor_day")
    op.drop_column("recurring_gifts", "customer_id")
    op.drop_column("recurring_gifts", "told_mark")

    op.drop_index(op.f("ix_inbox_events_waits_for"), table_name="inbox_events")
    op.drop_column("inbox_events", "waits_for")

    op.drop_column("donations", "fraud_warning_at")

    op.drop_column("appeal_totals", "running_monthly")

    op.drop_index(op.f("ix_refund_orders_donation_id"), table_name="refund_orders")

    op.drop_table("refund_orders")
    op.drop_index("ix_notices_open", table_name="notices")
    op.drop_index(op.f("ix_notices_donation_id"), table_name="notices")
    op.drop_index(op.f("ix_notices_appeal_id"), table_name="notices")

    op.drop_table("notices")
    op.drop_index(op.f("ix_balance_movements_source_id"), table_name="balance_movements")
    op.drop_index(op.f("ix_balance_movements_payout_id"), table_name="balance_movements")
    op.drop_index(op.f("ix_balance_movements_donation_id"), table_name="balance_movements")
    op.drop_index("ix_balance_movements_created_at", table_name="balance_movements")

    op.drop_table("balance_movements")
    op.drop_index(op.f("ix_donor_links_expires_at"), table_name="donor_links")
    op.drop_index(op.f("ix_donor_links_donor_id"), table_name="donor_links")

    op.drop_table("donor_links")
    op.drop_index(op.f("ix_complaints_donor_id"), table_name="complaints")

    op.drop_table("complaints")
    op.drop_table("scheduled_runs")
    op.drop_index(op.f("ix_payouts_created_at"), table_name="payouts")

    op.drop_table("payouts")
    op.drop_table("daily_seals")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION seal_refuse()")
