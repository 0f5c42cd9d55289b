"""The accounts of a Zendesk are found without the others, and solved tickets of which the origin is to be told."""

import sqlalchemy as sa
from alembic import op

revision = "zis_0002"
down_revision = "zis_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_accounts_subdomain", "accounts", ["subdomain"])
    rows = sa.text("state IN ('acting', 'owed')")
    op.create_index(
        "ix_solved_tickets_owed", "solved_tickets", ["told_at"], sqlite_where=rows, postgresql_where=rows
    )


def downgrade() -> None:
    op.drop_index("ix_solved_tickets_owed", "solved_tickets")
    op.drop_index("ix_accounts_subdomain", "accounts")
