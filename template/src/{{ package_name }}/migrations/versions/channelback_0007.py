"""Since when a reply, which has been tried more than once, may stand at the origin."""

import sqlalchemy as sa
from alembic import op

revision = "channelback_0007"
down_revision = "channelback_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("channelback_claims", sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("channelback_claims", "begun_at")
