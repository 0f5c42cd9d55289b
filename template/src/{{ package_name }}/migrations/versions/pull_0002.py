"""Lists of pulls and quarantined posts go on by their own order."""

from alembic import op

revision = "pull_0002"
down_revision = "pull_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_pulls_account_id_at", "pulls", ["account_id", "at"])
    op.create_index("ix_quarantine_at", "quarantine", ["at"])
    op.create_index("ix_quarantine_account_id_at", "quarantine", ["account_id", "at"])


def downgrade() -> None:
    op.drop_index("ix_quarantine_account_id_at", "quarantine")
    op.drop_index("ix_quarantine_at", "quarantine")
    op.drop_index("ix_pulls_account_id_at", "pulls")
