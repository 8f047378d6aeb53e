"""Which processes share the database and live: each says so every few seconds, by the database's clock."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, select

from bot.storage.access import Access
from bot.storage.leases import now_by
from bot.storage.statements import insert_or
from bot.storage.tables import nodes

Role = Literal["sender", "standby", "worker"]

BEAT_S = 2.0
"""How often a process says that it lives."""

DEAD_MS = 10_000
"""One that was not heard for so long is taken for dead."""


@dataclass(frozen=True, slots=True)
class Node:
    """A living process: what it is, for how long, and how long ago it said so."""

    id: str
    role: Role
    since_ms: int
    age_ms: int


class Nodes:
    """Reads and writes of the `nodes` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def beat(self, node: str, role: Role) -> None:
        """Say that a process lives, as what."""

        def work(connection: Connection) -> None:
            now_ms = now_by(connection)
            row = {"id": node, "role": role, "since_ms": now_ms, "seen_ms": now_ms}
            statement = insert_or(connection, nodes).values(row)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["id"], set_={"role": role, "seen_ms": now_ms})
            )

        await self._access.write(work, fenced=False)

    async def leave(self, node: str) -> None:
        """A process that ends in peace is not waited for."""
        await self._access.write(
            lambda connection: connection.execute(delete(nodes).where(nodes.c.id == node)), fenced=False
        )

    async def living(self) -> list[Node]:
        """Every process that was heard lately, the oldest first."""

        def work(connection: Connection) -> list[Node]:
            now_ms = now_by(connection)
            age_ms = (now_ms - nodes.c.seen_ms).label("age_ms")
            statement = select(nodes.c.id, nodes.c.role, nodes.c.since_ms, age_ms)
            heard = statement.where(nodes.c.seen_ms > now_ms - DEAD_MS).order_by(nodes.c.since_ms, nodes.c.id)
            return [Node(*row) for row in connection.execute(heard)]

        return await self._access.read(work)
