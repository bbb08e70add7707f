"""What is told to the publisher's own systems: endpoints, attempts, milestones passed, readers of the digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import BIG, DOCUMENT, Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _words(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "outgoing_endpoints",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", _words("webhook", "chat", name="kind"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("closed_address", sa.Text(), nullable=False),
        sa.Column("shown", sa.String(length=300), nullable=False),
        sa.Column("closed_secret", sa.Text(), nullable=False),
        sa.Column("closed_old_secret", sa.Text(), nullable=False),
        sa.Column("old_until", Instant(timezone=True), nullable=True),
        sa.Column("event_types", sa.String(length=400), nullable=False),
        sa.Column("personal", DOCUMENT, nullable=False),
        sa.Column("appeal_id", BIG, nullable=True),
        sa.Column("state", _words("on", "off", name="state"), nullable=False),
        sa.Column("off_why", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Instant(timezone=True), nullable=True),
        sa.Column("delivered_at", Instant(timezone=True), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_outgoing_endpoints_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_endpoints")),
    )
    op.create_table(
        "outgoing_deliveries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("endpoint_id", BIG, nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("answer", sa.String(length=300), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["outgoing_endpoints.id"],
            name=op.f("fk_outgoing_deliveries_endpoint_id_outgoing_endpoints"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_deliveries")),
    )
    op.create_index("ix_outgoing_deliveries_endpoint_id", "outgoing_deliveries", ["endpoint_id", "id"])
    op.create_index("ix_outgoing_deliveries_at", "outgoing_deliveries", ["at"])
    op.create_table(
        "milestones",
        sa.Column("mark", sa.String(length=60), nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_milestones_appeal_id_appeals")),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_milestones")),
    )
    op.create_index(op.f("ix_milestones_appeal_id"), "milestones", ["appeal_id"])
    op.create_table(
        "digest_readers",
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("since", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_digest_readers_person_id_people")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_digest_readers")),
    )


def downgrade() -> None:
    op.drop_table("digest_readers")
    op.drop_table("milestones")
    op.drop_table("outgoing_deliveries")
    op.drop_table("outgoing_endpoints")
