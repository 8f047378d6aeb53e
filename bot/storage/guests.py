"""Whom operators let in or turned away, whatever the settings say."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from bot.storage.access import Access
from bot.storage.outbox import bury_chat
from bot.storage.statements import upsert
from bot.storage.tables import guests


class Guests:
    """Reads and writes of the `guests` table: chats and people by id."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def all(self) -> Mapping[int, bool]:
        """Everybody of whom an operator decided: whether they may."""
        statement = select(guests.c.id, guests.c.allowed)
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        return {row.id: bool(row.allowed) for row in rows}

    async def decide(self, guest: int, *, allowed: bool, now_ms: int) -> None:
        """Let a chat or a person in, or turn them away: then what waits for that chat ends, and its rules rest."""

        def work(connection: Connection) -> None:
            upsert(connection, guests, [{"id": guest, "allowed": int(allowed)}])
            if not allowed:
                bury_chat(connection, guest, reason="turned away by an operator", now_ms=now_ms)

        await self._access.write(work)
