"""The office: people who sign in, what they note, export and print, gifts by post, and the audit of it all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import BIG, DOCUMENT, Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFUSAL = "an audit entry is never changed or removed"


def guard_audit() -> None:
    """Refuse every change of the audit in the database itself, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entries_no_{verb.lower()} BEFORE {verb} ON audit_entries "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )


def upgrade() -> None:
    op.create_table(
        "house_settings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("second_factor_required", sa.Boolean(), nullable=False),
        sa.Column("refused_words", DOCUMENT, nullable=False),
        sa.Column("hook_url", sa.String(length=400), nullable=False),
        sa.Column("hook_secret", sa.Text(), nullable=False),
        sa.Column("chat_url", sa.String(length=400), nullable=False),
        sa.Column("digest_to", DOCUMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_house_settings")),
    )
    op.create_table(
        "people",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "viewer", "editor", "admin", name="role", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("second_factor", sa.Text(), nullable=False),
        sa.Column("last_code_counter", sa.BigInteger(), nullable=False),
        sa.Column("recovery_digests", DOCUMENT, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("signed_in_at", Instant(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email_key", name=op.f("uq_people_email_key")),
    )
    op.create_table(
        "search_marks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("donor_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_marks")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email_digest", sa.String(length=64), nullable=False),
        sa.Column("address_digest", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_attempts_address", ["address_digest", "at"], unique=False)
        batch_op.create_index("ix_sign_in_attempts_at", ["at"], unique=False)
        batch_op.create_index("ix_sign_in_attempts_email", ["email_digest", "at"], unique=False)

    op.create_table(
        "word_spellings",
        sa.Column("spelling", sa.String(length=60), nullable=False),
        sa.Column("word", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("spelling", "word", name=op.f("pk_word_spellings")),
    )
    op.create_table(
        "appeal_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("before", sa.String(length=40), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_changes_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_changes")),
    )
    with op.batch_alter_table("appeal_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appeal_changes_appeal_id"), ["appeal_id"], unique=False)

    op.create_table(
        "audit_entries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("before", DOCUMENT, nullable=False),
        sa.Column("after", DOCUMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_audit_entries_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entries_action", ["action", "id"], unique=False)
        batch_op.create_index("ix_audit_entries_actor", ["actor", "id"], unique=False)
        batch_op.create_index("ix_audit_entries_subject", ["subject", "id"], unique=False)

    op.create_table(
        "donor_merges",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kept_id", BIG, nullable=False),
        sa.Column("merged_id", BIG, nullable=False),
        sa.Column("moved", DOCUMENT, nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["kept_id"], ["donors.id"], name=op.f("fk_donor_merges_kept_id_donors")),
        sa.ForeignKeyConstraint(["merged_id"], ["donors.id"], name=op.f("fk_donor_merges_merged_id_donors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donor_merges")),
    )
    with op.batch_alter_table("donor_merges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_donor_merges_kept_id"), ["kept_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_donor_merges_merged_id"), ["merged_id"], unique=False)

    op.create_table(
        "donor_words",
        sa.Column("word", sa.String(length=60), nullable=False),
        sa.Column("donor_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_donor_words_donor_id_donors")),
        sa.PrimaryKeyConstraint("word", "donor_id", name=op.f("pk_donor_words")),
    )
    with op.batch_alter_table("donor_words", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_donor_words_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "exports",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("preset", sa.String(length=20), nullable=False),
        sa.Column("appeal_id", BIG, nullable=True),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("with_personal", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_all", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_exports_appeal_id_appeals")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_exports_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    with op.batch_alter_table("exports", schema=None) as batch_op:
        batch_op.create_index("ix_exports_state", ["state", "id"], unique=False)

    op.create_table(
        "post_batches",
        sa.Column("id", BIG, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column(
            "source",
            sa.Enum("post", "bank", name="source", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("control_count", sa.Integer(), nullable=False),
        sa.Column("control_minor", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(length=254), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_by", sa.String(length=254), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint("control_count > 0 AND control_minor > 0", name=op.f("ck_post_batches_control")),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_post_batches_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_batches")),
    )
    with op.batch_alter_table("post_batches", schema=None) as batch_op:
        batch_op.create_index("ix_post_batches_appeal_id_id", ["appeal_id", "id"], unique=False)

    op.create_table(
        "sign_ins",
        sa.Column("id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("fresh_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("browser", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sign_ins_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_ins_digest")),
    )
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_ins_person_id"), ["person_id"], unique=False)

    op.create_table(
        "staff_tokens",
        sa.Column("id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "invitation", "reset", name="purpose", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_staff_tokens_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_staff_tokens_digest")),
    )
    with op.batch_alter_table("staff_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_tokens_person_id"), ["person_id"], unique=False)

    op.create_table(
        "credit_prints",
        sa.Column("donation_id", BIG, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("printed_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_credit_prints_appeal_id_appeals")
        ),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_credit_prints_donation_id_donations")
        ),
        sa.PrimaryKeyConstraint("donation_id", name=op.f("pk_credit_prints")),
    )
    with op.batch_alter_table("credit_prints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_prints_appeal_id"), ["appeal_id"], unique=False)

    op.create_table(
        "notes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("donor_id", BIG, nullable=False),
        sa.Column("donation_id", BIG, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=254), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_notes_donation_id_donations")
        ),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_notes_donor_id_donors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notes_donation_id"), ["donation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notes_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "promises",
        sa.Column("id", BIG, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("post", "bank", name="source", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "matched",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("promised_at", Instant(), nullable=False),
        sa.Column("donation_id", BIG, nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_promises_amount")),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_promises_appeal_id_appeals")),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_promises_donation_id_donations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promises")),
        sa.UniqueConstraint("reference", name=op.f("uq_promises_reference")),
    )
    with op.batch_alter_table("promises", schema=None) as batch_op:
        batch_op.create_index("ix_promises_appeal_id_state", ["appeal_id", "state"], unique=False)

    op.create_table(
        "post_lines",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("credit", sa.String(length=16), nullable=False),
        sa.Column("credit_line", sa.String(length=60), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("promise_id", BIG, nullable=True),
        sa.Column("donation_id", BIG, nullable=True),
        sa.Column("entered_by", sa.String(length=254), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_post_lines_amount")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["post_batches.id"], name=op.f("fk_post_lines_batch_id_post_batches")
        ),
        sa.ForeignKeyConstraint(
            ["donation_id"], ["donations.id"], name=op.f("fk_post_lines_donation_id_donations")
        ),
        sa.ForeignKeyConstraint(
            ["promise_id"], ["promises.id"], name=op.f("fk_post_lines_promise_id_promises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_lines")),
    )
    with op.batch_alter_table("post_lines", schema=None) as batch_op:
        batch_op.create_index("ix_post_lines_amount_minor_name", ["amount_minor", "name"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_lines_batch_id"), ["batch_id"], unique=False)

    with op.batch_alter_table("donations", schema=None) as batch_op:
        batch_op.create_index("ix_donations_appeal_status", ["appeal_id", "status", "id"], unique=False)
        batch_op.create_index(
            "ix_donations_to_read",
            ["id"],
            unique=False,
            sqlite_where=sa.text("credit_review = 'waiting' OR message_review = 'waiting'"),
            postgresql_where=sa.text("credit_review = 'waiting' OR message_review = 'waiting'"),
        )

    guard_audit()


def downgrade() -> None:
    with op.batch_alter_table("donations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_donations_to_read",
            sqlite_where=sa.text("credit_review = 'waiting' OR message_review = 'waiting'"),
            postgresql_where=sa.text("credit_review = 'waiting' OR message_review = 'waiting'"),
        )
        batch_op.drop_index("ix_donations_appeal_status")

    with op.batch_alter_table("post_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_post_lines_batch_id"))
        batch_op.drop_index("ix_post_lines_amount_minor_name")

    op.drop_table("post_lines")
    with op.batch_alter_table("promises", schema=None) as batch_op:
        batch_op.drop_index("ix_promises_appeal_id_state")

    op.drop_table("promises")
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notes_donor_id"))
        batch_op.drop_index(batch_op.f("ix_notes_donation_id"))

    op.drop_table("notes")
    with op.batch_alter_table("credit_prints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_prints_appeal_id"))

    op.drop_table("credit_prints")
    with op.batch_alter_table("staff_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_tokens_person_id"))

    op.drop_table("staff_tokens")
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_ins_person_id"))

    op.drop_table("sign_ins")
    with op.batch_alter_table("post_batches", schema=None) as batch_op:
        batch_op.drop_index("ix_post_batches_appeal_id_id")

    op.drop_table("post_batches")
    with op.batch_alter_table("exports", schema=None) as batch_op:
        batch_op.drop_index("ix_exports_state")

    op.drop_table("exports")
    with op.batch_alter_table("donor_words", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_donor_words_donor_id"))

    op.drop_table("donor_words")
    with op.batch_alter_table("donor_merges", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_donor_merges_merged_id"))
        batch_op.drop_index(batch_op.f("ix_donor_merges_kept_id"))

    op.drop_table("donor_merges")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entries_subject")
        batch_op.drop_index("ix_audit_entries_actor")
        batch_op.drop_index("ix_audit_entries_action")

    op.drop_table("audit_entries")
    with op.batch_alter_table("appeal_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appeal_changes_appeal_id"))

    op.drop_table("appeal_changes")
    op.drop_table("word_spellings")
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_attempts_email")
        batch_op.drop_index("ix_sign_in_attempts_at")
        batch_op.drop_index("ix_sign_in_attempts_address")

    op.drop_table("sign_in_attempts")
    op.drop_table("search_marks")
    op.drop_table("people")
    op.drop_table("house_settings")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse()")
