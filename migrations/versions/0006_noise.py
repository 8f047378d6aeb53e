"""Noise control: messages of several events, messages that wait, a chat's quiet hours, and the log of decisions."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FLOAT64: sa.Double[float] = sa.Double().with_variant(sa.REAL, "sqlite")


def upgrade() -> None:
    op.add_column("chats", sa.Column("muted_until_ms", INT64, nullable=False, server_default=sa.text("0")))
    op.add_column("chats", sa.Column("quiet", sa.Text))
    op.add_column("outbox", sa.Column("lead", INT64))
    op.add_column("outbox", sa.Column("held", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.drop_index("ix_outbox_pending", "outbox")
    op.drop_index("ix_outbox_due", "outbox")
    partial_index("ix_outbox_pending", "done_ms IS NULL AND lead IS NULL", "chat", "id")
    partial_index("ix_outbox_due", "done_ms IS NULL AND lease_owner IS NULL AND lead IS NULL", "due_ms", "id")
    partial_index("ix_outbox_lead", "lead IS NOT NULL", "lead")
    partial_index("ix_outbox_message", "message_id IS NOT NULL", "chat", "message_id")
    op.create_table(
        "decisions",
        sa.Column("id", INT64, nullable=False),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("chat", INT64, nullable=False),
        sa.Column("rule_id", INT64, nullable=False),
        sa.Column("track_id", sa.Text, nullable=False),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("value_pct", FLOAT64),
        sa.Column("price", FLOAT64),
        sa.Column("until_ms", INT64, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("lead", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sqlite_strict=True,
    )
    op.create_index("ix_decisions_time_ms", "decisions", ["time_ms"])
    op.create_index("ix_decisions_rule_id_time_ms", "decisions", ["rule_id", "time_ms"])
    op.create_index("ix_decisions_chat_time_ms", "decisions", ["chat", "time_ms"])


def partial_index(name: str, condition: str, *columns: str) -> None:
    op.create_index(name, "outbox", list(columns), sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
