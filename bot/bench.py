"""`liqwatch bench`: speed and memory as figures of one run on this machine; nothing here passes or fails."""

import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.alerts.types import Market
from bot.bench_delivery import FULL_DELIVERY, DeliveryLoad, Figures, measure_delivery
from bot.bench_matching import match_cost, median_s, rss_mb, ticks
from bot.bench_start import FULL_START, StartLoad, measure_start
from bot.bench_storage import measure_storage
from bot.bench_streams import PriceFrames, frames_cpu_share
from bot.charts import draw_heatmap, draw_map
from bot.hindsight import DAY_MS, Part, Past, play_heat
from bot.liquidation import DEFAULT, Bar, History, LiquidationMap, PositionModel
from bot.liquidation.clusters import find_zones
from bot.liquidation.score import nothing_printed
from bot.liquidation.touch import Volatility
from bot.market.types import BAR_MS
from bot.past_pictures import heat_picture
from bot.pictures import map_picture
from bot.reading import read_history, read_model
from bot.storage.scratch import scratch
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.texts import Catalogue

START_MS = 1_764_547_200_000
DAY_BARS = 288


@dataclass(frozen=True, slots=True)
class Load:
    """What is measured with: the contract's 30 days of bars, 500 symbols and 100,000 rules, unless a test asks less.

    `start` is how much a start from an empty database has to do, `delivery` how many alerts a price sets off.
    """

    bars: int = 8_640
    symbols: int = 500
    rules: int = 100_000
    most_runs: int = 200
    start: StartLoad = FULL_START
    delivery: DeliveryLoad = FULL_DELIVERY


FULL = Load()


def run_bench(*, database_url: str, json_output: bool, load: Load = FULL) -> Iterator[str]:
    """One JSON object, or a line a figure. What is stored is stored beside the database. Raises StorageError."""
    figures = measure(database_url, load)
    if json_output:
        yield json.dumps(figures)
        return
    for name, value in figures.items():
        yield f"{name:28} {value}"


def measure(database_url: str, load: Load = FULL) -> Figures:
    """Every figure of the contract that exists so far."""
    history = walk(load.bars, seed=1)
    model = PositionModel.rebuild(history)
    volatility = Volatility.from_closes(history.open_ms + BAR_MS, history.close)
    figures = {"map_rebuild_ms": 1e3 * median_s(lambda: PositionModel.rebuild(history), min(15, load.most_runs))}
    figures["map_increment_us"] = 1e6 * _increment_s(model, walk(load.most_runs, seed=2, start_ms=history.end_ms))
    figures["replay_bar_us"] = 1e6 * _replayed_bar_s(model, volatility, times=min(15, load.most_runs))
    figures["clusters_us"] = 1e6 * median_s(lambda: read_model(model, volatility), load.most_runs)
    figures["recompute_500_symbols_ms"] = 1e3 * _recompute_s(load)
    figures["tick_ms"] = 1e3 * median_s(ticks(load.symbols, load.rules), min(60, load.most_runs))
    figures["price_tick_parse_ms"] = 1e3 * _tick_parse_s(load)
    figures["stream_frames_cpu_share"] = statistics.median(frames_cpu_share(load.symbols) for _ in range(3))
    figures["chart_ms"] = 1e3 * _chart_s(model, volatility, times=min(10, load.most_runs))
    figures["heatmap_play_ms"], figures["heatmap_chart_ms"] = _heatmap_ms(history, min(10, load.most_runs))
    figures |= measure_start(load.start)
    with scratch(database_url) as url:
        figures |= measure_storage(url, runs=min(50, load.most_runs), bars=load.bars)
    with scratch(database_url) as url:
        delivered = measure_delivery(url, load.delivery)
    figures["rss_mb"] = rss_mb()
    figures["match_1m_rules_ms"], figures["match_1m_rules_mb"] = match_cost(
        load.symbols, 10 * load.rules, min(60, load.most_runs)
    )
    return {name: round(value, 3) for name, value in figures.items()} | delivered


