"""What people sent, kept until it is handled: a crash loses no command, a repeat runs none twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from bot.storage.access import Access
from bot.storage.statements import insert_new, upsert
from bot.storage.tables import answers, updates


@dataclass(frozen=True, slots=True)
class Update:
    """One update as it came, `payload` in JSON; `chat` is None where it belongs to none.

    `begun` counts the actions of its answer whose sending had begun before the last process ended, `actions` is that
    answer where it was kept.
    """

    id: int
    chat: int | None
    payload: str
    begun: int = 0
    actions: str | None = None


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

    async def speakers(self, *, since_ms: int) -> int:
        """How many chats sent something since then; updates are kept for `retention.KEEP_DAYS`."""
        statement = select(func.count(updates.c.chat.distinct())).where(updates.c.received_ms >= since_ms)
        return await self._access.read(lambda connection: connection.execute(statement).scalar_one())

    async def waiting(self) -> Sequence[Update]:
        """What is stored and not handled, oldest first: asked for at start."""
        columns = (
            updates.c.id,
            updates.c.chat,
            updates.c.payload,
            func.coalesce(answers.c.begun, 0),
            answers.c.actions,
        )
        joined = select(*columns).outerjoin(answers, answers.c.update_id == updates.c.id)
        statement = joined.where(updates.c.handled_ms.is_(None)).order_by(updates.c.id)
        return await self._access.read(lambda connection: [Update(*row) for row in connection.execute(statement)])

    async def handled(self, update_id: int, *, now_ms: int) -> None:
        """Note an update as done and forget what it said and what was answered."""

        def work(connection: Connection) -> None:
            done = {"handled_ms": now_ms, "payload": None}
            connection.execute(update(updates).where(updates.c.id == update_id).values(done))
            connection.execute(delete(answers).where(answers.c.update_id == update_id))

        await self._access.write(work)

    async def answering(self, update_id: int, *, begun: int, actions: str | None) -> None:
        """Commit how many actions of an update's answer have begun, before the newest of them is carried out."""
        row = {"update_id": update_id, "begun": begun, "actions": actions}
        await self._access.write(lambda connection: upsert(connection, answers, [row]))
