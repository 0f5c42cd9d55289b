"""Deferred replies: answered before they are posted."""

import sqlalchemy as sa
from alembic import op

revision = "deferred_replies_0001"
down_revision = None
branch_labels = ("deferred_replies",)
depends_on = "channelback_0001"

TAKEN = (
    "INSERT INTO deferred_replies SELECT id, account_id, request_unique_identifier, external_id, origin_id, thread,"
    " request, state, tries, detail, accepted_at, due_at, settled_at FROM late_replies"
)
COUNTED_ON = (
    "SELECT setval(pg_get_serial_sequence('deferred_replies', 'id'), COALESCE(MAX(id), 0) + 1, false)"
    " FROM deferred_replies"
)


def upgrade() -> None:
    op.create_table(
        "deferred_replies",
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
            ["account_id"],
            ["accounts.id"],
            name="fk_deferred_replies_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deferred_replies"),
        sa.UniqueConstraint(
            "account_id", "request_unique_identifier", name="uq_deferred_replies_account_id_request"
        ),
        sa.UniqueConstraint("external_id", name="uq_deferred_replies_external_id"),
    )
    op.create_index(
        "ix_deferred_replies_account_id_origin_id", "deferred_replies", ["account_id", "origin_id"]
    )
    op.create_index("ix_deferred_replies_state_due_at", "deferred_replies", ["state", "due_at"])
    # Before the first release the table had another name.
    if sa.inspect(op.get_bind()).has_table("late_replies"):
        op.execute(TAKEN)
        op.drop_table("late_replies")
        if op.get_bind().dialect.name == "postgresql":
            op.execute(COUNTED_ON)


def downgrade() -> None:
    op.drop_table("deferred_replies")
