"""Who works on a shared database, as the doctor tells it."""

from bot.fleet import fleet_line
from bot.storage.database import Database


async def test_the_processes_that_live_are_counted_by_what_they_do() -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        assert await fleet_line(db) == "no bot sends now; standing by: 0; workers: 0"
        await db.nodes.beat("host:1:ab", "sender")
        await db.nodes.beat("host:2:cd", "standby")
        for number in range(3):
            await db.nodes.beat(f"worker {number}", "worker")
        assert await fleet_line(db) == "host:1:ab sends; standing by: 1; workers: 3"
