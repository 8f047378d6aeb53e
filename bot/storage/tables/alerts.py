"""Rules, what became of them, and the outbox that carries alerts to their chats."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

from bot.storage.tables.schema import Float64, Int64, index_where, market, one_of, table

# An id once given is never given again: it is part of every dedupe key.
rules = table(
    "rules",
    Column("id", Int64, nullable=False),
    Column("chat", Int64, ForeignKey("chats.id", onupdate="CASCADE", ondelete="CASCADE"), nullable=False),
    *market(),
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
    Column("confluence", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("id"),
    Index(None, "chat"),
    never_reuse_ids=True,
)

rule_states = table(
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

# The decision log: what became of each event, and each step of a rule that gave none. What does not apply is empty, 0
# or NULL; what is known of an exchange's data belongs to no chat.
decisions = table(
    "decisions",
    Column("id", Int64, nullable=False),
    Column("time_ms", Int64, nullable=False),
    Column("reason", Text, nullable=False),
    *market(),
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
outcomes = table(
    "outcomes",
    Column("alert", Text, nullable=False),
    Column("chat", Int64, nullable=False),
    Column("rule_id", Int64, nullable=False),
    Column("kind", Text, nullable=False),
    *market(),
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
    index_where("ix_outcomes_open", "ending IS NULL OR settled_ms = 0", "time_ms"),
)

OUTBOX_STATES = ("ready", "sending", "sent", "ambiguous", "dead")

# `lease_owner` is set from claim to outcome; `unsure` counts how often the outcome was unknown; `done_ms` is set
# with `sent` and `dead`. A row with a `lead` goes out in that row's message and shares its end; a row that is `held`
# waits until it is due without keeping back those behind it. Its indexes are partial on NULL tests, which a planner can
# prove without knowing parameters.
outbox = table(
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
    one_of("state", OUTBOX_STATES),
    CheckConstraint("(done_ms IS NULL) = (state NOT IN ('sent', 'dead'))", name="done"),
    CheckConstraint("state != 'sending' OR lease_owner IS NOT NULL", name="sending"),
    CheckConstraint("plain IN (0, 1)", name="plain"),
    index_where("uq_outbox_in_flight", "lease_owner IS NOT NULL", "chat", unique=True),
    index_where("ix_outbox_pending", "done_ms IS NULL AND lead IS NULL", "chat", "id"),
    index_where("ix_outbox_due", "done_ms IS NULL AND lease_owner IS NULL AND lead IS NULL", "due_ms", "id"),
    index_where("ix_outbox_lead", "lead IS NOT NULL", "lead"),
    index_where("ix_outbox_message", "message_id IS NOT NULL", "chat", "message_id"),
    index_where("ix_outbox_done", "done_ms IS NOT NULL", "done_ms"),
    never_reuse_ids=True,
)
