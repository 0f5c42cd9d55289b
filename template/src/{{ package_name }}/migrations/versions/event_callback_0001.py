"""Accounts that Zendesk has stopped using."""

import sqlalchemy as sa
from alembic import op

revision = "event_callback_0001"
down_revision = None
branch_labels = ("event_callback",)
depends_on = "accounts_0001"


def upgrade() -> None:
    op.create_table(
        "deactivations",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("deactivated_by", sa.String(32), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_deactivations_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_deactivations"),
    )


def downgrade() -> None:
    op.drop_table("deactivations")
