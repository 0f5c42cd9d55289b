"""When a wait was written down: one that begins in the future comes from a clock that was ahead."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0003"
down_revision = "accounts_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Alembic knows of it only by capabilities that depend on it, and these may have been taken out of the service.
    if any(column["name"] == "backoff_since" for column in sa.inspect(op.get_bind()).get_columns("accounts")):
        return
    op.add_column("accounts", sa.Column("backoff_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account_state", sa.Column("written_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("account_state", "written_at")
    op.drop_column("accounts", "backoff_since")
