"""A post is found to be an agent's reply without the other replies of its account."""

from alembic import op

revision = "channelback_0006"
down_revision = "channelback_0005"
branch_labels = None
depends_on = None

NAME = "ix_channelback_claims_account_id_external_id"


def upgrade() -> None:
    op.create_index(NAME, "channelback_claims", ["account_id", "external_id"])


def downgrade() -> None:
    op.drop_index(NAME, "channelback_claims")
