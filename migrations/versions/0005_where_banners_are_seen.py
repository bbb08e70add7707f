"""Where banners are seen: sampled reports from other people's pages, added up by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import BIG

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "embed_sightings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("placement", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("blocked", sa.String(length=40), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embed_sightings")),
        sa.UniqueConstraint(
            "day",
            "host",
            "placement",
            "version",
            "blocked",
            name=op.f("uq_embed_sightings_day_host_placement_version_blocked"),
        ),
    )


def downgrade() -> None:
    op.drop_table("embed_sightings")
