"""Replies that are answered before they are posted."""

import sqlalchemy as sa
from alembic import op

revision = "late_replies_0001"
down_revision = None
branch_labels = ("late_replies",)
depends_on = "channelback_0001"


def upgrade() -> None:
    op.create_table(
        "late_replies",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("request_unique_identifier", sa.String(255), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("origin_id", sa.String(255), nullable=True),
        sa.Column("thread", sa.String(511), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(511), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_late_replies_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_late_replies"),
        sa.UniqueConstraint(
            "account_id", "request_unique_identifier", name="uq_late_replies_account_id_request"
        ),
        sa.UniqueConstraint("external_id", name="uq_late_replies_external_id"),
    )
    op.create_index("ix_late_replies_account_id_origin_id", "late_replies", ["account_id", "origin_id"])
    op.create_index("ix_late_replies_state_due_at", "late_replies", ["state", "due_at"])


def downgrade() -> None:
    op.drop_table("late_replies")
