"""What operators tell every chat: written, confirmed, queued a few chats at a time, taken back while it can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, insert, select, update

from bot.storage.access import Access
from bot.storage.enqueue import OutboxRow, enqueue
from bot.storage.tables import broadcasts, chats, guests, outbox

NOTICE = "broadcast"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One text and how far it is: `stage` is draft, sending, queued or cancelled.

    `chats` are those it is for as things stand, `told` those that have it, `waiting` those whose message is on its way.
    """

    id: int
    text: str
    stage: str
    created_ms: int
    chats: int
    told: int
    waiting: int


class Broadcasts:
    """Reads and writes of the `broadcasts` table. Channels are never told, nor who was turned away."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def draft(self, text: str, *, now_ms: int) -> Broadcast:
        """Keep a text until it is confirmed, in place of an earlier draft."""

        def work(connection: Connection) -> Broadcast:
            connection.execute(delete(broadcasts).where(broadcasts.c.stage == "draft"))
            new = insert(broadcasts).values(text=text, stage="draft", created_ms=now_ms).returning(broadcasts)
            return _read(connection, connection.execute(new).one())

        return await self._access.write(work)

    async def newest(self) -> Broadcast | None:
        """The one that was written last."""
        statement = select(broadcasts).order_by(broadcasts.c.id.desc()).limit(1)

        def work(connection: Connection) -> Broadcast | None:
            row = connection.execute(statement).first()
            return _read(connection, row) if row else None

        return await self._access.read(work)

    async def confirm(self, broadcast: int) -> Broadcast | None:
        """Let a draft go out; None where it is none (any more)."""
        return await self._stage(broadcast, "draft", "sending")

    async def cancel(self, broadcast: int) -> Broadcast | None:
        """Tell nobody else: what is queued and was never tried is taken back. None where there is nothing to stop."""

        def work(connection: Connection) -> Broadcast | None:
            stages = broadcasts.c.stage.in_(("draft", "sending", "queued"))
            stop = update(broadcasts).where(broadcasts.c.id == broadcast, stages).values(stage="cancelled")
            row = connection.execute(stop.returning(broadcasts)).first()
            if row is None:
                return None
            untried = (outbox.c.state == "ready", outbox.c.attempts == 0, outbox.c.lease_owner.is_(None))
            connection.execute(delete(outbox).where(_messages(broadcast), *untried))
            return _read(connection, row)

        return await self._access.write(work)

    async def is_sending(self) -> bool:
        """Whether chats are left to be queued: cheap, for it is asked all day."""
        statement = select(exists().where(broadcasts.c.stage == "sending"))
        return await self._access.read(lambda connection: bool(connection.execute(statement).scalar_one()))

    async def queue_next(self, limit: int, *, now_ms: int) -> int:
        """Queue the message of the next chats; returns how many. 0: nothing is being sent.

        A chat that comes while it goes on and has a lower id than those reached is not told.
        """

        def work(connection: Connection) -> int:
            sending = select(broadcasts).where(broadcasts.c.stage == "sending").order_by(broadcasts.c.id).limit(1)
            row = connection.execute(sending).first()
            if row is None:
                return 0
            beyond = [] if row.reached is None else [chats.c.id > row.reached]
            next_ones = select(chats.c.id).where(_TOLD, *beyond).order_by(chats.c.id).limit(limit)
            ids = list(connection.execute(next_ones).scalars())
            enqueue(connection, [_message(row, chat, now_ms) for chat in ids])
            news = {"reached": ids[-1]} if ids else {"stage": "queued"}
            connection.execute(update(broadcasts).where(broadcasts.c.id == row.id).values(news))
            return len(ids)

        return await self._access.write(work)

    async def _stage(self, broadcast: int, before: str, after: str) -> Broadcast | None:
        def work(connection: Connection) -> Broadcast | None:
            known = update(broadcasts).where(broadcasts.c.id == broadcast, broadcasts.c.stage == before)
            row = connection.execute(known.values(stage=after).returning(broadcasts)).first()
            return _read(connection, row) if row else None

        return await self._access.write(work)


_TOLD = (
    (chats.c.active == 1)
    & (chats.c.kind != "channel")
    & ~exists().where(guests.c.id == chats.c.id, guests.c.allowed == 0)
)


def _message(row: Row[Any], chat: int, now_ms: int) -> OutboxRow:
    payload: Mapping[str, Any] = {"notice": NOTICE, "text": row.text}
    return OutboxRow(f"{NOTICE}:{row.id}:{chat}", chat, payload, now_ms)


def _messages(broadcast: int) -> ColumnElement[bool]:
    """Its rows in the outbox; the characters around the bound are neighbours, so the unique index serves it."""
    return (outbox.c.dedupe_key >= f"{NOTICE}:{broadcast}:") & (outbox.c.dedupe_key < f"{NOTICE}:{broadcast};")


def _read(connection: Connection, row: Row[Any]) -> Broadcast:
    count = select(func.count()).select_from(outbox).where(_messages(row.id))
    return Broadcast(
        row.id,
        row.text,
        row.stage,
        row.created_ms,
        chats=connection.execute(select(func.count()).select_from(chats).where(_TOLD)).scalar_one(),
        told=connection.execute(count.where(outbox.c.state == "sent")).scalar_one(),
        waiting=connection.execute(count.where(outbox.c.done_ms.is_(None))).scalar_one(),
    )
