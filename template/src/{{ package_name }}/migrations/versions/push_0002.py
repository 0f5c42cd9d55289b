"""Takes over what was kept before the first release, under older names."""

import sqlalchemy as sa
from alembic import op

revision = "push_0002"
down_revision = "push_0001"
branch_labels = None
depends_on = None

TAKEN = (
    "INSERT INTO push_credentials SELECT account_id, sealed_webhook_secret, instance_push_id, sealed_token, access,"
    " detail, changed_at FROM push_connections"
)


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("push_connections"):
        return
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
    op.execute(TAKEN)
    op.drop_table("push_connections")
    # Nobody holds a lease while the service starts, and what was remembered in one is found out again.
    op.drop_table("turns")
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


def downgrade() -> None:
    """Nothing: the tables of `push_0001` stay as they are."""
