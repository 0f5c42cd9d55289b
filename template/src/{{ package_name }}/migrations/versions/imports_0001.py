"""What pushed posts became in Zendesk."""

import sqlalchemy as sa
from alembic import op

revision = "imports_0001"
down_revision = None
branch_labels = ("imports",)
depends_on = "accounts_0001"


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("comment_id", sa.BigInteger(), nullable=False),
        sa.Column("follow_up_ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_imports_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "external_id", name="pk_imports"),
    )
    op.create_index("ix_imports_at", "imports", ["at"])


def downgrade() -> None:
    op.drop_table("imports")
