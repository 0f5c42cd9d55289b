"""The list of an account's replies goes on by its own order."""

from alembic import op

revision = "channelback_0004"
down_revision = "channelback_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_channelback_claims_account_id_at", "channelback_claims", ["account_id", "at"])


def downgrade() -> None:
    op.drop_index("ix_channelback_claims_account_id_at", "channelback_claims")
