"""Everything that is stored of one chat: read as it is, or deleted in one transaction.

Which tables those are is read from the schema itself: a column `chat`, or a key that points to a chat's row or to a row
that belongs to one. A table made later is found without being named here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from bot.storage.access import Access
from bot.storage.tables import answers, chats, metadata, updates

MOST_ROWS = 10_000
"""Of each table, so that the file stays within what Telegram takes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The rows of each table that has any of the chat, by the table's name, and how many older ones were left out."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    left_out: int = 0


class WholeChat:
    """Reads and deletes a chat as a whole."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def read(self, chat: int, *, most: int = MOST_ROWS) -> Stored:
        """All rows of a chat, the newest `most` of each table. Texts that hold JSON come as what they hold."""

        def work(connection: Connection) -> Stored:
            rows, left_out = {}, 0
            for table, is_of in owned(chat):
                newest = select(table).where(is_of).order_by(*(key.desc() for key in table.primary_key))
                found = [_plain(row._mapping) for row in connection.execute(newest.limit(most))]
                if len(found) == most:
                    count = connection.execute(select(func.count()).select_from(table).where(is_of)).scalar_one()
                    left_out += count - most
                if found:
                    rows[table.name] = found
            return Stored(rows, left_out)

        return await self._access.read(work)

    async def forget(self, chat: int) -> int:
        """Delete all rows of a chat, of which nothing is then known; returns how many there were."""

        def work(connection: Connection) -> int:
            owners = reversed(owned(chat))
            return sum(connection.execute(delete(table).where(is_of)).rowcount for table, is_of in owners)

        return await self._access.write(work)


def owned(chat: int) -> list[tuple[Table, ColumnElement[bool]]]:
    """Each table that holds something of a chat with the condition on its rows; those pointed at come first."""
    found: dict[str, tuple[Table, ColumnElement[bool]]] = {}
    for table in metadata.sorted_tables:
        condition = _condition(table, chat, found)
        if condition is not None:
            found[table.name] = (table, condition)
    # An answer knows its update's number and not its chat.
    found[answers.name] = (answers, answers.c.update_id.in_(select(updates.c.id).where(updates.c.chat == chat)))
    return list(found.values())


def _condition(
    table: Table, chat: int, found: Mapping[str, tuple[Table, ColumnElement[bool]]]
) -> ColumnElement[bool] | None:
    """How a table's rows of a chat are known, None where it has none. `found` are those of the tables before it."""
    if table is chats:
        return chats.c.id == chat
    if "chat" in table.c:
        return table.c.chat == chat
    for key in table.foreign_keys:
        owner, is_of = found.get(key.column.table.name, (None, None))
        if owner is not None and is_of is not None:
            return key.parent.in_(select(key.column).where(is_of))
    return None


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _opened(value) for name, value in row.items() if value is not None}


def _opened(value: Any) -> Any:
    """What a text of JSON holds; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in "{[":
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
