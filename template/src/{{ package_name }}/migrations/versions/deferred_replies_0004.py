"""Replies of which something is still to be done are found without the others."""

import sqlalchemy as sa
from alembic import op

revision = "deferred_replies_0004"
down_revision = "deferred_replies_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rows = sa.text("state IN ('waiting', 'failed')")
    op.create_index(
        "ix_deferred_replies_open",
        "deferred_replies",
        ["account_id", "id"],
        sqlite_where=rows,
        postgresql_where=rows,
    )
    op.create_index("ix_deferred_replies_state_settled_at", "deferred_replies", ["state", "settled_at"])
    op.drop_index("ix_deferred_replies_state_due_at", "deferred_replies")


def downgrade() -> None:
    op.create_index("ix_deferred_replies_state_due_at", "deferred_replies", ["state", "due_at"])
    op.drop_index("ix_deferred_replies_state_settled_at", "deferred_replies")
    op.drop_index("ix_deferred_replies_open", "deferred_replies")
