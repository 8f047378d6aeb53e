"""The live state of each market that somebody watches or asked for: its history, its reading, its price."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.alerts.types import Market
from bot.clock import Clock
from bot.liquidation import History, RiskTier
from bot.liquidation.strength import ShareHistory
from bot.market.exchange import Exchange, ExchangeError
from bot.market.history import align
from bot.market.symbols import SymbolBook
from bot.market.types import BAR_MS, Instrument, Tick
from bot.reading import Reading, read_history
from bot.storage.database import Database

DAY_MS = 86_400_000
LEAST_BARS = 36
"""Three hours: below that a map says nothing about where anyone entered."""

LATE_ROWS_MS = 3_600_000
"""How far back the newest rows are asked for and read again: open interest may come late."""

log = logging.getLogger(__name__)


class NoMapError(Exception):
    """There is no map of this market now; `reason` is no_data or exchange_down."""

    def __init__(self, market: Market, reason: str) -> None:
        super().__init__(f"{market.exchange} {market.symbol}: {reason}")
        self.market = market
        self.reason = reason


@dataclass(slots=True)
class LiveMarket:
    """What is known now. `reading` is of the last closed bar in `history`; `price` is newer, seen at `price_ms`."""

    market: Market
    instrument: Instrument
    history: History
    reading: Reading
    price: float
    price_ms: int

    def extremes_since(self, time_ms: int) -> tuple[float, float]:
        """The lowest and highest price of the bars that opened at `time_ms` or later; NaN where there are none."""
        new = self.history.open_ms >= time_ms
        if not new.any():
            return np.nan, np.nan
        return float(self.history.low[new].min()), float(self.history.high[new].max())


class Markets:
    """Opens markets, keeps them up to date, and knows the contracts of every exchange."""

    def __init__(self, *, exchanges: Mapping[str, Exchange], db: Database, clock: Clock, history_days: int) -> None:
        self._exchanges = exchanges
        self._db = db
        self._clock = clock
        self._history_ms = history_days * DAY_MS
        self._live: dict[Market, LiveMarket] = {}
        self._shares: dict[Market, ShareHistory] = {}
        self._instruments: dict[str, Sequence[Instrument]] = {}
        self._tiers: dict[str, Mapping[str, Sequence[RiskTier]]] = {}
        self._locks: dict[Market, asyncio.Lock] = {}
        self._have: dict[tuple[str, Market], int] = {}
        self._noted: set[str] = set()
        self.book = SymbolBook(())

    async def refresh_instruments(self) -> None:
        """Read the lists of contracts and their risk tiers; an exchange that is down keeps its last ones."""
        for name, exchange in self._exchanges.items():
            try:
                self._instruments[name] = await exchange.instruments()
                self._tiers[name] = await exchange.risk_tiers()
            except ExchangeError as error:
                log.warning("contracts not refreshed: %s", error)
        self.book = SymbolBook(one for listed in self._instruments.values() for one in listed)

    def symbols(self) -> Sequence[str]:
        """Every listed symbol, in the exchanges' order."""
        return [one.symbol for listed in self._instruments.values() for one in listed]

    def get(self, market: Market) -> LiveMarket | None:
        """The market as last read, if it is open."""
        return self._live.get(market)

    async def open(self, market: Market) -> LiveMarket:
        """The market, its history fetched where it is not there yet. Raises NoMapError."""
        async with self._lock(market):
            return self._live.get(market) or await self._read(market)

    async def advance(self, market: Market) -> LiveMarket:
        """Fetch what is missing and read the market again. Raises NoMapError, and the old reading stays."""
        async with self._lock(market):
            return await self._read(market)

    async def fetch_bars(self, market: Market) -> None:
        """Fetch and store the closed bars that are missing. Raises ExchangeError."""
        start_ms, end_ms = self._window()
        await self._fetch_bars(market, start_ms, end_ms)

    async def read_within(self, market: Market, range_ms: int) -> Reading:
        """A reading that counts only positions opened within `range_ms`. Raises NoMapError."""
        live = await self.open(market)
        return await asyncio.to_thread(
            read_history,
            live.history,
            tiers=self._tiers_of(market),
            price=live.price,
            since_ms=live.history.end_ms - range_ms,
            shares=self._shares.get(market),
        )

    def take_prices(self, tick: Tick) -> None:
        """Remember the newest price of each open market."""
        at = {symbol: i for i, symbol in enumerate(tick.symbols)}
        for live in self._live.values():
            i = at.get(live.market.symbol) if live.market.exchange == tick.exchange else None
            if i is not None and tick.time_ms[i] >= live.price_ms:
                live.price, live.price_ms = float(tick.price[i]), int(tick.time_ms[i])

    async def _read(self, market: Market) -> LiveMarket:
        instrument = self.book.get(market.symbol, market.exchange)
        if instrument is None:
            raise NoMapError(market, "no_data")
        start_ms, end_ms = self._window()
        history = await self._history(market, start_ms, end_ms)
        if len(history) < LEAST_BARS:
            raise NoMapError(market, "no_data")
        shares = self._shares.setdefault(market, ShareHistory())
        reading = await asyncio.to_thread(read_history, history, tiers=self._tiers_of(market), shares=shares)
        shares.observe(reading.map.time_ms, reading.map.price, reading.clusters)
        known = self._live.get(market)
        price, price_ms = float(history.close[-1]), history.end_ms
        if known is not None and known.price_ms > price_ms:
            price, price_ms = known.price, known.price_ms
        live = LiveMarket(market, instrument, history, reading, price, price_ms)
        self._live[market] = live
        await self._db.maps.save(market, reading.map)
        return live

    async def _history(self, market: Market, start_ms: int, end_ms: int) -> History:
        """The history up to now: what is known already, with only its last hours read from the store again.

        With a history of its own a market outlives an exchange that is down; without one it has no map.
        """
        failed: ExchangeError | None = None
        try:
            await self._fetch_bars(market, start_ms, end_ms)
            await self._fetch_open_interest(market, start_ms, end_ms)
        except ExchangeError as error:
            log.warning("%s %s not brought up to date: %s", *market, error)
            failed = error
        known = self._live.get(market)
        from_ms = start_ms if known is None else max(start_ms, known.history.end_ms - LATE_ROWS_MS)
        bars = await self._db.series.load_bars(market, start_ms=from_ms, end_ms=end_ms)
        samples = await self._db.series.load_open_interest(market, start_ms=from_ms + 1, end_ms=end_ms + 1)
        if failed is not None and known is None and not len(bars):
            raise NoMapError(market, "exchange_down") from failed
        newest = align(bars, samples)
        return newest if known is None else spliced(known.history, newest, start_ms=start_ms, from_ms=from_ms)

    async def _fetch_bars(self, market: Market, start_ms: int, end_ms: int) -> None:
        from_ms = self._have.get(("bars", market))
        if from_ms is None:
            known = await self._db.series.load_bars(market, start_ms=start_ms, end_ms=end_ms)
            newest_ms = int(known.open_ms[-1]) + BAR_MS if len(known) else None
            from_ms = await self._first_missing("bars", market, start_ms, newest_ms)
        from_ms = max(from_ms, start_ms)
        if from_ms < end_ms:
            bars = await self._exchanges[market.exchange].bars(market.symbol, start_ms=from_ms, end_ms=end_ms)
            await self._db.series.save_bars({market: bars})
            await self._asked("bars", market, start_ms)
            from_ms = int(bars.open_ms[-1]) + BAR_MS if len(bars) else from_ms
        self._have["bars", market] = from_ms

    async def _fetch_open_interest(self, market: Market, start_ms: int, end_ms: int) -> None:
        """Ask from an hour before the last question: a row may come late, and one that never comes is given up."""
        from_ms = self._have.get(("open_interest", market))
        if from_ms is None:
            known = await self._db.series.load_open_interest(market, start_ms=start_ms + 1, end_ms=end_ms + 1)
            newest_ms = int(known.time_ms[-1]) if len(known) else None
            from_ms = await self._first_missing("open_interest", market, start_ms, newest_ms)
        from_ms = max(from_ms, start_ms)
        if from_ms < end_ms:
            samples = await self._exchanges[market.exchange].open_interest_history(
                market.symbol, start_ms=from_ms, end_ms=end_ms
            )
            await self._db.series.save_open_interest({market: samples})
            await self._asked("open_interest", market, start_ms)
            newest_ms = int(samples.time_ms[-1]) if len(samples) else from_ms
            from_ms = max(newest_ms, end_ms - LATE_ROWS_MS)
        self._have["open_interest", market] = from_ms

    async def _first_missing(self, what: str, market: Market, start_ms: int, newest_ms: int | None) -> int:
        """From when to ask: after the newest row, or from the start where it was never asked for so far back.

        A young contract has no rows at the start, so what was asked for is kept, not guessed from what came.
        """
        asked_ms = await self._db.kv.get(_asked_key(what, market))
        return start_ms if asked_ms is None or asked_ms > start_ms or newest_ms is None else newest_ms

    async def _asked(self, what: str, market: Market, start_ms: int) -> None:
        key = _asked_key(what, market)
        if key not in self._noted:
            asked_ms = await self._db.kv.get(key)
            if asked_ms is None or asked_ms > start_ms:
                await self._db.kv.set(key, start_ms)
            self._noted.add(key)

    def _window(self) -> tuple[int, int]:
        """The history in use: it begins at a midnight, so that the model's start moves once a day and not each bar."""
        end_ms = self._clock.now_ms() // BAR_MS * BAR_MS
        return (end_ms - self._history_ms + DAY_MS - 1) // DAY_MS * DAY_MS, end_ms

    def _tiers_of(self, market: Market) -> Sequence[RiskTier] | None:
        return self._tiers.get(market.exchange, {}).get(market.symbol)

    def _lock(self, market: Market) -> asyncio.Lock:
        return self._locks.setdefault(market, asyncio.Lock())


def spliced(old: History, new: History, *, start_ms: int, from_ms: int) -> History:
    """The rows of `old` from `start_ms` to `from_ms`, then `new`."""
    first, last = np.searchsorted(old.open_ms, (start_ms, from_ms))
    joined = {
        name: np.concatenate((getattr(old, name)[first:last], getattr(new, name)))
        for name in ("open_ms", "open", "high", "low", "close", "volume", "quote_volume", "open_interest")
    }
    return History(bar_ms=old.bar_ms, **joined)


def _asked_key(what: str, market: Market) -> str:
    return f"asked_from:{what}:{market.exchange}:{market.symbol}"
