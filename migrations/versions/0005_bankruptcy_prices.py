"""Whether the price of a liquidation is its fill or the price at which its margin was used up."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FLOAT64: sa.Double[float] = sa.Double().with_variant(sa.REAL, "sqlite")


def upgrade() -> None:
    # What was stored so far are fills.
    if op.get_bind().dialect.name == "postgresql":
        add_column()
    else:
        make_anew()


def add_column() -> None:
    op.add_column("prints", sa.Column("at_bankruptcy", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.alter_column("prints", "at_bankruptcy", server_default=None)
    op.create_check_constraint(op.f("ck_prints_at_bankruptcy"), "prints", "at_bankruptcy IN (0, 1)")


def make_anew() -> None:
    """SQLite writes an added column after the constraints, where a table made by the code has it before."""
    op.drop_index("ix_prints_time_ms", "prints")
    op.rename_table("prints", "prints_before")
    op.create_table(
        "prints",
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("is_long", sa.Integer, nullable=False),
        sa.Column("price", FLOAT64, nullable=False),
        sa.Column("coins", FLOAT64, nullable=False),
        sa.Column("at_bankruptcy", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", "time_ms", "is_long", "price", "coins", name="pk_prints"),
        sa.CheckConstraint("is_long IN (0, 1)", name=op.f("ck_prints_is_long")),
        sa.CheckConstraint("at_bankruptcy IN (0, 1)", name=op.f("ck_prints_at_bankruptcy")),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO prints SELECT exchange, symbol, time_ms, is_long, price, coins, 0 FROM prints_before")
    op.drop_table("prints_before")
    op.create_index("ix_prints_time_ms", "prints", ["time_ms"])
