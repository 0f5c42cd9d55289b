"""When a wait was written down: one that begins in the future comes from a clock that was ahead."""

import sqlalchemy as sa
from alembic import op

revision = "deferred_replies_0002"
down_revision = "deferred_replies_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deferred_replies", sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("deferred_replies", "scheduled_at")
