"""One round of maps: every watched market read anew, exchanges side by side, each judged in a fixed order."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import aclosing

from bot.alerts.types import Market
from bot.history_store import NoMapError
from bot.market.priority import Priority, asking_as
from bot.markets import LiveMarket, Markets
from bot.order_books import OrderBooks
from bot.side_by_side import in_order
from bot.skill_meter import SkillMeter
from bot.storage.errors import StorageError
from bot.walls_seen import look_for_walls
from bot.watch import Watch

log = logging.getLogger(__name__)


class MapRound:
    """Makes maps and hands them to the watch and the meter. What goes wrong with one does not hold up the others."""

    def __init__(self, *, markets: Markets, watch: Watch, meter: SkillMeter, books: OrderBooks) -> None:
        self._markets = markets
        self._watch = watch
        self._meter = meter
        self._books = books

    async def make(self, markets: Iterable[Market]) -> None:
        """Make the map of each market anew, and judge it."""
        by_exchange: dict[str, list[Market]] = {}
        for market in markets:
            by_exchange.setdefault(market.exchange, []).append(market)
        with asking_as(Priority.WATCHED):
            await asyncio.gather(*(self._of_one_exchange(some) for some in by_exchange.values()))

    async def _of_one_exchange(self, markets: Sequence[Market]) -> None:
        async with aclosing(in_order(markets, self._advanced)) as advanced:
            async for live in advanced:
                if live is not None:
                    await self._judge(live)

    async def _advanced(self, market: Market) -> LiveMarket | None:
        try:
            return await self._markets.advance(market)
        except NoMapError as error:
            log.warning("no map: %s", error)
        except StorageError as failure:
            log.warning("the map of %s %s could not be stored and is made again: %s", *market, failure)
        return None

    async def _judge(self, live: LiveMarket) -> None:
        if self._watch.asks_surroundings(live.market):
            await look_for_walls(live, self._markets.parts(live.market), self._books)
        try:
            await self._watch.take_map(live)
            await self._meter.note(live)
        except StorageError as failure:
            log.warning("the map of %s %s could not be stored and is judged again: %s", *live.market, failure)
