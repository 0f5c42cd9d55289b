"""Claims: agents' replies, each posted once."""

import sqlalchemy as sa
from alembic import op

revision = "channelback_0001"
down_revision = None
branch_labels = ("channelback",)
depends_on = "accounts_0001"


def upgrade() -> None:
    # Alembic knew of it only by what depended on it, and that has another name now.
    if sa.inspect(op.get_bind()).has_table("channelback_requests"):
        return
    op.create_table(
        "channelback_claims",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("request_unique_identifier", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("claim", sa.String(36), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=True),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_channelback_claims_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "request_unique_identifier", name="pk_channelback_claims"),
    )
    op.create_index("ix_channelback_claims_at", "channelback_claims", ["at"])


def downgrade() -> None:
    op.drop_table("channelback_claims")
