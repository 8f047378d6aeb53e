"""Every table, as it stands after the newest migration.

Times are integers, milliseconds UTC. Enumerations are text held by a check. Rows that many threads of thought may
touch (outbox) carry what fencing needs. Two options name SQLite and do nothing elsewhere: STRICT, and AUTOINCREMENT
where an id must never be used again.
"""

from collections.abc import Sequence

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite's strict tables know INTEGER and REAL only, and a row id must be exactly INTEGER there.
Int64 = BigInteger().with_variant(Integer, "sqlite")
Float64: Double[float] = Double().with_variant(REAL, "sqlite")


def _table(name: str, *items: SchemaItem, never_reuse_ids: bool = False) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_autoincrement=never_reuse_ids)


def _one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _index_where(name: str, condition: str, *columns: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(condition), postgresql_where=text(condition))


def _market() -> tuple[Column[str], Column[str]]:
    return Column("exchange", Text, nullable=False), Column("symbol", Text, nullable=False)


# No names, no texts: what Telegram says about people stays with Telegram. `quiet` holds a chat's quiet hours as JSON.
chats = _table(
    "chats",
    Column("id", Int64, autoincrement=False, nullable=False),
    Column("kind", Text, nullable=False),
    Column("language", Text),
    Column("active", Integer, nullable=False, server_default=text("1")),
    Column("inactive_reason", Text),
    Column("created_ms", Int64, nullable=False),
    Column("muted_until_ms", Int64, nullable=False, server_default=text("0")),
    Column("quiet", Text),
    PrimaryKeyConstraint("id"),
    CheckConstraint("active IN (0, 1)", name="active"),
    _one_of("kind", ("private", "group", "supergroup", "channel")),
)

# An id once given is never given again: it is part of every dedupe key.
rules = _table(
    "rules",
    Column("id", Int64, nullable=False),
    Column("chat", Int64, ForeignKey("chats.id", onupdate="CASCADE", ondelete="CASCADE"), nullable=False),
    *_market(),
    Column("kind", Text, nullable=False),
    Column("threshold_pct", Float64, nullable=False),
    Column("window_ms", Int64, nullable=False),
    Column("side", Text),
    Column("min_usd", Float64),
    Column("min_strength", Integer),
    Column("created_ms", Int64, nullable=False),
    Column("snoozed_until_ms", Int64, nullable=False, server_default=text("0")),
    Column("paused_reason", Text),
    Column("deleted_ms", Int64),
    Column("unit", Text, nullable=False, server_default=text("'percent'")),
    Column("price_low", Float64),
    Column("price_high", Float64),
    Column("near_pct", Float64),
    Column("far_pct", Float64),
    Column("odds_pct", Float64),
    Column("odds_ms", Int64, nullable=False, server_default=text("0")),
    Column("level", Float64),
    Column("repeat", Text, nullable=False, server_default=text("'episode'")),
    Column("repeat_ms", Int64, nullable=False, server_default=text("0")),
    Column("expires_ms", Int64, nullable=False, server_default=text("0")),
    Column("label", Text),
    PrimaryKeyConstraint("id"),
    Index(None, "chat"),
    never_reuse_ids=True,
)

