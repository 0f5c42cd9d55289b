"""What is sent, shown and forgotten is found without everything that was delivered."""

import sqlalchemy as sa
from alembic import op

revision = "push_0007"
down_revision = "push_0006"
branch_labels = None
depends_on = None

PARTIAL = (
    ("ix_outbox_waiting_thread", ["account_id", "thread", "id"], "state = 'waiting'"),
    ("ix_outbox_account_for_people", ["account_id", "state", "id"], "state IN ('dead', 'quarantined')"),
    ("ix_outbox_delivered", ["account_id"], "state = 'delivered'"),
    ("ix_outbox_handed_over", ["account_id", "settled_at"], "state = 'handed_over'"),
    ("ix_outbox_settled", ["settled_at"], "state NOT IN ('waiting', 'dead')"),
)


def upgrade() -> None:
    for name, columns, condition in PARTIAL:
        rows = sa.text(condition)
        op.create_index(name, "outbox", columns, sqlite_where=rows, postgresql_where=rows)
    op.drop_index("ix_outbox_state_settled_at", "outbox")
    op.create_index("ix_webhook_deliveries_account_id_at", "webhook_deliveries", ["account_id", "at"])
    op.create_index("ix_webhook_refusals_last_at", "webhook_refusals", ["last_at"])
    op.create_index("ix_push_lookups_account_id_due_at", "push_lookups", ["account_id", "due_at"])
    op.drop_index("ix_push_lookups_due_at", "push_lookups")


def downgrade() -> None:
    op.create_index("ix_push_lookups_due_at", "push_lookups", ["due_at"])
    op.drop_index("ix_push_lookups_account_id_due_at", "push_lookups")
    op.drop_index("ix_webhook_refusals_last_at", "webhook_refusals")
    op.drop_index("ix_webhook_deliveries_account_id_at", "webhook_deliveries")
    op.create_index("ix_outbox_state_settled_at", "outbox", ["state", "settled_at"])
    for name, _columns, _condition in PARTIAL:
        op.drop_index(name, "outbox")
