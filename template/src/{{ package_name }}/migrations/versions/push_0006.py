"""Webhooks that were not kept, counted by account and status."""

import sqlalchemy as sa
from alembic import op

revision = "push_0006"
down_revision = "push_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_refusals",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "status", name="pk_webhook_refusals"),
    )


def downgrade() -> None:
    op.drop_table("webhook_refusals")
