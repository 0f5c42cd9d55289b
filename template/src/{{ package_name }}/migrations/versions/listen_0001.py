"""Since when each account is listened for, and how that failed the last time."""

import sqlalchemy as sa
from alembic import op

revision = "listen_0001"
down_revision = None
branch_labels = ("listen",)
depends_on = "push_0001"


def upgrade() -> None:
    op.create_table(
        "listeners",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_listeners_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_listeners"),
    )


def downgrade() -> None:
    op.drop_table("listeners")
