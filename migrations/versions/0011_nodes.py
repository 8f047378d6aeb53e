"""Several processes on one database: the sender's lease, who is there, what workers drew."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | Sequence[str] | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("epoch", INT64, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_ms", INT64, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
        sa.UniqueConstraint("name", "epoch", name="uq_leases_name_epoch"),
        sqlite_strict=True,
    )
    op.create_table(
        "nodes",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("since_ms", INT64, nullable=False),
        sa.Column("seen_ms", INT64, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nodes"),
        sa.CheckConstraint("role IN ('sender', 'standby', 'worker')", name=op.f("ck_nodes_role")),
        sqlite_strict=True,
    )
    op.create_table(
        "drawings",
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("slot_ms", INT64, nullable=False),
        sa.Column("made_ms", INT64, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary),
        sa.PrimaryKeyConstraint("exchange", "symbol", "slot_ms", name="pk_drawings"),
        sqlite_strict=True,
    )
    op.create_index("ix_drawings_slot_ms", "drawings", ["slot_ms"])
