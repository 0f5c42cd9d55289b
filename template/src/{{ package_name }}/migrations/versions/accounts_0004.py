"""Accounts are found in their order, and those that Zendesk never took without the others."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0004"
down_revision = "accounts_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Alembic knows of it only by capabilities that depend on it, and these may have been taken out of the service.
    op.create_index("ix_accounts_created_at_id", "accounts", ["created_at", "id"], if_not_exists=True)
    rows = sa.text("confirmed_at IS NULL")
    op.create_index(
        "ix_accounts_unconfirmed",
        "accounts",
        ["created_at"],
        if_not_exists=True,
        sqlite_where=rows,
        postgresql_where=rows,
    )


def downgrade() -> None:
    op.drop_index("ix_accounts_unconfirmed", "accounts")
    op.drop_index("ix_accounts_created_at_id", "accounts")
