"""Which channels a person set up from their private chat, and for which of them they speak."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from bot.storage.access import Access
from bot.storage.statements import insert_new
from bot.storage.tables import chats, links


class Links:
    """Reads and writes of the `links` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def add(self, chat: int, channel: int) -> bool:
        """Link a channel that the bot is known to be in; False where it is not, or they are linked already."""

        def work(connection: Connection) -> bool:
            kind = connection.execute(select(chats.c.kind).where(chats.c.id == channel)).scalar()
            row = {"chat": chat, "channel": channel}
            return kind == "channel" and insert_new(connection, links, row, unique=("chat", "channel"))

        return await self._access.write(work)

    async def remove(self, chat: int, channel: int) -> None:
        """Forget a link; what was typed for it is typed for the chat itself from then on."""
        gone = delete(links).where(links.c.chat == chat, links.c.channel == channel)
        await self._access.write(lambda connection: connection.execute(gone))

    async def of(self, chat: int) -> Sequence[int]:
        """The channels linked to a private chat that the bot can write to."""
        open_ones = select(links.c.channel).join(chats, chats.c.id == links.c.channel).where(chats.c.active == 1)
        statement = open_ones.where(links.c.chat == chat).order_by(links.c.channel)
        return await self._access.read(lambda connection: connection.execute(statement).scalars().all())

    async def speaks_for(self, chat: int) -> int | None:
        """The channel for which commands typed in a private chat speak; None where for the chat itself."""
        statement = select(links.c.channel).where(links.c.chat == chat, links.c.speaks == 1)
        return await self._access.read(lambda connection: connection.execute(statement).scalar())

    async def speak_for(self, chat: int, channel: int | None) -> bool:
        """Let the chat's next commands speak for a channel linked to it, or for itself; False where none is linked."""

        def work(connection: Connection) -> bool:
            connection.execute(update(links).where(links.c.chat == chat, links.c.speaks == 1).values(speaks=0))
            if channel is None:
                return True
            chosen = update(links).where(links.c.chat == chat, links.c.channel == channel).values(speaks=1)
            return connection.execute(chosen).rowcount == 1

        return await self._access.write(work)
