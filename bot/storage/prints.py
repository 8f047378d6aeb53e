"""The liquidations that were heard, and when anybody listened."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from bot.alerts.types import Market
from bot.market.feed import Heard, Print, Stretch, joined_stretches, prints_of_rows
from bot.market.types import Prints
from bot.storage.access import Access
from bot.storage.statements import alone_with, insert_all_new, upsert
from bot.storage.tables import heard, prints

GAP_MS = 60_000
"""A line that is back within so long was listened to all the time: what a minute loses changes no score."""


class PrintLog:
    """Reads and writes of `prints` and `heard`. The same print twice is one."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def save(self, exchange: str, news: Heard) -> None:
        """Store what a feed brought: its prints, and that it was alive. Facts, whoever heard them."""

        def work(connection: Connection) -> None:
            insert_all_new(connection, prints, [_row(exchange, row) for row in news.prints])
            _extend(connection, exchange, news.stretches)

        await self._access.write(work, fenced=False)

    async def load(self, market: Market, *, start_ms: int, end_ms: int) -> Prints:
        """One market's prints with start_ms <= time_ms < end_ms, in order of time."""
        statement = (
            select(prints.c.time_ms, prints.c.is_long, prints.c.price, prints.c.coins, prints.c.at_bankruptcy)
            .filter_by(exchange=market.exchange, symbol=market.symbol)
            .where(prints.c.time_ms >= start_ms, prints.c.time_ms < end_ms)
        )
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        return prints_of_rows(
            Print(row.time_ms, market.symbol, bool(row.is_long), row.price, row.coins, bool(row.at_bankruptcy))
            for row in rows
        )

    async def newest_ms(self, exchange: str) -> int | None:
        """The time of the newest print of any market of an exchange."""
        statement = select(func.max(prints.c.time_ms)).filter_by(exchange=exchange)
        newest: int | None = await self._access.read(lambda connection: connection.execute(statement).scalar())
        return newest

    async def cover(self, exchange: str, *, start_ms: int, end_ms: int) -> tuple[Stretch, ...]:
        """The stretches between these times in which the feed was listened to, in order."""
        statement = (
            select(heard.c.start_ms, heard.c.end_ms)
            .filter_by(exchange=exchange)
            .where(heard.c.end_ms > start_ms, heard.c.start_ms < end_ms)
        )
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        inside = [(max(row.start_ms, start_ms), min(row.end_ms, end_ms)) for row in rows]
        return joined_stretches(inside, gap_ms=GAP_MS)


def _extend(connection: Connection, exchange: str, stretches: Sequence[Stretch]) -> None:
    """Lengthen the last stretch where the new one follows it, so that a week is a few rows."""
    alone_with(connection, [f"heard {exchange}"])
    for start_ms, end_ms in stretches:
        last = connection.execute(
            select(heard).filter_by(exchange=exchange).order_by(heard.c.start_ms.desc()).limit(1)
        ).first()
        if last is not None and last.start_ms <= start_ms <= last.end_ms + GAP_MS:
            mine = (heard.c.exchange == exchange) & (heard.c.start_ms == last.start_ms)
            connection.execute(update(heard).where(mine).values(end_ms=max(last.end_ms, end_ms)))
        else:
            upsert(connection, heard, [{"exchange": exchange, "start_ms": start_ms, "end_ms": end_ms}])


def _row(exchange: str, row: Print) -> dict[str, object]:
    return {
        "exchange": exchange,
        "symbol": row.symbol,
        "time_ms": row.time_ms,
        "is_long": int(row.is_long),
        "price": row.price,
        "coins": row.coins,
        "at_bankruptcy": int(row.at_bankruptcy),
    }
