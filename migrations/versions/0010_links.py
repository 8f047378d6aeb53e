"""Channels set up from a private chat, who was let in or turned away, and what operators told everybody."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("chat", INT64, autoincrement=False, nullable=False),
        sa.Column("channel", INT64, autoincrement=False, nullable=False),
        sa.Column("speaks", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("chat", "channel", name="pk_links"),
        sa.ForeignKeyConstraint(
            ["channel"], ["chats.id"], name="fk_links_channel_chats", onupdate="CASCADE", ondelete="CASCADE"
        ),
        sa.CheckConstraint("speaks IN (0, 1)", name=op.f("ck_links_speaks")),
        sqlite_strict=True,
    )
    speaks = sa.text("speaks = 1")
    op.create_index("uq_links_speaks", "links", ["chat"], unique=True, sqlite_where=speaks, postgresql_where=speaks)
    op.create_table(
        "guests",
        sa.Column("id", INT64, autoincrement=False, nullable=False),
        sa.Column("allowed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guests"),
        sa.CheckConstraint("allowed IN (0, 1)", name=op.f("ck_guests_allowed")),
        sqlite_strict=True,
    )
    op.create_table(
        "broadcasts",
        sa.Column("id", INT64, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_ms", INT64, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("reached", INT64),
        sa.PrimaryKeyConstraint("id", name="pk_broadcasts"),
        sa.CheckConstraint("stage IN ('draft', 'sending', 'queued', 'cancelled')", name=op.f("ck_broadcasts_stage")),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