rule_states = _table(
    "rule_states",
    Column("rule_id", Int64, ForeignKey("rules.id", ondelete="CASCADE"), nullable=False),
    Column("track_id", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("since_ms", Int64, nullable=False),
    Column("fired_ms", Int64, nullable=False),
    Column("held", Integer, nullable=False),
    Column("told", Float64, nullable=False),
    Column("last_ms", Int64, nullable=False),
    PrimaryKeyConstraint("rule_id", "track_id"),
)

# `samples` holds (slot_ms, usd, low, high) rows, each number little-endian and eight bytes long.
tracks = _table(
    "tracks",
    *_market(),
    Column("id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("low", Float64, nullable=False),
    Column("high", Float64, nullable=False),
    Column("peak", Float64, nullable=False),
    Column("usd", Float64, nullable=False),
    Column("share", Float64, nullable=False),
    Column("strength", Integer, nullable=False),
    Column("expected_usd", Float64),
    Column("expected_high_usd", Float64),
    Column("born_ms", Int64, nullable=False),
    Column("seen_ms", Int64, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("samples", LargeBinary, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("appeared", Integer, nullable=False),
    Column("closed", Text),
    Column("closed_ms", Int64, nullable=False, server_default=text("0")),
    Column("best_strength", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("exchange", "symbol", "id"),
    CheckConstraint("side IN ('long', 'short')", name="side"),
    CheckConstraint("appeared IN (0, 1)", name="appeared"),
    _index_where("ix_tracks_open", "closed IS NULL", "exchange", "symbol"),
    _index_where("ix_tracks_closed", "closed IS NOT NULL", "seen_ms"),
)

# What a market as a whole looked like lately, by which it is judged unusual: one row a market, the newest only.
pulses = _table(
    "pulses",
    *_market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", Text, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)

# One row a recompute: every cluster that stood then, as one blob.
cluster_history = _table(
    "cluster_history",
    *_market(),
    Column("slot_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol", "slot_ms"),
    Index(None, "slot_ms"),
)


def _daily_series(name: str) -> Table:
    """A cache of one day of one market a row: 30 days load in 30 rows, a new bar rewrites some 8 kB."""
    return _table(
        name,
        *_market(),
        Column("day", Integer, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        PrimaryKeyConstraint("exchange", "symbol", "day"),
        Index(None, "day"),
    )


bars = _daily_series("bars")
open_interest = _daily_series("open_interest")

maps = _table(
    "maps",
    *_market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)

model_states = _table(
    "model_states",
    *_market(),
    Column("version", Text, nullable=False),
    Column("time_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)

# Liquidations as a feed gave them. A sample: venues throttle this feed. A price at bankruptcy lies beyond the trigger.
prints = _table(
    "prints",
    *_market(),
    Column("time_ms", Int64, nullable=False),
    Column("is_long", Integer, nullable=False),
    Column("price", Float64, nullable=False),
    Column("coins", Float64, nullable=False),
    Column("at_bankruptcy", Integer, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol", "time_ms", "is_long", "price", "coins"),
    CheckConstraint("is_long IN (0, 1)", name="is_long"),
    CheckConstraint("at_bankruptcy IN (0, 1)", name="at_bankruptcy"),
    Index(None, "time_ms"),
)

# When a feed was listened to: without it, a silence says nothing.
heard = _table(
    "heard",
    Column("exchange", Text, nullable=False),
    Column("start_ms", Int64, nullable=False),
    Column("end_ms", Int64, nullable=False),
    PrimaryKeyConstraint("exchange", "start_ms"),
    Index(None, "end_ms"),
)

# The maps of one moment in brief, the bot's and those it is measured beside.
briefs = _table(
    "briefs",
    *_market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol", "time_ms"),
    Index(None, "time_ms"),
)

# The newest score of each market; that of all an exchange's markets together leaves the symbol empty.
scores = _table(
    "scores",
    *_market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", Text, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)

# A row says that this slot's work is committed; a job that belongs to no market leaves exchange and symbol empty.
slots = _table(
    "slots",
    Column("job", Text, nullable=False),
    *_market(),
    Column("slot_ms", Int64, nullable=False),
    Column("done_ms", Int64, nullable=False),
    PrimaryKeyConstraint("job", "exchange", "symbol", "slot_ms"),
    Index(None, "done_ms"),
)

OUTBOX_STATES = ("ready", "sending", "sent", "ambiguous", "dead")

# `lease_owner` is set from claim to outcome; `unsure` counts how often the outcome was unknown; `done_ms` is set
# with `sent` and `dead`. A row with a `lead` goes out in that row's message and shares its end; a row that is `held`
# waits until it is due without keeping back those behind it. Its indexes are partial on NULL tests, which a planner can
# prove without knowing parameters.
outbox = _table(
    "outbox",
    Column("id", Int64, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("chat", Int64, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'ready'")),
    Column("due_ms", Int64, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("unsure", Integer, nullable=False, server_default=text("0")),
    Column("plain", Integer, nullable=False, server_default=text("0")),
    Column("lease_owner", Text),
    Column("lease_until_ms", Int64),
    Column("message_id", Int64),
    Column("last_error", Text),
    Column("done_ms", Int64),
    Column("lead", Int64),
    Column("held", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("dedupe_key"),
    _one_of("state", OUTBOX_STATES),
    CheckConstraint("(done_ms IS NULL) = (state NOT IN ('sent', 'dead'))", name="done"),
    CheckConstraint("state != 'sending' OR lease_owner IS NOT NULL", name="sending"),
    CheckConstraint("plain IN (0, 1)", name="plain"),
    _index_where("uq_outbox_in_flight", "lease_owner IS NOT NULL", "chat", unique=True),
    _index_where("ix_outbox_pending", "done_ms IS NULL AND lead IS NULL", "chat", "id"),
    _index_where("ix_outbox_due", "done_ms IS NULL AND lease_owner IS NULL AND lead IS NULL", "due_ms", "id"),
    _index_where("ix_outbox_lead", "lead IS NOT NULL", "lead"),
    _index_where("ix_outbox_message", "message_id IS NOT NULL", "chat", "message_id"),
    _index_where("ix_outbox_done", "done_ms IS NOT NULL", "done_ms"),
    never_reuse_ids=True,
)

# The decision log: what became of each event, and each step of a rule that gave none. What does not apply is empty, 0
# or NULL; what is known of an exchange's data belongs to no chat.
decisions = _table(
    "decisions",
    Column("id", Int64, nullable=False),
    Column("time_ms", Int64, nullable=False),
    Column("reason", Text, nullable=False),
    *_market(),
    Column("chat", Int64, nullable=False),
    Column("rule_id", Int64, nullable=False),
    Column("track_id", Text, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("value_pct", Float64),
    Column("price", Float64),
    Column("until_ms", Int64, nullable=False),
    Column("key", Text, nullable=False),
    Column("lead", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    Index(None, "time_ms"),
    Index("ix_decisions_rule_id_time_ms", "rule_id", "time_ms"),
    Index("ix_decisions_chat_time_ms", "chat", "time_ms"),
)

# What came of each alert, known by the alert's dedupe key. Times are 0 for not yet; open is what has no ending, or of
# which it is not known whether price came.
outcomes = _table(
    "outcomes",
    Column("alert", Text, nullable=False),
    Column("chat", Int64, nullable=False),
    Column("rule_id", Int64, nullable=False),
    Column("kind", Text, nullable=False),
    *_market(),
    Column("track_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("time_ms", Int64, nullable=False),
    Column("until_ms", Int64, nullable=False),
    Column("price", Float64, nullable=False),
    Column("low", Float64, nullable=False),
    Column("high", Float64, nullable=False),
    Column("reach", Float64, nullable=False),
    Column("usd", Float64),
    Column("expected_usd", Float64),
    Column("expected_high_usd", Float64),
    Column("chance", Float64),
    Column("touched_ms", Int64, nullable=False),
    Column("settled_ms", Int64, nullable=False),
    Column("ended_ms", Int64, nullable=False),
    Column("ending", Text),
    Column("printed_usd", Float64),
    PrimaryKeyConstraint("alert"),
    Index("ix_outcomes_chat_time_ms", "chat", "time_ms"),
    _index_where("ix_outcomes_open", "ending IS NULL OR settled_ms = 0", "time_ms"),
)

# The payload goes as soon as the update is handled; the id stays a while so that a repeat is known.
updates = _table(
    "updates",
    Column("id", Int64, autoincrement=False, nullable=False),
    Column("chat", Int64),
    Column("payload", Text),
    Column("received_ms", Int64, nullable=False),
    Column("handled_ms", Int64),
    PrimaryKeyConstraint("id"),
    _index_where("ix_updates_waiting", "handled_ms IS NULL", "id"),
    _index_where("ix_updates_handled", "handled_ms IS NOT NULL", "handled_ms"),
)

# What a turn under way answers, until its update is handled: `begun` counts the actions whose sending has begun.
answers = _table(
    "answers",
    Column("update_id", Int64, autoincrement=False, nullable=False),
    Column("actions", Text),
    Column("begun", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("update_id"),
)

# The topic of a forum to which a chat's alerts go; a chat without a row gets them in General.
topics = _table(
    "topics",
    Column("chat", Int64, autoincrement=False, nullable=False),
    Column("topic", Int64, nullable=False),
    PrimaryKeyConstraint("chat"),
    ForeignKeyConstraint(["chat"], ["chats.id"], onupdate="CASCADE", ondelete="CASCADE"),
)

# What a chat has chosen; one without a row has chosen nothing.
preferences = _table(
    "preferences",
    Column("chat", Int64, autoincrement=False, nullable=False),
    Column("language", Text, nullable=False, server_default=text("''")),
    Column("zone", Text, nullable=False, server_default=text("''")),
    Column("sound", Text, nullable=False, server_default=text("'warnings'")),
    Column("digest_hour", Integer, nullable=False, server_default=text("8")),
    Column("theme", Text, nullable=False, server_default=text("'dark'")),
    Column("map_range", Text, nullable=False, server_default=text("'30d'")),
    Column("units", Text, nullable=False, server_default=text("'usd'")),
    Column("exchange", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("chat"),
    ForeignKeyConstraint(["chat"], ["chats.id"], onupdate="CASCADE", ondelete="CASCADE"),
    _one_of("sound", ("all", "warnings", "critical", "none")),
    _one_of("units", ("usd", "share")),
    CheckConstraint("digest_hour BETWEEN 0 AND 23", name="digest_hour"),
)

# The channels that a person set up in the private chat `chat`; what is typed there `speaks` for at most one of them.
links = _table(
    "links",
    Column("chat", Int64, autoincrement=False, nullable=False),
    Column("channel", Int64, autoincrement=False, nullable=False),
    Column("speaks", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("chat", "channel"),
    ForeignKeyConstraint(["channel"], ["chats.id"], onupdate="CASCADE", ondelete="CASCADE"),
    CheckConstraint("speaks IN (0, 1)", name="speaks"),
    _index_where("uq_links_speaks", "speaks = 1", "chat", unique=True),
)

# Chats and people whom an operator let in or turned away, whatever the settings say.
guests = _table(
    "guests",
    Column("id", Int64, autoincrement=False, nullable=False),
    Column("allowed", Integer, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("allowed IN (0, 1)", name="allowed"),
)

# What operators tell every chat; a draft waits for its writer's confirmation. Chats are told in the order of their ids:
# `reached` is the newest for which a message was queued.
broadcasts = _table(
    "broadcasts",
    Column("id", Int64, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("stage", Text, nullable=False),
    Column("reached", Int64),
    PrimaryKeyConstraint("id"),
    _one_of("stage", ("draft", "sending", "queued", "cancelled")),
    never_reuse_ids=True,
)

kv = _table(
    "kv",
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("key"),
)
