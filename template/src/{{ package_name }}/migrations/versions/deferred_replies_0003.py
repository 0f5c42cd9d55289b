"""The list of an account's deferred replies goes on by its own order."""

from alembic import op

revision = "deferred_replies_0003"
down_revision = "deferred_replies_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_deferred_replies_account_id_id", "deferred_replies", ["account_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_deferred_replies_account_id_id", "deferred_replies")
