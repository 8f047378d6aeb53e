"""`liqwatch map`: one map of one market, from a recording or from the exchange, as JSON, as words, as a picture."""

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from bot.alert_line import dump_line
from bot.alerts.tracks import match
from bot.alerts.types import Market, Track
from bot.charts import draw_map
from bot.clock import SystemClock
from bot.combined_markets import CombinedMarkets
from bot.failures import FailedError, UsageError
from bot.history_store import NoMapError
from bot.liquidation import Cluster, History
from bot.liquidation.combining import COMBINED
from bot.market.exchange import Exchange, KnowsPositions
from bot.market.recording import Recording
from bot.market.simulator import EXCHANGE as SIMULATED
from bot.market.types import BAR_MS, Instrument
from bot.markets import LEAST_BARS
from bot.pictures import map_picture
from bot.reading import Reading, distance_pct, map_json, read_history, touch_odds
from bot.recorded import open_recorded
from bot.recorded_lessons import RecordedLessons
from bot.settings import Settings
from bot.storage.database import Database
from bot.telegram.texts import Catalogue
from bot.telegram.texts.figures import Figures
from bot.telegram.venues import source_words
from bot.times import utc_text
from bot.venues import open_exchanges

DAY_MS = 86_400_000
HISTORY_MS = 30 * DAY_MS
LOADING_PATIENCE_S = 90.0
"""Everything is fetched anew: no venue is left out for being slower than others, unless it is broken."""

ACCOUNT_TURNS = 4
"""Some hundred accounts; with more, one map does without them."""

MOST_AGE_MS = DAY_MS
"""How long after its recording's end a market may still be asked for: the age is told with the map."""


@dataclass(frozen=True, slots=True)
class MapRequest:
    """What was asked for on the command line."""

    symbol: str
    recording: Path | None
    exchange: str | None
    at_ms: int | None
    range_ms: int | None
    png: Path | None
    json: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """One market read; `now_ms` is the moment it was asked for."""

    instrument: Instrument
    history: History
    reading: Reading
    now_ms: int

    @property
    def market(self) -> Market:
        return Market(self.instrument.exchange, self.instrument.symbol)


async def make_map(request: MapRequest, settings: Settings) -> Iterator[str]:
    """Lines to print; the picture is written first. Raises UsageError, FailedError, RecordingError."""
    found = await _live(request, settings) if request.recording is None else _recorded(request, request.recording)
    if request.png is not None:
        _write_picture(found, request.png, range_ms=request.range_ms)
    tracks = _tracks(found)
    if request.json:
        return iter([dump_line(map_json(found.market, found.reading, tracks, found.history, now_ms=found.now_ms))])
    return _words(found, tracks)


def _recorded(request: MapRequest, folder: Path) -> _Found:
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
    return _Found(instrument, history, reading, now_ms)


async def _live(request: MapRequest, settings: Settings) -> _Found:
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
            together = markets.combined(instrument) if markets.book.venue_named(asked) in (None, COMBINED) else None
            market = together or Market(instrument.exchange, instrument.symbol)
            for part in markets.parts(market):
                await _ask_accounts(exchanges[part.exchange])
            live = await markets.open(market)
            reading = live.reading if request.range_ms is None else await markets.read_within(market, request.range_ms)
            return _Found(live.instrument, live.history, reading, clock.now_ms())
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


def _tracks(found: _Found) -> tuple[Track, ...]:
    """The clusters with the names they would have, had the watch begun with this map."""
    drawn = found.reading.map
    return match(
        (),
        found.reading.clusters,
        market=found.market,
        slot_ms=drawn.time_ms,
        low=drawn.price,
        high=drawn.price,
        model_version=found.reading.version,
        mapped_before=False,
    )


def _write_picture(found: _Found, path: Path, *, range_ms: int | None) -> None:
    texts = Catalogue.load().texts("en")
    picture = map_picture(
        found.reading.map,
        found.reading.clusters,
        base=found.instrument.base,
        exchange=found.instrument.exchange,
        tick_size=found.instrument.tick_size,
        texts=texts,
        price=found.reading.map.price,
        now_ms=found.now_ms,
        simulated=found.market.exchange == SIMULATED,
        proven=found.reading.proven,
        range_ms=range_ms,
        parts=found.reading.parts,
        known_share=found.reading.known_share,
    )
    try:
        path.write_bytes(draw_map(picture))
    except OSError as error:
        raise UsageError(f"--png {path} cannot be written: {error.strerror}") from None


def _words(found: _Found, tracks: tuple[Track, ...]) -> Iterator[str]:
    texts = Catalogue.load().texts("en")
    figures, drawn = texts.figures, found.reading.map
    tick = found.instrument.tick_size
    moment = utc_text(drawn.time_ms)
    yield f"{' '.join(found.market)}  {moment}  price {figures.price(drawn.price, tick)}"
    bars, span_ms = len(found.history), found.history.end_ms - int(found.history.open_ms[0])
    missing = span_ms // found.history.bar_ms - bars
    if found.reading.parts:
        yield unescape(source_words(found.reading.parts, texts, why=True))
    if found.reading.known_share:
        yield f"{figures.percent(100 * found.reading.known_share)} of the open positions known exactly"
    yield f"open interest {drawn.open_interest}, {bars} bars of 5 minutes{f', {missing} missing' if missing else ''}"
    for track in sorted(tracks, key=lambda track: -track.cluster.peak):
        cluster = track.cluster
        odds = dict(touch_odds(cluster, drawn.price, found.reading.volatility))
        yield (
            f"{cluster.side.value:5}  {figures.band(cluster.low, cluster.high, tick):>22}  "
            f"{distance_pct(cluster, drawn.price):+6.2f} %  {_size(found.reading, cluster, figures):>8}  "
            f"strength {cluster.strength:3}  touch in 24 h {figures.odds(odds[24])}"
        )


def _size(reading: Reading, cluster: Cluster, figures: Figures) -> str:
    """In USD where the map is proven, else as a share of the side's positions."""
    named = reading.proven and reading.map.open_interest == "measured"
    return figures.money(cluster.usd) if named else figures.percent(100 * cluster.share)
