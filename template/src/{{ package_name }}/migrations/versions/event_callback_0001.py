"""Whether Zendesk has stopped using an account."""

import sqlalchemy as sa
from alembic import op

revision = "event_callback_0001"
down_revision = None
branch_labels = ("event_callback",)
depends_on = "accounts_0001"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("deactivated_by", sa.String(32), nullable=True))
    op.add_column("accounts", sa.Column("deactivation_error", sa.String(500), nullable=True))


def downgrade() -> None:
    for column in ("deactivation_error", "deactivated_by", "deactivated_at"):
        op.drop_column("accounts", column)