def walk(bars: int, *, seed: int, start_ms: int = START_MS) -> History:
    """A random walk with volume and open interest, 5-minute bars."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.0015, bars)))
    before = np.concatenate(([100.0], close[:-1]))
    reach = 1.0 + np.abs(rng.normal(0.0, 0.001, bars))
    return History(
        bar_ms=BAR_MS,
        open_ms=start_ms + BAR_MS * np.arange(bars, dtype=np.int64),
        open=before,
        high=np.maximum(before, close) * reach,
        low=np.minimum(before, close) / reach,
        close=close,
        volume=rng.lognormal(7.0, 0.7, bars),
        quote_volume=np.full(bars, np.nan),
        open_interest=2e5 * np.exp(np.cumsum(rng.normal(0.0, 0.001, bars))),
    )


def _recompute_s(load: Load) -> float:
    """Every symbol's map from stored bars in memory, one after the other on one core."""
    histories = [walk(load.bars, seed=seed) for seed in range(8)]

    began = time.perf_counter()
    for number in range(load.symbols):
        read_history(histories[number % len(histories)], tiers=None)
    return time.perf_counter() - began


def _increment_s(model: PositionModel, new: History) -> float:
    columns = (new.open_ms, new.open, new.high, new.low, new.close, new.volume, new.quote_volume, new.open_interest)
    bars = iter([Bar(*row) for row in zip(*(column.tolist() for column in columns), strict=True)])

    def step() -> None:
        model.update(next(bars))
        model.map()

    return median_s(step, len(new) - 1)


def _replayed_bar_s(model: PositionModel, volatility: Volatility, *, times: int) -> float:
    """A bar of a replay below its alerts: a day's maps drawn at once, and the clusters found in them."""
    state, day = model.state(), walk(DAY_BARS, seed=3, start_ms=model.time_ms)

    def play() -> None:
        find_zones(PositionModel.restore(state).draw(day), day_volatility=np.full(DAY_BARS, volatility.day))

    return median_s(play, times) / DAY_BARS


def _tick_parse_s(load: Load) -> float:
    """One frame of the stream's mark prices of all symbols, into a tick."""
    prices = PriceFrames(load.symbols)
    runs = min(60, load.most_runs)
    frames = iter([prices.next_frame() for _ in range(runs + 1)])
    return median_s(lambda: prices.read(next(frames)), runs)


def _heatmap_ms(history: History, times: int) -> tuple[float, float]:
    """Playing the last three days of one venue, and drawing them."""
    part = Part("binance", history, None, DEFAULT)

    def look_back() -> tuple[tuple[LiquidationMap, ...], History]:
        return play_heat((part,), history, 3 * DAY_MS)

    maps, bars = look_back()
    reading = read_history(history, tiers=None)
    view = MarketView(
        market=Market("binance", "BTCUSDT"),
        base="BTC",
        tick_size=0.01,
        price=reading.map.price,
        price_ms=history.end_ms,
        map=reading.map,
        clusters=tuple(ClusterView(each, "", 0.0, ()) for each in reading.clusters),
        proven=True,
    )
    picture = heat_picture(
        Past(maps, bars, nothing_printed()),
        view,
        texts=Catalogue.english(),
        now_ms=history.end_ms,
        range_ms=3 * DAY_MS,
    )
    return 1e3 * median_s(look_back, min(times, 5)), 1e3 * median_s(lambda: draw_heatmap(picture), times)


def _chart_s(model: PositionModel, volatility: Volatility, *, times: int) -> float:
    reading = read_model(model, volatility)
    picture = map_picture(
        reading.map,
        reading.clusters,
        base="BTC",
        exchange="binance",
        tick_size=0.01,
        texts=Catalogue.english(),
        price=reading.map.price,
        now_ms=reading.map.time_ms,
        simulated=False,
        proven=True,
    )
    return median_s(lambda: draw_map(picture), times)
