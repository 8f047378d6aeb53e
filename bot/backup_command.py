"""`liqwatch backup` and `liqwatch restore`: a checked copy of the database, while the bot runs, and the way back."""

from pathlib import Path

from bot.clock import SystemClock
from bot.settings import Settings
from bot.storage.backup import Copied, back_up, restore


def back_up_database(settings: Settings, target: Path) -> list[str]:
    """Copy the database to a new file. Raises StorageError."""
    copied = back_up(settings.database_url, target)
    return [f"backed up to {target}: {_words(copied)}, checked"]


def restore_database(settings: Settings, file: Path) -> list[str]:
    """Put a copy in the database's place. Raises StorageError."""
    restored = restore(settings.database_url, file, now_ms=SystemClock().now_ms())
    lines = [f"restored {settings.database_name} from {file}: {_words(restored.copied)}, checked"]
    if restored.unsure:
        lines.append(f"{restored.unsure} undelivered messages go out as silent repeats: they may have been sent since")
    if restored.commands:
        lines.append(f"{restored.commands} commands that waited are not done again")
    if restored.kept is not None:
        lines.append(f"the database that was there is kept as {restored.kept}")
    return lines


def _words(copied: Copied) -> str:
    rules, messages = copied.rows.get("rules", 0), copied.rows["outbox"]
    return f"{rules} rules, {messages} messages, {sum(copied.rows.values())} rows, {copied.size / 2**20:.1f} MiB"
