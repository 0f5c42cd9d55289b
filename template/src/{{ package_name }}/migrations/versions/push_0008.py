"""A subscription whose renewal failed is found without the others."""

from alembic import op

revision = "push_0008"
down_revision = "push_0007"
branch_labels = None
depends_on = None

NAME = "ix_push_subscriptions_failures_renew_at"


def upgrade() -> None:
    op.create_index(NAME, "push_subscriptions", ["failures", "renew_at"])


def downgrade() -> None:
    op.drop_index(NAME, "push_subscriptions")
