"""A chat's preferences as columns beside its own."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from bot.alerts.preferences import Preferences, Sound, Units
from bot.storage.statements import upsert
from bot.storage.tables import preferences

_NAMES = tuple(field.name for field in fields(Preferences))
_LABELS = {name: f"preferred_{name}" for name in _NAMES}

PREFERRED = tuple(preferences.c[name].label(label) for name, label in _LABELS.items())
"""What a query of chats, outer joined to this table, selects beside their own columns."""


def preferences_of(row: Row[Any]) -> Preferences:
    """The preferences in a row that has the columns `PREFERRED`; none chosen where the chat has no row of its own."""
    values = {name: row._mapping[label] for name, label in _LABELS.items()}
    if values["sound"] is None:
        return Preferences()
    return Preferences(**{**values, "sound": Sound(values["sound"]), "units": Units(values["units"])})


def write_preferences(connection: Connection, chat: int, chosen: Preferences) -> None:
    """Keep what a known chat has chosen."""
    upsert(connection, preferences, [{"chat": chat, **asdict(chosen)}])


def move_preferences(connection: Connection, old: int, new: int) -> None:
    """What the old chat has chosen holds for the new one, where that has chosen nothing itself."""
    if connection.execute(select(preferences.c.chat).where(preferences.c.chat == new)).first() is None:
        connection.execute(update(preferences).where(preferences.c.chat == old).values(chat=new))
    connection.execute(delete(preferences).where(preferences.c.chat == old))
