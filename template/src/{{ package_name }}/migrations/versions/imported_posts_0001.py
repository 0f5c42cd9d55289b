"""Imported posts: which ticket and comment a pushed post has become."""

import sqlalchemy as sa
from alembic import op

revision = "imported_posts_0001"
down_revision = None
branch_labels = ("imported_posts",)
depends_on = "push_0001"

TAKEN = (
    "UPDATE outbox SET (ticket_id, comment_id) ="
    " (SELECT COALESCE(follow_up_ticket_id, ticket_id), comment_id FROM imports"
    " WHERE imports.account_id = outbox.account_id AND imports.external_id = outbox.external_id)"
)


def upgrade() -> None:
    op.add_column("outbox", sa.Column("ticket_id", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("comment_id", sa.BigInteger(), nullable=True))
    # Before the first release they had a table of their own.
    if sa.inspect(op.get_bind()).has_table("imports"):
        op.execute(TAKEN)
        op.drop_table("imports")


def downgrade() -> None:
    op.drop_column("outbox", "comment_id")
    op.drop_column("outbox", "ticket_id")
