"""What people sent, kept until it is handled: a crash loses no command, a repeat runs none twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from bot.storage.access import Access
from bot.storage.statements import insert_new
from bot.storage.tables import updates


@dataclass(frozen=True, slots=True)
class Update:
    """One update as it came, `payload` in JSON; `chat` is None where it belongs to none."""

    id: int
    chat: int | None
    payload: str


class Updates:
    """Reads and writes of the `updates` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def store(self, received: Sequence[Update], *, now_ms: int) -> Sequence[int]:
        """Keep updates; returns the ids that are new, in the order given. An id seen before is not handled again."""

        def work(connection: Connection) -> list[int]:
            return [
                item.id
                for item in received
                if insert_new(
                    connection,
                    updates,
                    {"id": item.id, "chat": item.chat, "payload": item.payload, "received_ms": now_ms},
                    unique=("id",),
                )
            ]

        return await self._access.write(work)

    async def waiting(self) -> Sequence[Update]:
        """What is stored and not handled, oldest first: asked for at start."""
        columns = (updates.c.id, updates.c.chat, updates.c.payload)
        statement = select(*columns).where(updates.c.handled_ms.is_(None)).order_by(updates.c.id)
        return await self._access.read(lambda connection: [Update(*row) for row in connection.execute(statement)])

    async def handled(self, update_id: int, *, now_ms: int) -> None:
        """Note an update as done and forget what it said."""
        statement = update(updates).where(updates.c.id == update_id).values(handled_ms=now_ms, payload=None)
        await self._access.write(lambda connection: connection.execute(statement))
