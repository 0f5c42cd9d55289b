"""Replies whose posting is not settled are found without the others."""

import sqlalchemy as sa
from alembic import op

revision = "channelback_0005"
down_revision = "channelback_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rows = sa.text("state IN ('posting', 'unknown')")
    op.create_index(
        "ix_channelback_claims_open",
        "channelback_claims",
        ["account_id", "at"],
        sqlite_where=rows,
        postgresql_where=rows,
    )


def downgrade() -> None:
    op.drop_index("ix_channelback_claims_open", "channelback_claims")
