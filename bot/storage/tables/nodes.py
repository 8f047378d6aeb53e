"""Processes that share one database: who alone sends, who is there, and what workers drew for all."""

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Text, UniqueConstraint

from bot.storage.tables.schema import Int64, market, one_of, table

ROLES = ("sender", "standby", "worker")

# What one process at a time may do. `epoch` grows each time it changes hands; `expires_ms` is by the database's clock.
# The epoch is part of a key so that PostgreSQL locks it apart from the rest of the row.
leases = table(
    "leases",
    Column("name", Text, nullable=False),
    Column("epoch", Int64, nullable=False),
    Column("holder", Text, nullable=False),
    Column("expires_ms", Int64, nullable=False),
    PrimaryKeyConstraint("name"),
    UniqueConstraint("name", "epoch"),
)

# A process that lives says so every few seconds; both times are by the database's clock.
nodes = table(
    "nodes",
    Column("id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("since_ms", Int64, nullable=False),
    Column("seen_ms", Int64, nullable=False),
    PrimaryKeyConstraint("id"),
    one_of("role", ROLES),
)

# The map of one closed bar as a worker drew it; of each market the newest alone keeps its payload.
drawings = table(
    "drawings",
    *market(),
    Column("slot_ms", Int64, nullable=False),
    Column("made_ms", Int64, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("payload", LargeBinary),
    PrimaryKeyConstraint("exchange", "symbol", "slot_ms"),
    Index(None, "slot_ms"),
)
