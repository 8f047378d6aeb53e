"""What came of each alert: followed until its end, kept for the hit rates."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FLOAT64: sa.Double[float] = sa.Double().with_variant(sa.REAL, "sqlite")


def upgrade() -> None:
    op.create_table(
        "outcomes",
        sa.Column("alert", sa.Text, nullable=False),
        sa.Column("chat", INT64, nullable=False),
        sa.Column("rule_id", INT64, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("track_id", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("until_ms", INT64, nullable=False),
        sa.Column("price", FLOAT64, nullable=False),
        sa.Column("low", FLOAT64, nullable=False),
        sa.Column("high", FLOAT64, nullable=False),
        sa.Column("reach", FLOAT64, nullable=False),
        sa.Column("usd", FLOAT64),
        sa.Column("expected_usd", FLOAT64),
        sa.Column("expected_high_usd", FLOAT64),
        sa.Column("chance", FLOAT64),
        sa.Column("touched_ms", INT64, nullable=False),
        sa.Column("settled_ms", INT64, nullable=False),
        sa.Column("ended_ms", INT64, nullable=False),
        sa.Column("ending", sa.Text),
        sa.Column("printed_usd", FLOAT64),
        sa.PrimaryKeyConstraint("alert", name="pk_outcomes"),
        sqlite_strict=True,
    )
    op.create_index("ix_outcomes_chat_time_ms", "outcomes", ["chat", "time_ms"])
    waits = sa.text("ending IS NULL OR settled_ms = 0")
    op.create_index("ix_outcomes_open", "outcomes", ["time_ms"], sqlite_where=waits, postgresql_where=waits)
