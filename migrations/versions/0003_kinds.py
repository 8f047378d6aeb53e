"""Every kind of rule, its filters, repeat and expiry; when a track ended; what is usual for a market."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FLOAT64: sa.Double[float] = sa.Double().with_variant(sa.REAL, "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("unit", sa.Text, nullable=False, server_default=sa.text("'percent'")),
        sa.Column("price_low", FLOAT64),
        sa.Column("price_high", FLOAT64),
        sa.Column("near_pct", FLOAT64),
        sa.Column("far_pct", FLOAT64),
        sa.Column("odds_pct", FLOAT64),
        sa.Column("odds_ms", INT64, nullable=False, server_default=sa.text("0")),
        sa.Column("level", FLOAT64),
        sa.Column("repeat", sa.Text, nullable=False, server_default=sa.text("'episode'")),
        sa.Column("repeat_ms", INT64, nullable=False, server_default=sa.text("0")),
        sa.Column("expires_ms", INT64, nullable=False, server_default=sa.text("0")),
        sa.Column("label", sa.Text),
    ):
        op.add_column("rules", column)
    op.add_column("tracks", sa.Column("closed_ms", INT64, nullable=False, server_default=sa.text("0")))
    # A track that had ended was last seen at most its grace before; what matters is that it is no longer open.
    op.execute("UPDATE tracks SET closed_ms = seen_ms WHERE closed IS NOT NULL")
    op.create_table(
        "pulses",
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", name="pk_pulses"),
        sqlite_strict=True,
    )
