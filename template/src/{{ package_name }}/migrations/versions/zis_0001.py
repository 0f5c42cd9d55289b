"""Solved tickets that the origin is told of, each once."""

import sqlalchemy as sa
from alembic import op

revision = "zis_0001"
down_revision = None
branch_labels = ("zis",)
depends_on = "accounts_0001"


def upgrade() -> None:
    op.create_table(
        "solved_tickets",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("event", sa.String(128), nullable=False),
        sa.Column("thread_id", sa.String(255), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("claim", sa.String(36), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_solved_tickets_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "event", "thread_id", name="pk_solved_tickets"),
    )
    op.create_index(
        "ix_solved_tickets_told_at", "solved_tickets", ["told_at", "account_id", "event", "thread_id"]
    )
    op.create_index("ix_solved_tickets_account_id_told_at", "solved_tickets", ["account_id", "told_at"])


def downgrade() -> None:
    op.drop_table("solved_tickets")
