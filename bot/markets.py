"""The live state of each market that somebody watches or asked for: its history, its reading, its price."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from bot.alerts.types import Market
from bot.freshness import STALE_MS, Freshness
from bot.history_store import HistoryStore, NoMapError
from bot.lessons import Lessons
from bot.liquidation import DEFAULT, History, ModelParameters, RiskTier
from bot.liquidation.known import KnownPosition
from bot.liquidation.strength import ShareHistory
from bot.liquidation.touch import Volatility
from bot.live_market import LiveMarket
from bot.market.exchange import Exchange, ExchangeError, KnowsPositions
from bot.market.symbols import SymbolBook
from bot.market.types import BAR_MS, Instrument, Tick
from bot.reading import UNPROVEN, WINDOW, Calibration, Reading, draw_history, read_history, read_map
from bot.storage.database import Database
from bot.storage.drawings import Drawing

__all__ = ["DrawnElsewhere", "LiveMarket", "Markets"]

DAY_MS = 86_400_000
LEAST_BARS = 36
"""Three hours: below that a map says nothing about where anyone entered."""

KEPT_MS = 30 * DAY_MS
"""How long exchanges keep the history of open interest."""

FRESH_MS = 2 * BAR_MS
"""A market that nobody watches is read again when it is looked at after so long."""

NEWEST_MS = 499 * BAR_MS
"""The last day and a half: a page of bars at Binance's cheapest rate."""

log = logging.getLogger(__name__)

DrawnElsewhere = Callable[[Market, int], Awaitable[Drawing | None]]
"""The map of a market's bar that ended then, as another process drew it; None where nobody does."""


