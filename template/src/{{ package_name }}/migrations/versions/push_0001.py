"""Push credentials, leases, the outbox with its history, and the webhook deliveries that were seen."""

import sqlalchemy as sa
from alembic import op

revision = "push_0001"
down_revision = None
branch_labels = ("push",)
depends_on = "accounts_0001"

MESSAGE_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "push_credentials",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("sealed_webhook_secret", sa.Text(), nullable=False),
        sa.Column("instance_push_id", sa.String(255), nullable=True),
        sa.Column("sealed_token", sa.Text(), nullable=True),
        sa.Column("access", sa.String(16), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_push_credentials_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_push_credentials"),
    )
    op.create_table(
        "leases",
        sa.Column("job", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("holder", sa.String(36), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("spent_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_leases_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job", "account_id", name="pk_leases"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", MESSAGE_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("author_id", sa.String(255), nullable=False),
        sa.Column("parent_id", sa.String(255), nullable=True),
        sa.Column("thread", sa.String(255), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parent_missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_outbox_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("account_id", "external_id", name="uq_outbox_account_id_external_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_state_settled_at", "outbox", ["state", "settled_at"])
    waiting, parent_missing = sa.text("state = 'waiting'"), sa.text("parent_missing_since IS NOT NULL")
    for name, columns, rows in (
        ("ix_outbox_waiting", ["account_id", "id"], waiting),
        ("ix_outbox_due", ["account_id", "due_at"], waiting),
        ("ix_outbox_parent_missing", ["account_id", "parent_id"], parent_missing),
    ):
        op.create_index(name, "outbox", columns, sqlite_where=rows, postgresql_where=rows)
    op.create_table(
        "outbox_history",
        sa.Column("id", MESSAGE_ID, autoincrement=True, nullable=False),
        sa.Column("message_id", MESSAGE_ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox.id"], name="fk_outbox_history_message_id_outbox", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_history"),
    )
    op.create_index("ix_outbox_history_message_id", "outbox_history", ["message_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("delivery", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_webhook_deliveries_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "delivery", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_at", "webhook_deliveries", ["at"])


def downgrade() -> None:
    for table in ("webhook_deliveries", "outbox_history", "outbox", "leases", "push_credentials"):
        op.drop_table(table)
