"""Chats and people: who they are, what they chose, what they said and what is said to all of them."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text

from bot.storage.tables.schema import Int64, index_where, one_of, table

# No names, no texts: what Telegram says about people stays with Telegram. `quiet` holds a chat's quiet hours as JSON.
chats = table(
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
    one_of("kind", ("private", "group", "supergroup", "channel")),
)

# The topic of a forum to which a chat's alerts go; a chat without a row gets them in General.
topics = table(
    "topics",
    Column("chat", Int64, autoincrement=False, nullable=False),
    Column("topic", Int64, nullable=False),
    PrimaryKeyConstraint("chat"),
    ForeignKeyConstraint(["chat"], ["chats.id"], onupdate="CASCADE", ondelete="CASCADE"),
)

# What a chat has chosen; one without a row has chosen nothing.
preferences = table(
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
    one_of("sound", ("all", "warnings", "critical", "none")),
    one_of("units", ("usd", "share")),
    CheckConstraint("digest_hour BETWEEN 0 AND 23", name="digest_hour"),
)

# The channels that a person set up in the private chat `chat`; what is typed there `speaks` for at most one of them.
links = table(
    "links",
    Column("chat", Int64, autoincrement=False, nullable=False),
    Column("channel", Int64, autoincrement=False, nullable=False),
    Column("speaks", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("chat", "channel"),
    ForeignKeyConstraint(["channel"], ["chats.id"], onupdate="CASCADE", ondelete="CASCADE"),
    CheckConstraint("speaks IN (0, 1)", name="speaks"),
    index_where("uq_links_speaks", "speaks = 1", "chat", unique=True),
)

# Chats and people whom an operator let in or turned away, whatever the settings say.
guests = table(
    "guests",
    Column("id", Int64, autoincrement=False, nullable=False),
    Column("allowed", Integer, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("allowed IN (0, 1)", name="allowed"),
)

# What operators tell every chat; a draft waits for its writer's confirmation. Chats are told in the order of their ids:
# `reached` is the newest for which a message was queued.
broadcasts = table(
    "broadcasts",
    Column("id", Int64, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("stage", Text, nullable=False),
    Column("reached", Int64),
    PrimaryKeyConstraint("id"),
    one_of("stage", ("draft", "sending", "queued", "cancelled")),
    never_reuse_ids=True,
)

# The payload goes as soon as the update is handled; the id stays a while so that a repeat is known.
updates = table(
    "updates",
    Column("id", Int64, autoincrement=False, nullable=False),
    Column("chat", Int64),
    Column("payload", Text),
    Column("received_ms", Int64, nullable=False),
    Column("handled_ms", Int64),
    PrimaryKeyConstraint("id"),
    index_where("ix_updates_waiting", "handled_ms IS NULL", "id"),
    index_where("ix_updates_handled", "handled_ms IS NOT NULL", "handled_ms"),
)

# What a turn under way answers, until its update is handled: `begun` counts the actions whose sending has begun.
answers = table(
    "answers",
    Column("update_id", Int64, autoincrement=False, nullable=False),
    Column("actions", Text),
    Column("begun", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("update_id"),
)
