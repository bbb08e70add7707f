"""An appeal knows when staff closed it: instalments paid from then on are late, whatever closing time was planned.

Of an appeal that is closed already nobody knows when; its closing time alone decides, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("appeals", sa.Column("closed_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("appeals", "closed_at")
