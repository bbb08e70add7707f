"""Let each movement of Stripe's statement name the payment it came of, so that it finds its gift in any order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("balance_movements", sa.Column("payment_intent_id", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("balance_movements", "payment_intent_id")
