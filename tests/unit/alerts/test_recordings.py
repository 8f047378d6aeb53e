"""On a real market: few alerts, and identities that stay."""

import gzip
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from bot.alerts import MapReading, parse_watch
from bot.alerts.types import CloseReason, Event, Kind, Market, Track
from bot.liquidation import Bar, PositionModel
from bot.liquidation.clusters import find_clusters
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, Floats, History
from bot.liquidation.values import replace
from tests.shared import SHARED, needs_shared
from tests.unit.alerts.scenes import SLOT, Bench

pytestmark = needs_shared

DAYS = 6
WARM_UP = 288
QUARTER_MS = SLOT // 4


def columns(name: str, symbol: str) -> Floats:
    path = SHARED / "recordings" / "binance" / symbol / f"{name}.csv.gz"
    with gzip.open(path, "rt") as lines:
        return np.loadtxt(lines, delimiter=",", skiprows=1, max_rows=WARM_UP + DAYS * 288)


def maps(symbol: str) -> Iterator[tuple[int, list[float], tuple[Cluster, ...]]]:
    """Bar by bar: its close time, its open, high, low and close, and the clusters then."""
    bars, interest = columns("bars_5m", symbol), columns("open_interest_5m", symbol)
    coins_at = dict(zip(interest[:, 0].astype(int).tolist(), interest[:, 1].tolist(), strict=True))
    coins = np.array([coins_at.get(int(open_ms) + SLOT, np.nan) for open_ms in bars[:, 0]])
    opened = bars[:, 0].astype(np.int64)
    past = bars[:WARM_UP].T
    history = History(
        bar_ms=SLOT,
        open_ms=opened[:WARM_UP],
        open=past[1],
        high=past[2],
        low=past[3],
        close=past[4],
        volume=past[5],
        quote_volume=np.full(WARM_UP, np.nan),
        open_interest=coins[:WARM_UP],
    )
    model = PositionModel.rebuild(history)
    volatility = Volatility.from_closes(history.open_ms + SLOT, history.close)
    for row, open_ms, held in zip(bars[WARM_UP:].tolist(), opened[WARM_UP:].tolist(), coins[WARM_UP:], strict=True):
        first, high, low, close, volume = row[1:6]
        model.update(Bar(open_ms, first, high, low, close, volume, open_interest=float(held)))
        volatility = volatility.updated(open_ms + SLOT, close)
        yield open_ms + SLOT, [first, high, low, close], find_clusters(model.map(), day_volatility=volatility.day)


@cache
def replayed(symbol: str) -> tuple[tuple[Event, ...], tuple[tuple[Track, float], ...], float]:
    """Alerts, closed tracks with the price at their end, and cluster-days, with a tick at each turn of a bar."""
    market = Market("binance", symbol)
    rules = [parse_watch(line, lambda _: market) for line in (f"{symbol} 1%", f"{symbol} grow 30% 4h")]
    assert all(isinstance(drafts, tuple) for drafts in rules)
    numbered = [replace(drafts[0], id=i) for i, drafts in enumerate(rules, 1) if isinstance(drafts, tuple)]
    bench = Bench(*numbered, tick_ms=QUARTER_MS)
    closed: list[tuple[Track, float]] = []
    lived = 0.0
    for slot_ms, (opened, high, low, close), clusters in maps(symbol):
        turns = (low, high) if close >= opened else (high, low)
        for i, price in enumerate((opened, *turns, close), 1):
            bench.tick(slot_ms - SLOT + i * QUARTER_MS, price, market=market)
        found = MapReading(market, slot_ms, slot_ms, clusters, close, low, high, slot_ms, "1", "measured")
        closed += [(track, close) for track in bench.map(found).tracks if track.closed is not None]
        lived += len(clusters) / 288
    return tuple(bench.store.events), tuple(closed), lived


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_a_normal_proximity_rule_alerts_at_most_six_times_a_day(symbol: str) -> None:
    events, _, _ = replayed(symbol)
    days = Counter(event.time_ms // 86_400_000 for event in events if event.kind is Kind.PROXIMITY)
    assert 1 <= sum(days.values()) / DAYS <= 6


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_identities_do_not_flicker(symbol: str) -> None:
    """Lost: a track that faded though its place is inside the map's window of 12 %."""
    _, closed, lived = replayed(symbol)
    lost = [
        track
        for track, price in closed
        if track.closed is CloseReason.FADED and abs(math.log(track.cluster.peak / price)) < 0.115
    ]
    assert lived > 10
    assert len(lost) / lived <= 0.3


def test_a_replay_gives_the_same_alerts_again() -> None:
    first = replayed("ETHUSDT")
    replayed.cache_clear()
    assert replayed("ETHUSDT") == first
