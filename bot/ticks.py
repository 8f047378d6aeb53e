"""One tick: what prices and liquidations each exchange has, judged; a slow exchange holds up nobody but itself."""

import logging
from collections.abc import Collection, Mapping
from functools import partial

from bot.alerts.readings import Liquidation
from bot.combined_markets import CombinedMarkets
from bot.liquidation.types import Side
from bot.market.exchange import Exchange, ExchangeError
from bot.market.feed import Print
from bot.price_reader import PriceReader
from bot.reachability import Reachability
from bot.side_by_side import OneEach
from bot.skill_meter import SkillMeter
from bot.storage.errors import StorageError
from bot.watch import Watch

log = logging.getLogger(__name__)


class Ticks:
    """Asks where asking is due, and judges whatever has come. Made by the app, which owns the rooms it works on.

    A request that takes longer than `patience_s` goes on by itself, and what it brings is judged at a later tick.
    """

    def __init__(
        self,
        *,
        readers: Mapping[str, PriceReader],
        exchanges: Mapping[str, Exchange],
        reach: Reachability,
        markets: CombinedMarkets,
        watch: Watch,
        meter: SkillMeter,
        patience_s: float,
    ) -> None:
        self._readers = readers
        self._exchanges = exchanges
        self._reach = reach
        self._markets = markets
        self._watch = watch
        self._meter = meter
        self._asking = OneEach(patience_s)
        self._unjudged: dict[str, list[Liquidation]] = {}

    async def read(self, wanted: Mapping[str, Collection[str]]) -> None:
        """One tick; `wanted` are the symbols that somebody looks at, by exchange."""
        await self._asking.run({name: partial(self._ask, name, wanted[name]) for name in self._exchanges})
        for name in self._exchanges:
            await self._judge_prices(name)
        for name in self._exchanges:
            await self._judge_prints(name)
        await self._judge_time()

    async def _ask(self, name: str, wanted: Collection[str]) -> None:
        try:
            if await self._readers[name].ask_if_due(wanted):
                self._reach.answered(name)
        except ExchangeError as error:
            await self._reach.failed(name, error)

    async def _judge_prices(self, name: str) -> None:
        tick = self._readers[name].news()
        if not tick.symbols:
            return
        self._markets.take_prices(tick)
        combined = self._markets.combined_tick(tick)
        try:
            for prices in (tick, combined) if combined is not None else (tick,):
                await self._watch.take_prices(prices, now_ms=self._exchanges[name].server_now_ms())
        except StorageError as failure:
            log.log(_level(failure), "a tick could not be stored and is judged again: %s", failure)

    async def _judge_prints(self, name: str) -> None:
        """What the exchange's feed has brought since the last tick; what could not be stored comes again."""
        heard = self._meter.take(name)
        news = self._unjudged.pop(name, []) + [liquidation(one) for one in heard.prints]
        ends = [end_ms for _, end_ms in heard.stretches] + [one.time_ms for one in news]
        if not ends:
            return
        try:
            await self._watch.take_prints(name, news, heard_ms=max(ends))
        except StorageError as failure:
            self._unjudged[name] = news
            log.log(_level(failure), "liquidations could not be judged and are judged again: %s", failure)

    async def _judge_time(self) -> None:
        try:
            await self._watch.take_time()
        except StorageError as failure:
            log.log(_level(failure), "what is due by the clock could not be stored and is judged again: %s", failure)


def _level(failure: StorageError) -> int:
    """There is a tick every other second: what lasts is said once."""
    return logging.DEBUG if failure.told else logging.WARNING


def liquidation(one: Print) -> Liquidation:
    """A venue's print as the judgement takes it."""
    side = Side.LONG if one.is_long else Side.SHORT
    return Liquidation(one.time_ms, one.symbol, side, one.price, one.price * one.coins)
