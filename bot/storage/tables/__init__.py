"""Every table, as it stands after the newest migration."""

from bot.storage.tables.alerts import OUTBOX_STATES, decisions, outbox, outcomes, rule_states, rules
from bot.storage.tables.chats import answers, broadcasts, chats, guests, links, preferences, topics, updates
from bot.storage.tables.markets import (
    bars,
    briefs,
    cluster_history,
    heard,
    maps,
    model_states,
    open_interest,
    prints,
    pulses,
    scores,
    tracks,
)
from bot.storage.tables.nodes import drawings, leases, nodes
from bot.storage.tables.schema import metadata
from bot.storage.tables.work import kv, slots

__all__ = [
    "OUTBOX_STATES",
    "answers",
    "bars",
    "briefs",
    "broadcasts",
    "chats",
    "cluster_history",
    "decisions",
    "drawings",
    "guests",
    "heard",
    "kv",
    "leases",
    "links",
    "maps",
    "metadata",
    "model_states",
    "nodes",
    "open_interest",
    "outbox",
    "outcomes",
    "preferences",
    "prints",
    "pulses",
    "rule_states",
    "rules",
    "scores",
    "slots",
    "topics",
    "tracks",
    "updates",
]
