"""The publisher's own settings let go of what 0007 gave rows of its own: hooks, the chat channel, who gets the digest.

Nothing reads or writes these columns since then. Going back gives them again, empty, as they always were.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appeal.models.base import DOCUMENT

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("house_settings", schema=None) as batch_op:
        for name in ("hook_url", "hook_secret", "chat_url", "digest_to"):
            batch_op.drop_column(name)


def downgrade() -> None:
    with op.batch_alter_table("house_settings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hook_url", sa.String(length=400), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("hook_secret", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("chat_url", sa.String(length=400), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("digest_to", DOCUMENT, nullable=False, server_default="[]"))
    with op.batch_alter_table("house_settings", schema=None) as batch_op:
        for name in ("hook_url", "hook_secret", "chat_url", "digest_to"):
            batch_op.alter_column(name, server_default=None)
