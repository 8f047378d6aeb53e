"""`liqwatch migrate`: the database gets this version's schema, or all that a SQLite file holds."""

from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.moving import Progress, move


async def migrate_database(settings: Settings) -> str:
    """Bring the database to this version's schema. Raises StorageError."""
    async with await Database.open(settings.database_url):
        return f"the database {settings.database_name} has this version's schema"


def move_database(settings: Settings, source: str, *, progress: Progress) -> list[str]:
    """Move a SQLite database into the empty one of the settings. Raises StorageError."""
    rows = move(source, settings.database_url, progress=progress).rows
    filled = sum(1 for count in rows.values() if count)
    return [
        f"moved {source} to {settings.database_name}: {rows['rules']} rules of {rows['chats']} chats,"
        f" {rows['outbox']} messages, {sum(rows.values())} rows in {filled} tables, counted and compared",
        "the file is left as it was: with DATABASE_URL as it is now the bot goes on from the new database",
    ]
