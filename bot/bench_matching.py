"""What it costs to hold prices against very many rules, in time and in memory."""

import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from bot.alerts.engine import Engine
from bot.alerts.readings import MapReading
from bot.alerts.types import Kind, Market, Rule
from bot.liquidation import MODEL_VERSION, Cluster, Side

START_MS = 1_764_547_200_000
TICK_MS = 2_000
WILD_STEP = 0.0005
"""Standard deviation of a tick's log return: prices that move 10 % a day."""
USUAL_STEP = 0.00015
"""3 % a day."""


def ticks(symbols: int, rules: int, *, step: float = WILD_STEP) -> Callable[[], None]:
    """One tick after the other over all symbols and their proximity rules; those that come near enough fire."""
    rng = np.random.default_rng(3)
    names = tuple(f"S{number:03}USDT" for number in range(symbols))
    markets = [Market("bench", name) for name in names]
    engine = Engine(
        Rule(number, number % 5_000, markets[number % symbols], Kind.PROXIMITY, threshold_pct=percent)
        for number, percent in enumerate(rng.uniform(0.2, 5.0, rules).round(2).tolist(), start=1)
    )
    clusters = tuple(
        Cluster(side, level * 0.995, level * 1.005, level, 1e7, 0.2, 80)
        for side, level in ((Side.LONG, 92.0), (Side.LONG, 96.0), (Side.SHORT, 104.0), (Side.SHORT, 108.0))
    )
    for market in markets:
        engine.apply(engine.evaluate_map(map_at_100(market, clusters, START_MS)))
    prices = np.full(symbols, 100.0)
    now_ms = START_MS

    def tick() -> None:
        nonlocal prices, now_ms
        prices = prices * np.exp(rng.normal(0.0, step, symbols))
        now_ms += TICK_MS
        times = np.full(symbols, now_ms, dtype=np.int64)
        engine.apply(engine.evaluate_tick("bench", names, prices, times, now_ms=now_ms))

    return tick


def match_cost(symbols: int, rules: int, runs: int) -> tuple[float, float]:
    """Median milliseconds of a tick in a market of usual moves, and the memory in MB that the rules took."""
    before_mb = rss_mb()
    tick = ticks(symbols, rules, step=USUAL_STEP)
    tick_ms = 1e3 * median_s(tick, runs)
    return tick_ms, max(rss_mb() - before_mb, 0.001)


def median_s(work: Callable[[], object], times: int, *, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median seconds by `clock` of one run of `work`, after one that does not count."""
    work()
    gc.collect()
    taken = []
    for _ in range(times):
        began = clock()
        work()
        taken.append(clock() - began)
    return statistics.median(taken)


def rss_mb() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)


def map_at_100(market: Market, clusters: tuple[Cluster, ...], time_ms: int) -> MapReading:
    """A recompute with these clusters around a price of 100."""
    return MapReading(
        market=market,
        slot_ms=time_ms,
        now_ms=time_ms,
        clusters=clusters,
        price=100.0,
        low=100.0,
        high=100.0,
        map_ms=time_ms,
        model_version=MODEL_VERSION,
        open_interest="measured",
    )
