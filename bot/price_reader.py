"""Where one exchange's prices come from at each tick: its stream while that is heard, else a request for all."""

from collections.abc import Collection
from typing import Final

from bot.clock import Clock
from bot.market.exchange import Exchange
from bot.market.feed import LiquidationFeed, MarketStream
from bot.market.price_book import PriceBook
from bot.market.types import Tick

QUIET_MS: Final = 5_000
"""A stream on which nothing came for so long is not waited for."""

FRESH_MS: Final = 15_000
"""A wanted price that is older than this is asked for, though the stream lives: OKX repeats one after 10 s at most."""

MISSING_AGAIN_MS: Final = 10_000
ALL_AGAIN_MS: Final = 300_000
"""While the stream brings all that is wanted: for the exchange's clock, and for contracts that nobody watches."""


class PriceReader:
    """One exchange's. Prices from both ways meet in one book, so that an older one never follows a newer."""

    def __init__(self, exchange: Exchange, feed: LiquidationFeed | None, clock: Clock) -> None:
        self._exchange = exchange
        self._stream = feed if isinstance(feed, MarketStream) else None
        self._prices = PriceBook(exchange.name) if self._stream is None else self._stream.prices
        self._prices.keep_time(exchange.server_now_ms)
        self._clock = clock
        self._asked_ms = 0
        self._absent: frozenset[str] = frozenset()

    async def ask_if_due(self, wanted: Collection[str]) -> bool:
        """Have the stream follow the `wanted` symbols, and ask for all prices where it does not do; whether it asked.

        Raises ExchangeError; what the stream brought is there all the same.
        """
        if self._stream is not None:
            self._stream.follow(wanted)
            if not self._is_due(self._stream, wanted):
                return False
        now_ms = self._clock.now_ms()
        self._asked_ms = now_ms - ALL_AGAIN_MS + MISSING_AGAIN_MS  # where it fails, it is asked again soon
        self._prices.take_tick(await self._exchange.mark_prices())
        self._asked_ms = now_ms
        self._absent = self._lacking(wanted)
        return True

    def news(self) -> Tick:
        """The prices that are newer than at the last look."""
        return self._prices.news()

    def _is_due(self, stream: MarketStream, wanted: Collection[str]) -> bool:
        now_ms, status = self._clock.now_ms(), stream.status()
        if not status.alive or now_ms - (status.last_message_ms or 0) > QUIET_MS:
            return True
        asked_ago_ms = now_ms - self._asked_ms
        if asked_ago_ms >= ALL_AGAIN_MS:
            return True
        # What the exchange itself has no price of, such as a contract that settles, is not asked for again so soon.
        return asked_ago_ms >= MISSING_AGAIN_MS and bool(self._lacking(wanted) - self._absent)

    def _lacking(self, symbols: Collection[str]) -> frozenset[str]:
        return self._prices.lacking(symbols, since_ms=self._exchange.server_now_ms() - FRESH_MS)
