"""Messages that people look at are found in their order."""

import sqlalchemy as sa
from alembic import op

revision = "push_0005"
down_revision = "push_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rows = sa.text("state IN ('dead', 'quarantined')")
    op.create_index(
        "ix_outbox_for_people", "outbox", ["state", "id"], sqlite_where=rows, postgresql_where=rows
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_for_people", "outbox")
