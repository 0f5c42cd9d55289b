"""What webhooks have only named, subscriptions that run out, and the keys of accounts in shared webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "push_0004"
down_revision = "push_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("push_credentials", sa.Column("account_key", sa.String(255), nullable=True))
    op.create_index("ix_push_credentials_account_key", "push_credentials", ["account_key"])
    op.create_table(
        "push_lookups",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("asked", sa.String(36), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_push_lookups_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_push_lookups"),
    )
    op.create_index("ix_push_lookups_due_at", "push_lookups", ["due_at"])
    op.create_table(
        "push_subscriptions",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("renew_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_push_subscriptions_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_push_subscriptions"),
    )
    op.create_index("ix_push_subscriptions_renew_at", "push_subscriptions", ["renew_at"])


def downgrade() -> None:
    op.drop_table("push_subscriptions")
    op.drop_table("push_lookups")
    op.drop_index("ix_push_credentials_account_key", "push_credentials")
    op.drop_column("push_credentials", "account_key")
