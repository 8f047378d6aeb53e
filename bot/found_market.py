"""One market, looked up for one command: in a recording, or live on every exchange that the settings name."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from bot.alerts.types import Market
from bot.clock import SystemClock
from bot.combined_markets import CombinedMarkets
from bot.failures import FailedError, UsageError
from bot.hindsight import Hindsight, Part
from bot.history_store import NoMapError
from bot.liquidation import Cluster, History, LiquidationPrints, RiskTier
from bot.liquidation.combining import COMBINED
from bot.liquidation.confluence import Surroundings
from bot.liquidation.ground import Ground
from bot.liquidation.landmarks import Landmarks
from bot.liquidation.score import nothing_printed
from bot.market.exchange import Exchange, KnowsPositions
from bot.market.recorded_books import newest_book
from bot.market.recording import Recording
from bot.market.types import BAR_MS, Depth, Instrument
from bot.markets import LEAST_BARS
from bot.order_books import OrderBooks
from bot.reading import WIDE_WINDOW, Reading, ground_of, read_history
from bot.recorded import open_recorded
from bot.recorded_lessons import RecordedLessons
from bot.settings import Settings
from bot.storage.database import Database
from bot.times import utc_text
from bot.venues import open_exchanges

DAY_MS = 86_400_000
HISTORY_MS = 30 * DAY_MS
LOADING_PATIENCE_S = 90.0
"""Everything is fetched anew: no venue is left out for being slower than others, unless it is broken."""

ACCOUNT_TURNS = 4
"""Some hundred accounts; with more, one map does without them."""

MOST_BOOK_AGE_MS = BAR_MS
"""An order book of another time tells nothing of this one."""

MOST_AGE_MS = DAY_MS
"""How long after its recording's end a market may still be asked for: the age is told with the map."""


@dataclass(frozen=True, slots=True)
class MarketRequest:
    """Which market, from where, and when. With `wide` its map is read a second time, as far as any position reaches.

    With `book` it is one exchange's market, with its order book beside.
    """

    symbol: str
    recording: Path | None = None
    exchange: str | None = None
    at_ms: int | None = None
    range_ms: int | None = None
    wide: bool = False
    book: bool = False


@dataclass(frozen=True, slots=True)
class FoundMarket:
    """One market read; `now_ms` is the moment it was asked for.

    `tiers` are those of `tiers_from`: of a combined market's largest exchange; None where none are known. `wide` is
    the reading itself where no wider one was asked for. `parts` are what its past is played with, `prints` the
    liquidations that are known of it; `depth` is None where it was not asked for, or there is none but a thin one.
    """

    instrument: Instrument
    history: History
    reading: Reading
    now_ms: int
    tiers_from: Market
    tiers: Sequence[RiskTier] | None
    wide: Reading
    parts: tuple[Part, ...] = ()
    prints: LiquidationPrints = field(default_factory=nothing_printed)
    depth: Depth | None = None

    @property
    def market(self) -> Market:
        return Market(self.instrument.exchange, self.instrument.symbol)

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """The reading's, with what else stands at their near edges."""
        books = () if self.depth is None else (self.depth,)
        day_volatility = self.reading.volatility.day
        return Surroundings(lambda: Landmarks(self.history), day_volatility=day_volatility, books=books).marked(
            self.reading.clusters
        )

    @property
    def ground(self) -> Ground:
        return ground_of(self.reading.map, self.clusters, self.wide)


async def find_market(request: MarketRequest, settings: Settings) -> FoundMarket:
    """Look it up. Raises UsageError, FailedError, RecordingError."""
    return await _live(request, settings) if request.recording is None else _recorded(request, request.recording)


