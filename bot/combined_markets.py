"""One coin on several exchanges as one market, `Market("combined", symbol)`, beside the markets of each exchange."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any

import numpy as np

from bot.alerts.types import Market
from bot.combined import STALE_MS, VenueReading, add_up, in_units, lead_of
from bot.freshness import STALE_MS as PRICES_STALE_MS
from bot.history_store import NoMapError
from bot.liquidation.combining import COMBINED, LeftOut, VenuePart
from bot.liquidation.margin import RiskTier
from bot.liquidation.strength import ShareHistory
from bot.liquidation.values import replace
from bot.market.coins import Listing
from bot.market.exchange import Exchange
from bot.market.types import Instrument, Tick
from bot.markets import DrawnElsewhere, LiveMarket, Markets
from bot.reading import UNPROVEN, WINDOW, Calibration, Reading
from bot.storage.database import Database

PATIENCE_S = 20.0
"""How long one venue may keep the others waiting. It goes on loading, and joins the next map."""

SAME_ROUND_MS = 30_000
"""What was read so shortly before is of the same round of recomputes."""

Read = Callable[[Market], Coroutine[Any, Any, LiveMarket]]

log = logging.getLogger(__name__)


class CombinedMarkets(Markets):
    """`Markets` that opens, advances and reads combined markets too; what they are made of are markets as ever."""

    def __init__(
        self,
        *,
        exchanges: Mapping[str, Exchange],
        db: Database,
        history_days: int,
        calibration: Callable[[Market], Calibration] = lambda _: UNPROVEN,
        stale_ms: int = PRICES_STALE_MS,
        first_ms: int | None = None,
        patience_s: float = PATIENCE_S,
        elsewhere: DrawnElsewhere | None = None,
    ) -> None:
        """As `Markets`; `patience_s` is how long one venue may keep the others of a combination waiting."""
        super().__init__(
            exchanges=exchanges,
            db=db,
            history_days=history_days,
            calibration=calibration,
            stale_ms=stale_ms,
            first_ms=first_ms,
            elsewhere=elsewhere,
        )
        self._patience_s = patience_s
        self._sums: dict[Market, LiveMarket] = {}
        self._leads: dict[Market, tuple[Market, float]] = {}
        self._loading: dict[Market, asyncio.Task[LiveMarket]] = {}

    def combined(self, instrument: Instrument) -> Market | None:
        """The market of this coin on all exchanges; None where one alone lists it."""
        listings = self.book.everywhere(instrument)
        return Market(COMBINED, listings[0].instrument.symbol) if len(listings) > 1 else None

    def choices(self, market: Market) -> Sequence[Market]:
        """All exchanges together, then each that lists the coin; empty where no two do."""
        instrument = self.book.get(market.symbol, None if market.exchange == COMBINED else market.exchange)
        together = None if instrument is None else self.combined(instrument)
        return [] if together is None else [together, *map(_market, self._listings(together))]

    def parts(self, market: Market) -> Sequence[Market]:
        if market.exchange != COMBINED:
            return super().parts(market)
        instrument = self.book.get(market.symbol)
        return () if instrument is None else tuple(map(_market, self.book.everywhere(instrument)))

    async def open(self, market: Market) -> LiveMarket:
        if market.exchange != COMBINED:
            return await super().open(market)
        return await self._combine(market, super().open)

    async def advance(self, market: Market, *, unless_since_ms: int | None = None) -> LiveMarket:
        if market.exchange != COMBINED:
            return await super().advance(market, unless_since_ms=unless_since_ms)
        live = await self._combine(market, self._advanced)
        await self._db.maps.save(market, live.reading.map)
        return live

    async def tiers_of(self, market: Market) -> tuple[Market, Sequence[RiskTier] | None]:
        """Those of the largest exchange that has any, where it is a combined market. Raises NoMapError."""
        if market.exchange != COMBINED:
            return await super().tiers_of(market)
        reading = (await self.open(market)).reading
        for part in (Market(each.venue, each.symbol) for each in reading.parts if each.left_out is None):
            found = await super().tiers_of(part)
            if found[1]:
                return found
        return market, None

    async def read_within(self, market: Market, range_ms: int | None, *, window: float = WINDOW) -> Reading:
        if market.exchange != COMBINED:
            return await super().read_within(market, range_ms, window=window)
        listings = self._listings(market)
        venues, left_out = await self._venues(listings, super().open)
        read = super().read_within
        readings = await asyncio.gather(*(read(venue.live.market, range_ms, window=window) for venue in venues))
        venues = [replace(venue, reading=reading) for venue, reading in zip(venues, readings, strict=True)]
        return add_up(venues, left_out, shares=self._shares_of(market), at_prices=True)

    def get(self, market: Market) -> LiveMarket | None:
        return self._sums.get(market) if market.exchange == COMBINED else super().get(market)

    def let_go(self, *, watched: Collection[Market]) -> None:
        """Combined markets are kept while they are watched, and what they are made of with them."""
        self._sums = {market: live for market, live in self._sums.items() if market in watched}
        self._leads = {market: lead for market, lead in self._leads.items() if market in self._sums}
        parts = {Market(part.venue, part.symbol) for live in self._sums.values() for part in live.reading.parts}
        super().let_go(watched={*watched, *parts})

    def combined_tick(self, tick: Tick) -> Tick | None:
        """The prices of the open combined markets that this exchange leads; None where there is none among them."""
        at = {symbol: row for row, symbol in enumerate(tick.symbols)}
        led = [
            (market, at[lead.symbol], units)
            for market, (lead, units) in self._leads.items()
            if lead.exchange == tick.exchange and lead.symbol in at
        ]
        if not led:
            return None
        rows = np.array([row for _, row, _ in led])
        prices = tick.price[rows] * np.array([units for _, _, units in led])
        for (market, row, _), price in zip(led, prices.tolist(), strict=True):
            self._sums[market].price, self._sums[market].price_ms = price, int(tick.time_ms[row])
        return Tick(COMBINED, tuple(market.symbol for market, _, _ in led), tick.time_ms[rows], prices)

    async def aclose(self) -> None:
        """Give up what is still loading: before the exchanges and the database are closed."""
        loading = list(self._loading.values())
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)

    async def _combine(self, market: Market, read: Read) -> LiveMarket:
        listings = self._listings(market)
        venues, left_out = await self._venues(listings, read)
        shares, lead = self._shares_of(market), lead_of(venues)
        reading = add_up(venues, left_out, shares=shares)
        shares.observe(reading.map.time_ms, reading.map.price, reading.clusters)
        live = LiveMarket(
            market=market,
            instrument=replace(listings[0].instrument, exchange=COMBINED),
            history=in_units(lead.live.history, lead.units),
            reading=reading,
            price=lead.live.price * lead.units,
            price_ms=lead.live.price_ms,
            read_ms=lead.live.read_ms,
            whole=all(venue.live.whole for venue in venues),
        )
        self._sums[market], self._leads[market] = live, (lead.live.market, lead.units)
        return live

    async def _venues(self, listings: Sequence[Listing], read: Read) -> tuple[list[VenueReading], list[VenuePart]]:
        """The venues that have a map, and the others with what keeps them out. Raises NoMapError on none.

        One that keeps the others waiting too long is taken as it was last read.
        """
        tasks = {market: self._task(market, read) for market in map(_market, listings)}
        await asyncio.wait(tasks.values(), timeout=self._patience_s)
        found, left_out = list[VenueReading](), self._never_heard(listings[0].instrument.symbol)
        for listing, (market, task) in zip(listings, tasks.items(), strict=True):
            try:
                live = task.result() if task.done() else super().get(market)
            except NoMapError as error:
                left_out.append(VenuePart(*market, left_out=LeftOut(error.reason)))
                continue
            if live is None:
                left_out.append(VenuePart(*market, left_out=LeftOut.LOADING))
            else:
                found.append(VenueReading(live, live.reading, listings[0].units / listing.units))
        if not found:
            first = _market(listings[0])
            raise NoMapError(first, next(str(part.left_out) for part in left_out if part.venue == first.exchange))
        stale = [venue.part for venue in found if self._is_stale(venue.live)]
        if len(stale) == len(found):
            return found, left_out  # All are as late: their ages are told.
        fresh = [venue for venue in found if venue.part not in stale]
        return fresh, [*(replace(part, left_out=LeftOut.STALE) for part in stale), *left_out]

    def _never_heard(self, symbol: str) -> list[VenuePart]:
        """The exchanges that never told their contracts: whether they list the coin is not known, so they are named."""
        silent = [name for name in self._exchanges if name not in self._instruments]
        return [VenuePart(name, symbol, left_out=LeftOut.EXCHANGE_DOWN) for name in silent]

    def _task(self, market: Market, read: Read) -> asyncio.Task[LiveMarket]:
        """The reading of one venue, on its way; a slow one is waited for again, not asked again."""
        known = self._loading.get(market)
        if known is None:
            known = self._loading[market] = asyncio.create_task(read(market))
            known.add_done_callback(lambda task: self._loaded(market, task))
        return known

    def _loaded(self, market: Market, task: asyncio.Task[LiveMarket]) -> None:
        del self._loading[market]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("%s %s is not in the combined map: %s", *market, error)

    async def _advanced(self, market: Market) -> LiveMarket:
        """The market as of the newest closed bar; a rule of its own may have brought it there a moment ago."""
        return await super().advance(market, unless_since_ms=self._now_ms(market.exchange) - SAME_ROUND_MS)

    def _shares_of(self, market: Market) -> ShareHistory:
        return self._shares.setdefault(market, ShareHistory())

    def _is_stale(self, live: LiveMarket) -> bool:
        """Whether a venue's prices have stopped, or its bars."""
        exchange = live.market.exchange
        return self.stale_since_ms(exchange) is not None or self._now_ms(exchange) - live.history.end_ms > STALE_MS

    def _listings(self, market: Market) -> tuple[Listing, ...]:
        instrument = self.book.get(market.symbol)
        if instrument is None:
            raise NoMapError(market, "no_data")
        return self.book.everywhere(instrument)


def _market(listing: Listing) -> Market:
    return Market(listing.instrument.exchange, listing.instrument.symbol)
