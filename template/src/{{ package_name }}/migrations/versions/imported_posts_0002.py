"""Posts that have become comments are found in their order."""

import sqlalchemy as sa
from alembic import op

revision = "imported_posts_0002"
down_revision = "imported_posts_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rows = sa.text("ticket_id IS NOT NULL")
    for name, columns in (
        ("ix_outbox_imported", ["id"]),
        ("ix_outbox_account_imported", ["account_id", "id"]),
    ):
        op.create_index(name, "outbox", columns, sqlite_where=rows, postgresql_where=rows)


def downgrade() -> None:
    op.drop_index("ix_outbox_account_imported", "outbox")
    op.drop_index("ix_outbox_imported", "outbox")
