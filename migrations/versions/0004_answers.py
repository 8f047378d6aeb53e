"""Answers under way, so that a crash repeats none unmarked; the topic of a forum that a chat's alerts go to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("update_id", INT64, autoincrement=False, nullable=False),
        sa.Column("actions", sa.Text),
        sa.Column("begun", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("update_id", name="pk_answers"),
        sqlite_strict=True,
    )
    op.create_table(
        "topics",
        sa.Column("chat", INT64, autoincrement=False, nullable=False),
        sa.Column("topic", INT64, nullable=False),
        sa.PrimaryKeyConstraint("chat", name="pk_topics"),
        sa.ForeignKeyConstraint(
            ["chat"], ["chats.id"], name="fk_topics_chat_chats", onupdate="CASCADE", ondelete="CASCADE"
        ),
        sqlite_strict=True,
    )