def _recorded(request: MarketRequest, folder: Path) -> FoundMarket:
    recorded = open_recorded(Recording(folder))
    instrument = recorded.instrument(request.symbol, request.exchange)
    market = Market(instrument.exchange, instrument.symbol)
    whole = recorded.history(market)
    if len(whole) < LEAST_BARS:
        raise UsageError(
            f"a map takes {LEAST_BARS} bars of 5 minutes or more, and the recording of {market.symbol} has {len(whole)}"
        )
    now_ms = whole.end_ms if request.at_ms is None else request.at_ms
    history = whole.within(now_ms - HISTORY_MS, now_ms)
    first_ms = int(whole.open_ms[LEAST_BARS - 1]) + BAR_MS
    if now_ms > whole.end_ms + MOST_AGE_MS or len(history) < LEAST_BARS:
        raise UsageError(
            f"--at takes a time from {utc_text(first_ms)} to {utc_text(whole.end_ms)}, of which the recording of "
            f"{market.symbol} can tell, not {utc_text(now_ms)}"
        )
    since_ms = None if request.range_ms is None else history.end_ms - request.range_ms
    tiers = recorded.tiers_of(market)
    lessons = RecordedLessons(recorded, market, history)
    lessons.learn(len(history))
    reading = read_history(history, tiers=tiers, parameters=lessons.parameters, since_ms=since_ms)
    wide = reading
    if request.wide:
        wide = read_history(history, tiers=tiers, parameters=lessons.parameters, since_ms=since_ms, window=WIDE_WINDOW)
    books = recorded.recording.books(*market) if request.book else ()
    depth = newest_book(books, now_ms, within_ms=MOST_BOOK_AGE_MS)
    if depth is not None and depth.is_thin:
        depth = None
    part = Part(market.exchange, history, tiers, lessons.parameters)
    prints = lessons.prints.between(0, now_ms)
    return FoundMarket(instrument, history, reading, now_ms, market, tiers, wide, (part,), prints, depth)


async def _live(request: MarketRequest, settings: Settings) -> FoundMarket:
    if request.at_ms is not None:
        raise UsageError("--at goes with --recording: the live map is of now")
    if request.exchange is not None and request.exchange not in settings.exchanges:
        raise UsageError(f"--exchange takes one of {', '.join(settings.exchanges)}, not '{request.exchange}'")
    clock = SystemClock()
    exchanges = open_exchanges(settings, clock=clock)
    try:
        async with await Database.open("sqlite://") as db, aclosing(_markets(exchanges, db, settings)) as markets:
            await markets.refresh_instruments()
            if not markets.symbols():
                raise FailedError(
                    f"no exchange answers ({', '.join(exchanges)}): check the network with liqwatch doctor"
                )
            asked = request.symbol if request.exchange is None else f"{request.exchange}:{request.symbol}"
            instrument = markets.book.resolve(asked)
            if instrument is None:
                near = ", ".join(markets.book.nearest(request.symbol))
                raise UsageError(f"no exchange lists '{request.symbol}'; the nearest are {near}")
            alone = request.book or markets.book.venue_named(asked) not in (None, COMBINED)
            together = None if alone else markets.combined(instrument)
            market = together or Market(instrument.exchange, instrument.symbol)
            for part in markets.parts(market):
                await _ask_accounts(exchanges[part.exchange])
            live = await markets.open(market)
            reading = live.reading if request.range_ms is None else await markets.read_within(market, request.range_ms)
            wide = reading
            if request.wide:
                wide = await markets.read_within(market, request.range_ms, window=WIDE_WINDOW)
            tiers_from, tiers = await markets.tiers_of(market)
            depth = await OrderBooks(exchanges, clock).read(market) if request.book else None
            _, parts = await Hindsight(markets, db).parts_of(market)
            return FoundMarket(
                live.instrument,
                live.history,
                reading,
                clock.now_ms(),
                tiers_from,
                tiers or None,
                wide,
                tuple(parts),
                depth=depth,
            )
    except NoMapError as error:
        raise FailedError(f"there is no map of {error.market.symbol} now: {error.reason.replace('_', ' ')}") from None
    finally:
        for exchange in exchanges.values():
            await exchange.aclose()


def _markets(exchanges: Mapping[str, Exchange], db: Database, settings: Settings) -> CombinedMarkets:
    return CombinedMarkets(
        exchanges=exchanges, db=db, history_days=settings.history_days, patience_s=LOADING_PATIENCE_S
    )


async def _ask_accounts(exchange: Exchange) -> None:
    """What known accounts hold, where they are few enough to be asked while somebody waits."""
    if isinstance(exchange, KnowsPositions):
        for _ in range(ACCOUNT_TURNS):
            if await exchange.ask_accounts():
                return
