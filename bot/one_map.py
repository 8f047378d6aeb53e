"""`liqwatch map`: one map of one market, from a recording or from the exchange, as JSON, as words, as a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from bot.alert_line import dump_line
from bot.alerts.tracks import match
from bot.alerts.types import Track
from bot.charts import Picture, draw
from bot.failures import UsageError
from bot.found_market import FoundMarket, MarketRequest, find_market
from bot.hindsight import Past, parted, play_heat
from bot.liquidation import Cluster
from bot.market.types import SIMULATED
from bot.past_pictures import heat_picture
from bot.pictures import map_picture
from bot.reading import Reading, distance_pct, map_json, touch_odds
from bot.settings import Settings
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.texts import Catalogue
from bot.telegram.texts.figures import Figures
from bot.telegram.venues import source_words
from bot.times import utc_text

HEAT_RANGE_MS = 3 * 86_400_000
"""How far back a heatmap looks where no range is asked for."""


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
    heatmap: bool = False
    by_leverage: bool = False


async def make_map(request: MapRequest, settings: Settings) -> Iterator[str]:
    """Lines to print; the picture is written first. Raises UsageError, FailedError, RecordingError."""
    asked = MarketRequest(
        symbol=request.symbol,
        recording=request.recording,
        exchange=request.exchange,
        at_ms=request.at_ms,
        range_ms=request.range_ms,
    )
    found = await find_market(asked, settings)
    if request.png is not None:
        write_png(_picture(found, request), request.png)
    tracks = _tracks(found)
    if request.json:
        return iter([dump_line(map_json(found.market, found.reading, tracks, found.history, now_ms=found.now_ms))])
    return _words(found, tracks)


def _tracks(found: FoundMarket) -> tuple[Track, ...]:
    """The clusters with the names they would have, had the watch begun with this map."""
    drawn = found.reading.map
    return match(
        (),
        found.clusters,
        market=found.market,
        slot_ms=drawn.time_ms,
        low=drawn.price,
        high=drawn.price,
        model_version=found.reading.version,
        mapped_before=False,
    )


def _picture(found: FoundMarket, request: MapRequest) -> Picture:
    """The map, or how it came to be."""
    texts = Catalogue.english()
    if request.heatmap:
        range_ms = HEAT_RANGE_MS if request.range_ms is None else request.range_ms
        maps, bars = play_heat(found.parts, found.history, range_ms)
        past = Past(maps, bars, found.prints)
        return heat_picture(past, found_view(found), texts=texts, now_ms=found.now_ms, range_ms=range_ms)
    return map_picture(
        found.reading.map,
        found.clusters,
        base=found.instrument.base,
        exchange=found.instrument.exchange,
        tick_size=found.instrument.tick_size,
        texts=texts,
        price=found.reading.map.price,
        now_ms=found.now_ms,
        simulated=found.market.exchange == SIMULATED,
        proven=found.reading.proven,
        range_ms=request.range_ms,
        parts=found.reading.parts,
        known_share=found.reading.known_share,
        layers=parted(found.parts, found.reading.map, request.range_ms) if request.by_leverage else (),
    )


def found_view(found: FoundMarket) -> MarketView:
    """What the bot would show of the market."""
    reading, price = found.reading, found.reading.map.price
    return MarketView(
        market=found.market,
        base=found.instrument.base,
        tick_size=found.instrument.tick_size,
        price=price,
        price_ms=reading.map.time_ms,
        map=reading.map,
        clusters=tuple(
            ClusterView(each, "", distance_pct(each, price), touch_odds(each, price, reading.volatility))
            for each in found.clusters
        ),
        simulated=found.market.exchange == SIMULATED,
        proven=reading.proven,
        parts=reading.parts,
        known_share=reading.known_share,
    )


def write_png(picture: Picture, path: Path) -> None:
    """Draw a picture into a file. Raises UsageError."""
    try:
        path.write_bytes(draw(picture))
    except OSError as error:
        raise UsageError(f"--png {path} cannot be written: {error.strerror}") from None


def _words(found: FoundMarket, tracks: tuple[Track, ...]) -> Iterator[str]:
    texts = Catalogue.english()
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
