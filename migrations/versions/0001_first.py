"""The first schema: chats and their rules, tracks, caches of market data, the outbox."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INT64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FLOAT64: sa.Double[float] = sa.Double().with_variant(sa.REAL, "sqlite")


def upgrade() -> None:
    create_people()
    create_judgement()
    create_series()
    create_work()
    create_outbox()


def create(name: str, *items: SchemaItem, never_reuse_ids: bool = False) -> None:
    op.create_table(name, *items, sqlite_strict=True, sqlite_autoincrement=never_reuse_ids)


def index(name: str, table: str, *columns: str, where: str | None = None, unique: bool = False) -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def market() -> tuple[sa.Column[str], sa.Column[str]]:
    return sa.Column("exchange", sa.Text, nullable=False), sa.Column("symbol", sa.Text, nullable=False)


def create_people() -> None:
    create(
        "chats",
        sa.Column("id", INT64, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("active", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("inactive_reason", sa.Text),
        sa.Column("created_ms", INT64, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chats"),
        sa.CheckConstraint("active IN (0, 1)", name=op.f("ck_chats_active")),
        sa.CheckConstraint("kind IN ('private', 'group', 'supergroup', 'channel')", name=op.f("ck_chats_kind")),
    )
    create(
        "rules",
        sa.Column("id", INT64, nullable=False),
        sa.Column("chat", INT64, nullable=False),
        *market(),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("threshold_pct", FLOAT64, nullable=False),
        sa.Column("window_ms", INT64, nullable=False),
        sa.Column("side", sa.Text),
        sa.Column("min_usd", FLOAT64),
        sa.Column("min_strength", sa.Integer),
        sa.Column("created_ms", INT64, nullable=False),
        sa.Column("snoozed_until_ms", INT64, nullable=False, server_default=sa.text("0")),
        sa.Column("paused_reason", sa.Text),
        sa.Column("deleted_ms", INT64),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
        sa.ForeignKeyConstraint(
            ["chat"], ["chats.id"], name="fk_rules_chat_chats", onupdate="CASCADE", ondelete="CASCADE"
        ),
        never_reuse_ids=True,
    )
    index("ix_rules_chat", "rules", "chat")


def create_judgement() -> None:
    create(
        "rule_states",
        sa.Column("rule_id", INT64, nullable=False),
        sa.Column("track_id", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("since_ms", INT64, nullable=False),
        sa.Column("fired_ms", INT64, nullable=False),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("told", FLOAT64, nullable=False),
        sa.Column("last_ms", INT64, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "track_id", name="pk_rule_states"),
        sa.ForeignKeyConstraint(["rule_id"], ["rules.id"], name="fk_rule_states_rule_id_rules", ondelete="CASCADE"),
    )
    create(
        "tracks",
        *market(),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("low", FLOAT64, nullable=False),
        sa.Column("high", FLOAT64, nullable=False),
        sa.Column("peak", FLOAT64, nullable=False),
        sa.Column("usd", FLOAT64, nullable=False),
        sa.Column("share", FLOAT64, nullable=False),
        sa.Column("strength", sa.Integer, nullable=False),
        sa.Column("expected_usd", FLOAT64),
        sa.Column("expected_high_usd", FLOAT64),
        sa.Column("born_ms", INT64, nullable=False),
        sa.Column("seen_ms", INT64, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("samples", sa.LargeBinary, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("appeared", sa.Integer, nullable=False),
        sa.Column("closed", sa.Text),
        sa.PrimaryKeyConstraint("exchange", "symbol", "id", name="pk_tracks"),
        sa.CheckConstraint("side IN ('long', 'short')", name=op.f("ck_tracks_side")),
        sa.CheckConstraint("appeared IN (0, 1)", name=op.f("ck_tracks_appeared")),
    )
    index("ix_tracks_open", "tracks", "exchange", "symbol", where="closed IS NULL")
    index("ix_tracks_closed", "tracks", "seen_ms", where="closed IS NOT NULL")
    create(
        "cluster_history",
        *market(),
        sa.Column("slot_ms", INT64, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", "slot_ms", name="pk_cluster_history"),
    )
    index("ix_cluster_history_slot_ms", "cluster_history", "slot_ms")


def create_series() -> None:
    for name in ("bars", "open_interest"):
        create(
            name,
            *market(),
            sa.Column("day", sa.Integer, nullable=False),
            sa.Column("payload", sa.LargeBinary, nullable=False),
            sa.PrimaryKeyConstraint("exchange", "symbol", "day", name=f"pk_{name}"),
        )
        index(f"ix_{name}_day", name, "day")
    create(
        "maps",
        *market(),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", name="pk_maps"),
    )
    create(
        "model_states",
        *market(),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("time_ms", INT64, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", name="pk_model_states"),
    )


def create_work() -> None:
    create(
        "slots",
        sa.Column("job", sa.Text, nullable=False),
        *market(),
        sa.Column("slot_ms", INT64, nullable=False),
        sa.Column("done_ms", INT64, nullable=False),
        sa.PrimaryKeyConstraint("job", "exchange", "symbol", "slot_ms", name="pk_slots"),
    )
    index("ix_slots_done_ms", "slots", "done_ms")
    create(
        "updates",
        sa.Column("id", INT64, autoincrement=False, nullable=False),
        sa.Column("chat", INT64),
        sa.Column("payload", sa.Text),
        sa.Column("received_ms", INT64, nullable=False),
        sa.Column("handled_ms", INT64),
        sa.PrimaryKeyConstraint("id", name="pk_updates"),
    )
    index("ix_updates_waiting", "updates", "id", where="handled_ms IS NULL")
    index("ix_updates_handled", "updates", "handled_ms", where="handled_ms IS NOT NULL")
    create(
        "kv",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_kv"),
    )


def create_outbox() -> None:
    create(
        "outbox",
        sa.Column("id", INT64, nullable=False),
        sa.Column("dedupe_key", sa.Text, nullable=False),
        sa.Column("chat", INT64, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'ready'")),
        sa.Column("due_ms", INT64, nullable=False),
        sa.Column("created_ms", INT64, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("unsure", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("plain", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until_ms", INT64),
        sa.Column("message_id", INT64),
        sa.Column("last_error", sa.Text),
        sa.Column("done_ms", INT64),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_dedupe_key"),
        sa.CheckConstraint("state IN ('ready', 'sending', 'sent', 'ambiguous', 'dead')", name=op.f("ck_outbox_state")),
        sa.CheckConstraint("(done_ms IS NULL) = (state NOT IN ('sent', 'dead'))", name=op.f("ck_outbox_done")),
        sa.CheckConstraint("state != 'sending' OR lease_owner IS NOT NULL", name=op.f("ck_outbox_sending")),
        sa.CheckConstraint("plain IN (0, 1)", name=op.f("ck_outbox_plain")),
        never_reuse_ids=True,
    )
    index("uq_outbox_in_flight", "outbox", "chat", where="lease_owner IS NOT NULL", unique=True)
    index("ix_outbox_pending", "outbox", "chat", "id", where="done_ms IS NULL")
    index("ix_outbox_due", "outbox", "due_ms", "id", where="done_ms IS NULL AND lease_owner IS NULL")
    index("ix_outbox_done", "outbox", "done_ms", where="done_ms IS NOT NULL")
