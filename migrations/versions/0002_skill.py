"""What the skill meter keeps: liquidations, when they were listened for, maps in brief, scores."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FLOAT64: sa.Double[float] = sa.Double().with_variant(sa.REAL, "sqlite")


def upgrade() -> None:
    create(
        "prints",
        *market(),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("is_long", sa.Integer, nullable=False),
        sa.Column("price", FLOAT64, nullable=False),
        sa.Column("coins", FLOAT64, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", "time_ms", "is_long", "price", "coins", name="pk_prints"),
        sa.CheckConstraint("is_long IN (0, 1)", name=op.f("ck_prints_is_long")),
    )
    op.create_index("ix_prints_time_ms", "prints", ["time_ms"])
    create(
        "heard",
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("start_ms", INT64, nullable=False),
        sa.Column("end_ms", INT64, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "start_ms", name="pk_heard"),
    )
    op.create_index("ix_heard_end_ms", "heard", ["end_ms"])
    create(
        "briefs",
        *market(),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", "time_ms", name="pk_briefs"),
    )
    op.create_index("ix_briefs_time_ms", "briefs", ["time_ms"])
    create(
        "scores",
        *market(),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", name="pk_scores"),
    )


def create(name: str, *items: SchemaItem) -> None:
    op.create_table(name, *items, sqlite_strict=True)


def market() -> tuple[sa.Column[str], sa.Column[str]]:
    return sa.Column("exchange", sa.Text, nullable=False), sa.Column("symbol", sa.Text, nullable=False)
