"""The records: appeals, donors, donations, the append-only ledger with its totals, inbox and outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import BIG, DOCUMENT, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REFUSAL = "a ledger entry is never changed or removed; correct it with a new one"


def guard_ledger() -> None:
    """Refuse every change of the ledger in the database itself, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_entries_no_{verb.lower()} BEFORE {verb} ON ledger_entries "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE ON ledger_entries "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    )
    op.execute(
        "CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
    )


def upgrade() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", BIG, nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft", "open", "closed", name="status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("goal_minor", sa.BigInteger(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("opens_at", Instant(), nullable=True),
        sa.Column("closes_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("standfirst", sa.String(length=400), nullable=False),
        sa.Column("story_markdown", sa.Text(), nullable=False),
        sa.Column("thanks_markdown", sa.Text(), nullable=False),
        sa.Column("other_ways_markdown", sa.Text(), nullable=False),
        sa.Column("terms_markdown", sa.Text(), nullable=False),
        sa.Column("presets_minor", DOCUMENT, nullable=False),
        sa.Column("default_minor", sa.BigInteger(), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("maximum_minor", sa.BigInteger(), nullable=False),
        sa.Column("publisher", sa.String(length=120), nullable=False),
        sa.Column("publisher_url", sa.String(length=400), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("accent", sa.String(length=7), nullable=False),
        sa.Column("accent_dark", sa.String(length=7), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("logo_type", sa.String(length=40), nullable=True),
        sa.Column("return_hosts", DOCUMENT, nullable=False),
        sa.Column("monthly_offered", sa.Boolean(), nullable=False),
        sa.Column(
            "late_instalments",
            sa.Enum(
                "until_close",
                "always",
                "never",
                name="late_instalments",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("cover_offered", sa.Boolean(), nullable=False),
        sa.Column("cover_counts", sa.Boolean(), nullable=False),
        sa.Column("cover_percent_bps", sa.Integer(), nullable=False),
        sa.Column("cover_fixed_minor", sa.BigInteger(), nullable=False),
        sa.Column("banner_words", DOCUMENT, nullable=False),
        sa.Column("banner_off", DOCUMENT, nullable=False),
        sa.CheckConstraint(
            "closes_at IS NULL OR opens_at IS NULL OR closes_at > opens_at",
            name=op.f("ck_appeals_closes_after_opening"),
        ),
        sa.CheckConstraint(
            "cover_percent_bps BETWEEN 0 AND 2000 AND cover_fixed_minor >= 0",
            name=op.f("ck_appeals_cover_bounds"),
        ),
        sa.CheckConstraint(
            "currency = lower(currency) AND length(currency) = 3", name=op.f("ck_appeals_currency_code")
        ),
        sa.CheckConstraint("goal_minor IS NULL OR goal_minor > 0", name=op.f("ck_appeals_goal_positive")),
        sa.CheckConstraint(
            "minimum_minor > 0 AND maximum_minor >= minimum_minor", name=op.f("ck_appeals_bounds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("slug", name=op.f("uq_appeals_slug")),
    )
    op.create_table(
        "donors",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("stripe_customer_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.Column("merged_into_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["donors.id"], name=op.f("fk_donors_merged_into_id_donors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donors")),
        sa.UniqueConstraint("email_key", name=op.f("uq_donors_email_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_donors_public_id")),
    )
    with op.batch_alter_table("donors", schema=None) as batch_op:
        batch_op.create_index("ix_donors_name", ["name"], unique=False)

    op.create_table(
        "inbox_events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=120), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "done",
                "parked",
                "ignored",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("try_at", Instant(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("came_by", sa.String(length=16), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_inbox_events_event_id")),
    )
    with op.batch_alter_table("inbox_events", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_events_state_try_at", ["state", "try_at"], unique=False)

    op.create_table(
        "appeal_donors",
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("donor_id", BIG, nullable=False),
        sa.Column("gift_count", sa.Integer(), nullable=False),
        sa.Column("given_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_donors_appeal_id_appeals")
        ),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_appeal_donors_donor_id_donors")),
        sa.PrimaryKeyConstraint("appeal_id", "donor_id", name=op.f("pk_appeal_donors")),
    )
    with op.batch_alter_table("appeal_donors", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appeal_donors_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "appeal_totals",
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("raised_minor", sa.BigInteger(), nullable=False),
        sa.Column("online_minor", sa.BigInteger(), nullable=False),
        sa.Column("post_minor", sa.BigInteger(), nullable=False),
        sa.Column("bank_minor", sa.BigInteger(), nullable=False),
        sa.Column("uncounted_minor", sa.BigInteger(), nullable=False),
        sa.Column("gift_count", sa.Integer(), nullable=False),
        sa.Column("donor_count", sa.Integer(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("as_of", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_totals_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint("appeal_id", name=op.f("pk_appeal_totals")),
    )
    op.create_table(
        "attribution_totals",
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("dimension", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("frequency", sa.String(length=16), nullable=False),
        sa.Column("received_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("gift_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_attribution_totals_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint(
            "appeal_id", "dimension", "value", "frequency", name=op.f("pk_attribution_totals")
        ),
    )
    op.create_table(
        "consents",
        sa.Column("id", BIG, nullable=False),
        sa.Column("donor_id", BIG, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("form", sa.String(length=80), nullable=False),
        sa.Column("answered_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_consents_donor_id_donors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "daily_totals",
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("placement", sa.String(length=32), nullable=False),
        sa.Column("frequency", sa.String(length=16), nullable=False),
        sa.Column("received_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("gift_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_daily_totals_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint(
            "appeal_id", "day", "source", "placement", "frequency", name=op.f("pk_daily_totals")
        ),
    )
    op.create_table(
        "recurring_gifts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("donor_id", BIG, nullable=False),
        sa.Column("begun_by", sa.String(length=32), nullable=False),
        sa.Column("subscription_id", sa.String(length=64), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "past_due",
                "paused",
                "ended",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("cover_minor", sa.BigInteger(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("next_due_at", Instant(), nullable=True),
        sa.Column("ends_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("told_at", Instant(), nullable=False),
        sa.CheckConstraint("amount_minor > 0 AND cover_minor >= 0", name=op.f("ck_recurring_gifts_amounts")),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_recurring_gifts_appeal_id_appeals")
        ),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_recurring_gifts_donor_id_donors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurring_gifts")),
        sa.UniqueConstraint("begun_by", name=op.f("uq_recurring_gifts_begun_by")),
        sa.UniqueConstraint("public_id", name=op.f("uq_recurring_gifts_public_id")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_recurring_gifts_subscription_id")),
    )
    with op.batch_alter_table("recurring_gifts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recurring_gifts_appeal_id"), ["appeal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recurring_gifts_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "donations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("donor_id", BIG, nullable=False),
        sa.Column("recurring_gift_id", BIG, nullable=True),
        sa.Column(
            "source",
            sa.Enum(
                "online", "post", "bank", name="source", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "frequency",
            sa.Enum(
                "once", "monthly", name="frequency", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "started",
                "open",
                "on_its_way",
                "received",
                "failed",
                "expired",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("cover_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "credit",
            sa.Enum(
                "name",
                "initials",
                "custom",
                "anonymous",
                name="credit",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("credit_line", sa.String(length=60), nullable=False),
        sa.Column(
            "credit_review",
            sa.Enum(
                "none",
                "waiting",
                "approved",
                "hidden",
                name="credit_review",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "message_review",
            sa.Enum(
                "none",
                "waiting",
                "approved",
                "hidden",
                name="message_review",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("src", sa.String(length=120), nullable=False),
        sa.Column("page", sa.String(length=300), nullable=False),
        sa.Column("placement", sa.String(length=32), nullable=False),
        sa.Column("form_id", sa.String(length=64), nullable=True),
        sa.Column("form_digest", sa.String(length=64), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempt_expires_at", Instant(), nullable=True),
        sa.Column("checkout_session_id", sa.String(length=128), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("payment_intent_id", sa.String(length=64), nullable=True),
        sa.Column("invoice_id", sa.String(length=64), nullable=True),
        sa.Column("charge_id", sa.String(length=64), nullable=True),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.CheckConstraint("amount_minor > 0 AND cover_minor >= 0", name=op.f("ck_donations_amounts")),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_donations_appeal_id_appeals")),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_donations_donor_id_donors")),
        sa.ForeignKeyConstraint(
            ["recurring_gift_id"],
            ["recurring_gifts.id"],
            name=op.f("fk_donations_recurring_gift_id_recurring_gifts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donations")),
        sa.UniqueConstraint("checkout_session_id", name=op.f("uq_donations_checkout_session_id")),
        sa.UniqueConstraint("form_id", name=op.f("uq_donations_form_id")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_donations_invoice_id")),
        sa.UniqueConstraint("payment_intent_id", name=op.f("uq_donations_payment_intent_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_donations_public_id")),
    )
    with op.batch_alter_table("donations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_donations_appeal_credits", ["appeal_id", "credit_review", "received_at"], unique=False
        )
        batch_op.create_index("ix_donations_appeal_id_id", ["appeal_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_donations_charge_id"), ["charge_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_donations_donor_id"), ["donor_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_donations_recurring_gift_id"), ["recurring_gift_id"], unique=False
        )
        batch_op.create_index("ix_donations_status_created_at", ["status", "created_at"], unique=False)

    op.create_table(
        "checkout_slots",
        sa.Column("id", BIG, nullable=False),
        sa.Column("donation_id", BIG, nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_checkout_slots_donation_id_donations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout_slots")),
    )
    with op.batch_alter_table("checkout_slots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checkout_slots_donation_id"), ["donation_id"], unique=False)
        batch_op.create_index(
            "ix_checkout_slots_scope_key", ["scope", "key_digest", "taken_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_checkout_slots_taken_at"), ["taken_at"], unique=False)

    op.create_table(
        "ledger_entries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("donation_id", BIG, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "gift",
                "cover",
                "refund",
                "refund_reversed",
                "dispute",
                "dispute_reinstated",
                "correction",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("fact", sa.String(length=200), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "online", "post", "bank", name="source", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "frequency",
            sa.Enum(
                "once", "monthly", name="frequency", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("placement", sa.String(length=32), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("corrects_id", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('gift', 'refund_reversed', 'dispute_reinstated') AND amount_minor > 0) OR (kind IN ('refund', 'dispute') AND amount_minor < 0) OR kind IN ('cover', 'correction')",
            name=op.f("ck_ledger_entries_sign_fits_kind"),
        ),
        sa.CheckConstraint(
            "kind <> 'correction' OR (reason <> '' AND actor <> '')",
            name=op.f("ck_ledger_entries_correction_explained"),
        ),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_ledger_entries_amount_not_nil")),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_ledger_entries_appeal_id_appeals")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["ledger_entries.id"], name=op.f("fk_ledger_entries_corrects_id_ledger_entries")
        ),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_ledger_entries_donation_id_donations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("fact", name=op.f("uq_ledger_entries_fact")),
    )
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_entries_appeal_id_recorded_at", ["appeal_id", "recorded_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ledger_entries_donation_id"), ["donation_id"], unique=False)

    op.create_table(
        "outbox_items",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dedupe", sa.String(length=200), nullable=False),
        sa.Column("donation_id", BIG, nullable=True),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "done",
                "parked",
                "ignored",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("try_at", Instant(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_outbox_items_donation_id_donations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_items")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_outbox_items_dedupe")),
    )
    with op.batch_alter_table("outbox_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_items_donation_id"), ["donation_id"], unique=False)
        batch_op.create_index("ix_outbox_items_state_try_at", ["state", "try_at"], unique=False)

    guard_ledger()


def downgrade() -> None:
    with op.batch_alter_table("outbox_items", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_items_state_try_at")
        batch_op.drop_index(batch_op.f("ix_outbox_items_donation_id"))

    op.drop_table("outbox_items")
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entries_donation_id"))
        batch_op.drop_index("ix_ledger_entries_appeal_id_recorded_at")

    op.drop_table("ledger_entries")
    with op.batch_alter_table("checkout_slots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkout_slots_taken_at"))
        batch_op.drop_index("ix_checkout_slots_scope_key")
        batch_op.drop_index(batch_op.f("ix_checkout_slots_donation_id"))

    op.drop_table("checkout_slots")
    with op.batch_alter_table("donations", schema=None) as batch_op:
        batch_op.drop_index("ix_donations_status_created_at")
        batch_op.drop_index(batch_op.f("ix_donations_recurring_gift_id"))
        batch_op.drop_index(batch_op.f("ix_donations_donor_id"))
        batch_op.drop_index(batch_op.f("ix_donations_charge_id"))
        batch_op.drop_index("ix_donations_appeal_id_id")
        batch_op.drop_index("ix_donations_appeal_credits")

    op.drop_table("donations")
    with op.batch_alter_table("recurring_gifts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recurring_gifts_donor_id"))
        batch_op.drop_index(batch_op.f("ix_recurring_gifts_appeal_id"))

    op.drop_table("recurring_gifts")
    op.drop_table("daily_totals")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_donor_id"))

    op.drop_table("consents")
    op.drop_table("attribution_totals")
    op.drop_table("appeal_totals")
    with op.batch_alter_table("appeal_donors", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appeal_donors_donor_id"))

    op.drop_table("appeal_donors")
    with op.batch_alter_table("inbox_events", schema=None) as batch_op:
        batch_op.drop_index("ix_inbox_events_state_try_at")

    op.drop_table("inbox_events")
    with op.batch_alter_table("donors", schema=None) as batch_op:
        batch_op.drop_index("ix_donors_name")

    op.drop_table("donors")
    op.drop_table("appeals")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ledger_refuse()")