class Markets:
    """Opens markets, keeps them up to date, and knows the contracts of every exchange."""

    def __init__(
        self,
        *,
        exchanges: Mapping[str, Exchange],
        db: Database,
        history_days: int,
        calibration: Callable[[Market], Calibration] = lambda _: UNPROVEN,
        stale_ms: int = STALE_MS,
        first_ms: int | None = None,
        elsewhere: DrawnElsewhere | None = None,
    ) -> None:
        """`first_ms` is how much of its history a watched market's map waits for, where somebody fills in the rest.

        `elsewhere` is asked first for the map of a market that is watched.
        """
        self._elsewhere = elsewhere
        self._exchanges = exchanges
        self._calibration = calibration
        self._db = db
        self._history_ms = history_days * DAY_MS
        self._first_ms = first_ms
        self.histories = HistoryStore(exchanges, db)
        self.lessons = Lessons(db)
        self._live: dict[Market, LiveMarket] = {}
        self._shares: dict[Market, ShareHistory] = {}
        self._instruments: dict[str, Sequence[Instrument]] = {}
        self._tiers: dict[Market, Sequence[RiskTier]] = {}
        self._locks: dict[Market, asyncio.Lock] = {}
        self._drawing = asyncio.Lock()
        self._trouble: dict[str, str] = {}
        self.freshness = Freshness(exchanges, stale_ms=stale_ms)
        self.book = SymbolBook(())

    async def refresh_instruments(self) -> Sequence[str]:
        """Read the lists of contracts and their risk tiers; an exchange that is down keeps its last ones.

        Returns the names of the exchanges that answered. The same trouble with one is told once.
        """
        answered = []
        for name, exchange in self._exchanges.items():
            try:
                self._instruments[name] = await exchange.instruments()
            except ExchangeError as error:
                if self._trouble.get(name) != str(error):
                    self._trouble[name] = str(error)
                    log.warning("contracts not refreshed: %s", error)
            else:
                self._trouble.pop(name, None)
                answered.append(name)
        # In the order of the setting, however late an exchange came: the first answers for a coin's bare name.
        self._instruments = {name: self._instruments[name] for name in self._exchanges if name in self._instruments}
        self.book = SymbolBook(one for listed in self._instruments.values() for one in listed)
        return answered

    def unlisted(self) -> bool:
        """Whether some exchange has never told its contracts."""
        return len(self._instruments) < len(self._exchanges)

    def exchanges(self) -> Sequence[str]:
        """Every exchange that is read, in their order."""
        return tuple(self._exchanges)

    def symbols(self) -> Sequence[str]:
        """Every listed symbol, in the exchanges' order."""
        return [one.symbol for listed in self._instruments.values() for one in listed]

    def listed(self, exchange: str) -> Collection[str]:
        """The symbols that an exchange lists; empty before it has answered."""
        return {one.symbol for one in self._instruments.get(exchange, ())}

    def parts(self, market: Market) -> Sequence[Market]:
        """What a market is made of, each on one exchange: itself; nothing where its exchange is not in the settings."""
        return (market,) if market.exchange in self._exchanges else ()

    def get(self, market: Market) -> LiveMarket | None:
        """The market as last read, if it is open."""
        return self._live.get(market)

    def opened(self) -> Collection[Market]:
        """The markets that are open."""
        return self._live.keys()

    def calibration_of(self, market: Market) -> Calibration:
        """What the skill meter lends to this market's readings now."""
        return self._calibration(market)

    async def open(self, market: Market) -> LiveMarket:
        """The market, read where it is not open yet or was last read too long ago. Raises NoMapError."""
        async with self._lock(market):
            live = self._live.get(market)
            return live if live is not None and live.whole and not self._is_old(live) else await self._read(market)

    async def advance(self, market: Market, *, unless_since_ms: int | None = None) -> LiveMarket:
        """Fetch what is missing and read the market again, unless that was done since a time by its exchange's clock.

        Raises NoMapError, and the old reading stays.
        """
        known = self._since(market, unless_since_ms)
        drawing = None
        if known is None and self._elsewhere is not None:  # not under the lock: somebody may look at the market
            drawing = await self._elsewhere(market, self.window(market.exchange)[1])
        async with self._lock(market):
            known = self._since(market, unless_since_ms)
            if known is not None:
                return known
            if drawing is not None and (live := await self._adopt(market, drawing)) is not None:
                return live
            return await self._read(market, first_ms=self._first_ms)

    def _since(self, market: Market, time_ms: int | None) -> LiveMarket | None:
        live = self._live.get(market)
        return live if live is not None and time_ms is not None and live.read_ms >= time_ms else None

    async def draw(self, market: Market, end_ms: int) -> Drawing:
        """The map of the bar that ended at `end_ms`, for another process to read. Raises NoMapError.

        Nothing is remembered between two maps: they are the same whichever process draws them.
        """
        start_ms = self.window(market.exchange)[0]
        async with self._lock(market):
            self.histories.look_again(market)
            fill_from_ms = start_ms if self._first_ms is None else end_ms - self._first_ms
            history = await self.histories.up_to_date(market, start_ms, end_ms, fill_from_ms=fill_from_ms)
            if len(history) < LEAST_BARS:
                raise NoMapError(market, "no_data")
            tiers, calibration = await self._tiers_of(market), self._calibration(market)
            whole = self._first_ms is None or await self.histories.is_whole(market, start_ms, end_ms)
            parameters = await self.lessons.attend(market, history, tiers, anew=True) if whole else DEFAULT
            async with self._drawing:
                drawn, version = await asyncio.to_thread(
                    draw_history, history, tiers=tiers, parameters=parameters, calibration=calibration
                )
        return Drawing(drawn, version, len(history), whole, parameters)

    def let_go(self, *, watched: Collection[Market]) -> None:
        """Forget the markets that nobody watches and nobody looked at lately; the database keeps their history."""
        for live in list(self._live.values()):
            if live.market not in watched and self._is_old(live):
                del self._live[live.market]

    async def fetch_newest(self, market: Market) -> None:
        """Store the newest closed bars, and the open interest at the last one's close. Raises ExchangeError."""
        start_ms, end_ms = self.window(market.exchange)
        await self.histories.fill_bars(market, max(start_ms, end_ms - NEWEST_MS), end_ms)
        await self.histories.sample_open_interest(market, end_ms)

    async def read_within(self, market: Market, range_ms: int | None, *, window: float = WINDOW) -> Reading:
        """A reading as far as `window` that counts only positions opened within `range_ms`. Raises NoMapError."""
        live = await self.open(market)
        tiers = await self._tiers_of(market)
        # Threads that make maps side by side contend for the interpreter: one by one takes two thirds of the time.
        async with self._drawing:
            return await asyncio.to_thread(
                read_history,
                live.history,
                tiers=tiers,
                parameters=live.parameters,
                price=live.price,
                since_ms=None if range_ms is None else live.history.end_ms - range_ms,
                shares=self._shares.get(market),
                calibration=self._calibration(market),
                known=self._known_positions(market) if range_ms is None else (),
                window=window,
            )

    async def tiers_of(self, market: Market) -> tuple[Market, Sequence[RiskTier] | None]:
        """The risk tiers that a position in this market would have, and the market that they are of."""
        return market, await self._tiers_of(market)

    def take_prices(self, tick: Tick) -> None:
        """Remember the newest price of each open market."""
        if len(tick.time_ms):
            self.freshness.take(tick.exchange, int(tick.time_ms.max()))
        at = {symbol: i for i, symbol in enumerate(tick.symbols)}
        for live in self._live.values():
            i = at.get(live.market.symbol) if live.market.exchange == tick.exchange else None
            if i is not None and tick.time_ms[i] >= live.price_ms:
                live.price, live.price_ms = float(tick.price[i]), int(tick.time_ms[i])

    def newest_price_ms(self, exchange: str) -> int | None:
        """When an exchange's newest price was seen, by its own clock."""
        return self.freshness.newest_ms(exchange)

    def stale_since_ms(self, exchange: str) -> int | None:
        """Since when an exchange gives no new prices, by its own clock; None while it does."""
        return self.freshness.stale_since_ms(exchange)

    def newest_bar_ms(self, exchange: str) -> int | None:
        """When the newest closed bar of any open market of an exchange ended."""
        return max(
            (live.history.end_ms for live in self._live.values() if live.market.exchange == exchange), default=None
        )

    def missing_bars(self, exchange: str) -> int:
        """How many bars are missing inside the histories of an exchange's open markets."""
        lives = [live.history for live in self._live.values() if live.market.exchange == exchange]
        return sum((one.end_ms - int(one.open_ms[0])) // one.bar_ms - len(one) for one in lives)

    def _instrument(self, market: Market) -> Instrument:
        instrument = self.book.get(market.symbol, market.exchange)
        if instrument is None:
            unlisted = market.exchange in self._exchanges and not self.listed(market.exchange)
            raise NoMapError(market, "exchange_down" if unlisted else "no_data")
        return instrument

    async def _adopt(self, market: Market, drawing: Drawing) -> LiveMarket | None:
        """The market with a map that was drawn elsewhere; None where it has a newer one, or nothing that goes with it.

        Its history is in store by now; what only the judge knows is added here, in the order of the bars.
        """
        known, end_ms = self._live.get(market), drawing.map.time_ms
        if known is not None and known.history.end_ms > end_ms:
            return None
        instrument, start_ms = self._instrument(market), self.window(market.exchange)[0]
        self.histories.look_again(market)
        history = await self.histories.stored(market, start_ms, end_ms, known=known.history if known else None)
        if len(history) != drawing.bars:  # older parts have come in since
            history = await self.histories.stored(market, start_ms, end_ms)
        if len(history) < LEAST_BARS or history.end_ms != end_ms:
            return None
        shares, tiers = self._shares.setdefault(market, ShareHistory()), await self._tiers_of(market)
        reading = await asyncio.to_thread(
            read_map,
            drawing.map,
            drawing.version,
            Volatility.from_closes(history.open_ms + history.bar_ms, history.close),
            shares=shares,
            calibration=self._calibration(market),
            known=self._known_positions(market),
        )
        return await self._keep(market, instrument, history, reading, tiers, drawing.whole, drawing.parameters)

    async def _read(self, market: Market, *, first_ms: int | None = None) -> LiveMarket:
        instrument = self._instrument(market)
        start_ms, end_ms = self.window(market.exchange)
        known = self._live.get(market)
        history = await self.histories.up_to_date(
            market,
            start_ms,
            end_ms,
            known=known.history if known else None,
            fill_from_ms=start_ms if first_ms is None else end_ms - first_ms,
        )
        if len(history) < LEAST_BARS:
            raise NoMapError(market, "no_data")
        shares, tiers = self._shares.setdefault(market, ShareHistory()), await self._tiers_of(market)
        calibration = self._calibration(market)
        whole = first_ms is None or await self.histories.is_whole(market, start_ms, end_ms)
        parameters = await self.lessons.attend(market, history, tiers) if whole else DEFAULT
        async with self._drawing:
            reading = await asyncio.to_thread(
                read_history,
                history,
                tiers=tiers,
                parameters=parameters,
                shares=shares,
                calibration=calibration,
                known=self._known_positions(market),
            )
        return await self._keep(market, instrument, history, reading, tiers, whole, parameters)

    async def _keep(
        self,
        market: Market,
        instrument: Instrument,
        history: History,
        reading: Reading,
        tiers: Sequence[RiskTier] | None,
        whole: bool,
        parameters: ModelParameters,
    ) -> LiveMarket:
        known = self._live.get(market)
        self._shares[market].observe(reading.map.time_ms, reading.map.price, reading.clusters)
        price, price_ms = float(history.close[-1]), history.end_ms
        if known is not None and known.price_ms > price_ms:
            price, price_ms = known.price, known.price_ms
        read_ms = self._now_ms(market.exchange)
        live = LiveMarket(market, instrument, history, reading, price, price_ms, read_ms, tiers, whole, parameters)
        self._live[market] = live
        await self._db.maps.save(market, reading.map)
        return live

    def _known_positions(self, market: Market) -> Sequence[KnownPosition]:
        """What accounts are known to hold of the contract, where its exchange tells."""
        exchange = self._exchanges[market.exchange]
        return exchange.known_positions(market.symbol) if isinstance(exchange, KnowsPositions) else ()

    def _is_old(self, live: LiveMarket) -> bool:
        return self._now_ms(live.market.exchange) - live.read_ms > FRESH_MS

    def _now_ms(self, exchange: str) -> int:
        """Now, by the exchange's clock."""
        return self._exchanges[exchange].server_now_ms()

    def window(self, exchange: str) -> tuple[int, int]:
        """The history in use, by the exchange's clock.

        It begins at a midnight, so that the model's start moves once a day and not each bar: the one before the asked
        length, or after it where open interest is kept no longer.
        """
        end_ms = self._now_ms(exchange) // BAR_MS * BAR_MS
        kept_ms = -((KEPT_MS - end_ms) // DAY_MS) * DAY_MS
        return max((end_ms - self._history_ms) // DAY_MS * DAY_MS, kept_ms), end_ms

    async def _tiers_of(self, market: Market) -> Sequence[RiskTier] | None:
        """The contract's risk tiers, the last known where the exchange does not tell; None: a large contract's."""
        try:
            self._tiers[market] = await self._exchanges[market.exchange].risk_tiers_of(market.symbol)
        except ExchangeError as error:
            log.warning("risk tiers of %s %s not read: %s", *market, error)
        return self._tiers.get(market) or None

    def _lock(self, market: Market) -> asyncio.Lock:
        return self._locks.setdefault(market, asyncio.Lock())
