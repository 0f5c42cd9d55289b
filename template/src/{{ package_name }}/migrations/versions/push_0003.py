"""When a wait was written down: one that begins in the future comes from a clock that was ahead."""

import sqlalchemy as sa
from alembic import op

revision = "push_0003"
down_revision = "push_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leases", sa.Column("written_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("leases", "written_at")
    op.drop_column("outbox", "scheduled_at")
