"""What was told in which message, and what waits on purpose: reads of the outbox, and another time for what waits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, select, update

from bot.storage.access import Access
from bot.storage.tables import outbox

_WAITS = and_(outbox.c.done_ms.is_(None), outbox.c.lead.is_(None), outbox.c.held == 1, outbox.c.attempts == 0)


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits on purpose: the key of its first event, and how many it will tell of."""

    dedupe_key: str
    chat: int
    since_ms: int
    due_ms: int
    events: int


def _holds() -> Select[Any]:
    led = outbox.alias("led")
    count = select(func.count()).select_from(led).where(led.c.lead == outbox.c.id).scalar_subquery()
    columns = (outbox.c.dedupe_key, outbox.c.chat, outbox.c.created_ms, outbox.c.due_ms, 1 + count)
    return select(*columns).where(_WAITS).order_by(outbox.c.id)


_HOLDS = _holds()
# Asked for each message that is composed; built once, for building takes as long as asking.
_HOLDS_OF_CHAT = _HOLDS.where(outbox.c.chat == bindparam("of_chat"))


class Told:
    """Reads of the `outbox` table by message and by event."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def keys_of(self, chat: int, message_id: int) -> Sequence[str]:
        """The dedupe keys of the events that a message tells of, the first of them first."""
        statement = (
            select(outbox.c.dedupe_key)
            .where(outbox.c.chat == chat, outbox.c.message_id == message_id)
            .order_by(outbox.c.lead.is_not(None), outbox.c.id)
        )
        return await self._access.read(lambda connection: connection.execute(statement).scalars().all())

    async def payload(self, chat: int, dedupe_key: str) -> Mapping[str, Any] | None:
        """What one row of a chat was to say; None where there is none of that key."""
        statement = select(outbox.c.payload).where(outbox.c.chat == chat, outbox.c.dedupe_key == dedupe_key)

        def work(connection: Connection) -> Mapping[str, Any] | None:
            found = connection.execute(statement).scalar()
            return None if found is None else json.loads(found)

        return await self._access.read(work)

    async def holds(self) -> Sequence[Held]:
        """Every message that waits on purpose, with how many events it will tell of."""
        return await self._access.read(lambda connection: [Held(*row) for row in connection.execute(_HOLDS)])

    async def held(self, chat: int) -> Held | None:
        """The message that waits on purpose for a chat; None where there is none."""

        def work(connection: Connection) -> Held | None:
            row = connection.execute(_HOLDS_OF_CHAT, {"of_chat": chat}).first()
            return None if row is None else Held(*row)

        return await self._access.read(work)

    async def reschedule(self, chat: int, dedupe_key: str, *, due_ms: int) -> bool:
        """Let a message that waits on purpose go at another time; False where it has gone already."""
        waits = and_(_WAITS, outbox.c.chat == chat, outbox.c.dedupe_key == dedupe_key, outbox.c.lease_owner.is_(None))
        statement = update(outbox).where(waits).values(due_ms=due_ms)
        return await self._access.write(lambda connection: connection.execute(statement).rowcount == 1)
