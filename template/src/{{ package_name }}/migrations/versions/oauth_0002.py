"""Grants are found by their stage, and by who has connected."""

from alembic import op

revision = "oauth_0002"
down_revision = "oauth_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_oauth_grants_stage_renew_at", "oauth_grants", ["stage", "renew_at"])
    op.create_index("ix_oauth_grants_connected_as", "oauth_grants", ["connected_as"])


def downgrade() -> None:
    op.drop_index("ix_oauth_grants_connected_as", "oauth_grants")
    op.drop_index("ix_oauth_grants_stage_renew_at", "oauth_grants")
