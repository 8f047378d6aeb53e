"""What a chat has chosen. The zone of its quiet hours becomes that of all times it is told."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    preferences = op.create_table(
        "preferences",
        sa.Column("chat", INT64, autoincrement=False, nullable=False),
        sa.Column("language", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("zone", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("sound", sa.Text, nullable=False, server_default=sa.text("'warnings'")),
        sa.Column("digest_hour", sa.Integer, nullable=False, server_default=sa.text("8")),
        sa.Column("theme", sa.Text, nullable=False, server_default=sa.text("'dark'")),
        sa.Column("map_range", sa.Text, nullable=False, server_default=sa.text("'30d'")),
        sa.Column("units", sa.Text, nullable=False, server_default=sa.text("'usd'")),
        sa.Column("exchange", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("chat", name="pk_preferences"),
        sa.ForeignKeyConstraint(
            ["chat"], ["chats.id"], name="fk_preferences_chat_chats", onupdate="CASCADE", ondelete="CASCADE"
        ),
        sa.CheckConstraint("sound IN ('all', 'warnings', 'critical', 'none')", name="sound"),
        sa.CheckConstraint("units IN ('usd', 'share')", name="units"),
        sa.CheckConstraint("digest_hour BETWEEN 0 AND 23", name="digest_hour"),
        sqlite_strict=True,
    )
    chats = sa.table("chats", sa.column("id", INT64), sa.column("quiet", sa.Text))
    for chat, quiet in op.get_bind().execute(sa.select(chats.c.id, chats.c.quiet)).all():
        zone = _zone(quiet)
        if zone:
            op.get_bind().execute(preferences.insert().values(chat=chat, zone=zone))


def _zone(quiet: str | None) -> str:
    """The zone of stored quiet hours, empty where there are none."""
    try:
        zone = json.loads(quiet or "{}").get("zone", "")
    except (ValueError, AttributeError):
        return ""
    return zone if isinstance(zone, str) else ""
