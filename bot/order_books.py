"""The order books of all exchanges, each asked for anew only once what is known of it has grown old."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.alerts.types import Market
from bot.clock import Clock
from bot.liquidation.depth import Depth
from bot.market.exchange import Exchange, ExchangeError, KnowsDepth

LEVELS: Final = 1000
FRESH_S: Final = 5.0
MOST_KEPT: Final = 600
"""Books: the ones asked for longest ago are forgotten."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """What an exchange told, None where it told nothing, and when by the monotonic clock."""

    depth: Depth | None
    levels: int
    at_s: float


class OrderBooks:
    """Asks exchanges for their books. Who asks for the same book at once shares the answer."""

    def __init__(self, exchanges: Mapping[str, Exchange], clock: Clock) -> None:
        self._exchanges = exchanges
        self._clock = clock
        self._read: dict[Market, _Read] = {}
        self._asking: dict[Market, asyncio.Lock] = {}

    async def read(self, market: Market, *, levels: int = LEVELS, within_s: float = FRESH_S) -> Depth | None:
        """The book of one exchange's market, `levels` a side or what the venue tells, at most `within_s` old.

        None where the exchange tells none, does not answer, or tells a thin one; why is logged. That is remembered as
        long, too: a venue in trouble is not asked by everybody.
        """
        async with self._asking.setdefault(market, asyncio.Lock()):
            known = self._read.get(market)
            if known is None or known.levels < levels or self._clock.monotonic() - known.at_s > within_s:
                known = _Read(await self._ask(market, levels), levels, self._clock.monotonic())
                self._keep(market, known)
        return known.depth

    async def read_each(self, markets: Iterable[Market]) -> dict[Market, Depth]:
        """The books of several markets, as those that a combined one adds up; a market without one is left out."""
        asked = tuple(markets)
        found = await asyncio.gather(*map(self.read, asked))
        return {market: depth for market, depth in zip(asked, found, strict=True) if depth is not None}

    async def _ask(self, market: Market, levels: int) -> Depth | None:
        exchange = self._exchanges.get(market.exchange)
        if exchange is None or not isinstance(exchange, KnowsDepth):
            return None
        try:
            depth = await exchange.depth(market.symbol, levels=levels)
        except ExchangeError as error:
            log.warning("the order book of %s %s is not read: %s", *market, error)
            return None
        if depth.is_thin:
            log.info("the order book of %s %s is too thin to tell anything", *market)
            return None
        return depth

    def _keep(self, market: Market, read: _Read) -> None:
        self._read.pop(market, None)
        self._read[market] = read
        while len(self._read) > MOST_KEPT:
            oldest = next(iter(self._read))
            del self._read[oldest]
            if not self._asking[oldest].locked():
                del self._asking[oldest]
