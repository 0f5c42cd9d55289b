"""The further posts of replies that became several."""

import sqlalchemy as sa
from alembic import op

revision = "channelback_0003"
down_revision = "channelback_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channelback_further_posts",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("request_unique_identifier", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "request_unique_identifier"],
            ["channelback_claims.account_id", "channelback_claims.request_unique_identifier"],
            name="fk_channelback_further_posts_claim",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "external_id", name="pk_channelback_further_posts"),
    )


def downgrade() -> None:
    op.drop_table("channelback_further_posts")
