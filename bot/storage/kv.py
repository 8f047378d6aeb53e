"""Single facts that outlive a restart: until when an exchange asked for silence, where a feed stopped."""

import json
from typing import Any

from sqlalchemy import delete, select

from bot.storage.access import Access
from bot.storage.statements import upsert
from bot.storage.tables import kv


class KeyValues:
    """Reads and writes of the `kv` table; a value is anything JSON can hold."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def get(self, key: str, default: Any = None) -> Any:
        statement = select(kv.c.value).where(kv.c.key == key)
        text = await self._access.read(lambda connection: connection.execute(statement).scalar())
        return default if text is None else json.loads(text)

    async def set(self, key: str, value: Any) -> None:
        row = {"key": key, "value": json.dumps(value, ensure_ascii=False)}
        await self._access.write(lambda connection: upsert(connection, kv, [row]))

    async def remove(self, key: str) -> None:
        await self._access.write(lambda connection: connection.execute(delete(kv).where(kv.c.key == key)))
