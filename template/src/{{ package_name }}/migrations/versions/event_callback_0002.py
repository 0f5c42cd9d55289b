"""Takes over what was kept before the first release, in a table of its own."""

import sqlalchemy as sa
from alembic import op

revision = "event_callback_0002"
down_revision = "event_callback_0001"
branch_labels = None
depends_on = None

TAKEN = (
    "UPDATE accounts SET (deactivated_at, deactivated_by, deactivation_error) ="
    " (SELECT at, deactivated_by, error FROM deactivations WHERE deactivations.account_id = accounts.id)"
)


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("deactivations"):
        return
    op.add_column("accounts", sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("deactivated_by", sa.String(32), nullable=True))
    op.add_column("accounts", sa.Column("deactivation_error", sa.String(500), nullable=True))
    op.execute(TAKEN)
    op.drop_table("deactivations")


def downgrade() -> None:
    """Nothing: the columns of `event_callback_0001` stay as they are."""
