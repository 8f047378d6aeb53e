"""Markets: their series, maps, clusters and tracks, and how good the maps were."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, text

from bot.storage.tables.schema import Float64, Int64, index_where, market, table


def _daily_series(name: str) -> Table:
    """A cache of one day of one market a row: 30 days load in 30 rows, a new bar rewrites some 8 kB."""
    return table(
        name,
        *market(),
        Column("day", Integer, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        PrimaryKeyConstraint("exchange", "symbol", "day"),
        Index(None, "day"),
    )


bars = _daily_series("bars")
open_interest = _daily_series("open_interest")

maps = table(
    "maps",
    *market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)

model_states = table(
    "model_states",
    *market(),
    Column("version", Text, nullable=False),
    Column("time_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)

# One row a recompute: every cluster that stood then, as one blob.
cluster_history = table(
    "cluster_history",
    *market(),
    Column("slot_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol", "slot_ms"),
    Index(None, "slot_ms"),
)

# `samples` holds (slot_ms, usd, low, high) rows, each number little-endian and eight bytes long.
tracks = table(
    "tracks",
    *market(),
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
    index_where("ix_tracks_open", "closed IS NULL", "exchange", "symbol"),
    index_where("ix_tracks_closed", "closed IS NOT NULL", "seen_ms"),
)

# What a market as a whole looked like lately, by which it is judged unusual: one row a market, the newest only.
pulses = table(
    "pulses",
    *market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", Text, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)

# Liquidations as a feed gave them. A sample: venues throttle this feed. A price at bankruptcy lies beyond the trigger.
prints = table(
    "prints",
    *market(),
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
heard = table(
    "heard",
    Column("exchange", Text, nullable=False),
    Column("start_ms", Int64, nullable=False),
    Column("end_ms", Int64, nullable=False),
    PrimaryKeyConstraint("exchange", "start_ms"),
    Index(None, "end_ms"),
)

# The maps of one moment in brief, the bot's and those it is measured beside.
briefs = table(
    "briefs",
    *market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol", "time_ms"),
    Index(None, "time_ms"),
)

# The newest score of each market; that of all an exchange's markets together leaves the symbol empty.
scores = table(
    "scores",
    *market(),
    Column("time_ms", Int64, nullable=False),
    Column("payload", Text, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol"),
)
