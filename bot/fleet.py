"""Who works on a shared database, in one line for its operator."""

from collections import Counter

from bot.storage.database import Database


async def fleet_line(db: Database) -> str:
    """Which process sends, and how many stand by and work for it."""
    living = await db.nodes.living()
    count = Counter(node.role for node in living)
    sender = next((node for node in living if node.role == "sender"), None)
    sends = "no bot sends now" if sender is None else f"{sender.id} sends"
    return f"{sends}; standing by: {count['standby']}; workers: {count['worker']}"
