"""What one process at a time may do, among all that share a database: a lease that its holder renews.

Time is the database's own, so that no machine's clock decides. Each change of hands raises the lease's epoch, and a
holder's writes are fenced by the epoch it was given: what a process that was overtaken still tries is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, literal, literal_column, select, update

from bot.storage.access import Access
from bot.storage.errors import LostLeaseError
from bot.storage.statements import insert_or
from bot.storage.tables import leases

SENDER = "sender"
"""The lease of whoever sends, judges and hears people: one bot token bears one of each."""

_CLOCKS = {
    "sqlite": "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
}


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a lease, since which change of hands, and for how much longer unless it is renewed (0: it ran out)."""

    name: str
    epoch: int
    holder: str
    left_ms: int


class Leases:
    """Reads and writes of the `leases` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def take(self, name: str, holder: str, *, valid_ms: int) -> int | None:
        """Take a lease that is free or has run out: its new epoch; None while somebody holds it."""

        def work(connection: Connection) -> int | None:
            now_ms = now_by(connection)
            # A look first: whoever tries to take it locks the row, and the holder's own writes would wait for that.
            held = select(leases.c.name).where(leases.c.name == name, leases.c.expires_ms > now_ms)
            if connection.execute(held).first() is not None:
                return None
            row = {"name": name, "epoch": 1, "holder": holder, "expires_ms": now_ms + valid_ms}
            statement = insert_or(connection, leases).values(row)
            taken = {"epoch": leases.c.epoch + 1, "holder": holder, "expires_ms": now_ms + valid_ms}
            statement = statement.on_conflict_do_update(
                index_elements=["name"], set_=taken, where=leases.c.expires_ms <= now_ms
            )
            epoch: int | None = connection.execute(statement.returning(leases.c.epoch)).scalar()
            return epoch

        return await self._access.write(work, fenced=False)

    async def renew(self, name: str, epoch: int, *, valid_ms: int) -> bool:
        """Hold it for longer; False where it has changed hands."""

        def work(connection: Connection) -> bool:
            mine = (leases.c.name == name) & (leases.c.epoch == epoch)
            renewed = update(leases).where(mine).values(expires_ms=now_by(connection) + valid_ms)
            return connection.execute(renewed).rowcount == 1

        return await self._access.write(work, fenced=False)

    async def release(self, name: str, epoch: int) -> None:
        """Let it go before its time, so that the next may have it at once."""
        mine = (leases.c.name == name) & (leases.c.epoch == epoch)
        await self._access.write(
            lambda connection: connection.execute(update(leases).where(mine).values(expires_ms=0)), fenced=False
        )

    async def look(self, name: str) -> Lease | None:
        """How a lease stands; None where nobody ever had it."""

        def work(connection: Connection) -> Lease | None:
            row = connection.execute(select(leases, now_by(connection).label("now_ms")).filter_by(name=name)).first()
            return Lease(row.name, row.epoch, row.holder, max(0, row.expires_ms - row.now_ms)) if row else None

        return await self._access.read(work)


def now_by(connection: Connection) -> ColumnElement[int]:
    """The database's own time, ms UTC, as an expression."""
    return literal_column(_CLOCKS[connection.dialect.name], BigInteger)


def fence_of(name: str, epoch: int) -> Callable[[Connection], None]:
    """What a holder's write transactions begin with. Raises LostLeaseError where the lease has changed hands.

    The row's key, of which the epoch is a part, stays locked until the commit: whoever takes the lease waits for what
    was begun before, and sees it; whoever renews it does not wait.
    """
    statement = select(leases.c.epoch).where(leases.c.name == literal(name)).with_for_update(read=True, key_share=True)

    def check(connection: Connection) -> None:
        known = connection.execute(statement).scalar()
        if known != epoch:
            raise LostLeaseError("Another process has taken over: this one may not write any more.")

    return check
