"""The state of accounts, and until when the origin wants to be left alone about them."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0002"
down_revision = "accounts_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Alembic knows of it only by capabilities that depend on it, and these may have been taken out of the service.
    if sa.inspect(op.get_bind()).has_table("account_state"):
        return
    op.add_column("accounts", sa.Column("backoff_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "account_state",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("sealed_value", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_state_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_account_state"),
    )
    op.create_index("ix_account_state_expires_at", "account_state", ["expires_at"])


def downgrade() -> None:
    op.drop_table("account_state")
    op.drop_column("accounts", "backoff_until")
