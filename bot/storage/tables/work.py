"""The bot's own work: which slots are done, and what it notes for itself."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text

from bot.storage.tables.schema import Int64, market, table

# A row says that this slot's work is committed; a job that belongs to no market leaves exchange and symbol empty.
slots = table(
    "slots",
    Column("job", Text, nullable=False),
    *market(),
    Column("slot_ms", Int64, nullable=False),
    Column("done_ms", Int64, nullable=False),
    PrimaryKeyConstraint("job", "exchange", "symbol", "slot_ms"),
    Index(None, "done_ms"),
)

kv = table(
    "kv",
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("key"),
)
