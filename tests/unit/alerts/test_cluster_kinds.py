"""Kinds that speak of one cluster: nearness in ATRs and odds, new, swept, what follows a sweep. Tables."""

import math

import pytest

from bot.alerts.types import Event, Kind, Phase, Severity, Unit
from bot.liquidation.touch import Volatility, touch_probability, touch_ratio, touch_spread
from bot.liquidation.types import Cluster
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, Bench, asked, long, reading, short

CALM = Volatility(100.0, START, (1e-6,) * 4, (100.0,) * 4)
"""A standard deviation of 0.1 % in five minutes."""

LIVE = START + 75_000


def bench_with(line: str, *clusters: Cluster, atr_pct: float = 0.5, volatility: Volatility | None = CALM) -> Bench:
    bench = Bench(asked(line))
    bench.map(reading(START, clusters or (long(90, 92),), volatility=volatility, atr_pct=atr_pct))
    return bench


# A line, prices tick by tick above a long cluster that ends at 92, and the ticks at which the rule speaks. The average
# true range is 0.5 %.
NEARNESS = [
    # 1.5 ATR are 0.75 %: 92.69
    ("BTC 1.5atr", [93.5, 92.75, 92.68], [2]),
    # out again beyond 1.25 times that, 92.87; then the waits of proximity
    ("BTC 1.5atr", [93.5, 92.68, 92.8, 92.68, 92.95, 92.68], [1]),
    # a rule in percent beside it is not moved by the range
    ("BTC 1.5%", [93.5, 93.3], [1]),
    # 60 % within 4 h are 0.28 % at this volatility
    ("BTC 60% in 4h", [93.5, 92.3, 92.2], [2]),
    # the same odds within 24 h reach farther
    ("BTC 60% in 24h", [93.5, 92.65], [1]),
    # a size it does not have
    ("BTC 60% in 4h 60M", [92.3], []),
]


@pytest.mark.parametrize(("line", "prices", "expected"), NEARNESS)
def test_nearness_in_ranges_and_odds(line: str, prices: list[float], expected: list[int]) -> None:
    bench = bench_with(line)
    told = [i for i, price in enumerate(prices) if bench.tick(LIVE + i * 2_000, price).events]
    assert told == expected


def test_odds_are_asked_for_at_exactly_the_distance_that_has_them() -> None:
    for percent in (5.0, 33.3, 60.0, 95.0):
        away = touch_ratio(percent / 100) * float(touch_spread(4.0, CALM))
        odds = float(touch_probability(100.0 * math.exp(away), 100.0, 4.0, CALM))
        assert 100 * odds == pytest.approx(percent, abs=0.1)
    assert touch_ratio(0.0) == float("inf")
    assert touch_ratio(1.0) == 0.0


@pytest.mark.parametrize("line", ["BTC 1.5atr", "BTC 60% in 4h", "BTC 5% odds 10% in 4h"])
def test_without_the_figures_they_rest_on_such_rules_are_silent(line: str) -> None:
    bench = bench_with(line, atr_pct=float("nan"), volatility=None)
    assert bench.walk(LIVE, [93.5, 92.1, 91.0, 89.0, 95.0]) == []


def test_a_market_that_calms_down_moves_the_threshold_with_it() -> None:
    bench = bench_with("BTC 2atr", atr_pct=0.2)
    assert bench.walk(LIVE, [93.5, 92.7]) == []
    bench.map(reading(START + SLOT, [long(90, 92)], atr_pct=0.6))
    assert len(bench.walk(LIVE + SLOT, [92.7])) == 1


def test_an_alert_by_odds_says_so() -> None:
    (event,) = bench_with("BTC 60% in 4h").tick(LIVE, 92.2).events
    assert (event.kind, event.unit, event.threshold_pct, event.window_ms) == (Kind.PROXIMITY, Unit.ODDS, 60.0, 4 * HOUR)
    assert event.value_pct == pytest.approx(0.217, abs=1e-3)
    assert event.reason.endswith("the rule asks for 60 % odds of a touch within 4 h.")


# A line, a cluster, a price 1 % from it, and whether the rule speaks.
FILTERS = [
    # the densest price lies in the range, at its end, or outside
    ("BTC 2% between 90 and 91.5", long(90, 92), True),
    ("BTC 2% above 91", long(90, 92), True),
    ("BTC 2% above 91.1", long(90, 92), False),
    ("BTC 2% below 90.9", long(90, 92), False),
    # too near already
    ("BTC 2% beyond 0.5%", long(90, 92), True),
    ("BTC 2% beyond 1.5%", long(90, 92), False),
    # odds of a touch: 1 % away they are 12 % within 4 h, 49 % within 24 h
    ("BTC 2% odds 10% in 4h", long(90, 92), True),
    ("BTC 2% odds 15% in 4h", long(90, 92), False),
    ("BTC 2% odds 45%", long(90, 92), True),
    # in ATRs, but no farther than so
    ("BTC 4atr within 0.9%", long(90, 92), False),
    ("BTC 4atr within 1.1%", long(90, 92), True),
]


@pytest.mark.parametrize(("line", "cluster", "speaks"), FILTERS)
def test_filters_leave_out_what_does_not_lie_where_a_rule_asks(line: str, cluster: Cluster, speaks: bool) -> None:
    assert bool(bench_with(line, cluster).tick(LIVE, 92.0 * 1.01005).events) is speaks


# A line, the bodies map by map, and the maps that tell of something new.
BIRTHS = [
    # appears and stays: told by its second map
    ("BTC new", [[], [long(90, 92)], [long(90, 92)], [long(90, 92)]], [2]),
    # one odd map
    ("BTC new", [[], [long(90, 92)], [], []], []),
    # grows to the size that was asked within its first hour
    ("BTC new 60M", [[], [long(90, 92)], [long(90, 92, 70e6)], [long(90, 92, 70e6)]], [3]),
    # the other side
    ("BTC new short", [[], [long(90, 92)], [long(90, 92)]], []),
    # too far from price
    ("BTC new within 5%", [[], [long(90, 92)], [long(90, 92)]], []),
]


@pytest.mark.parametrize(("line", "bodies", "expected"), BIRTHS)
def test_a_cluster_seen_to_appear_is_new(line: str, bodies: list[list[Cluster]], expected: list[int]) -> None:
    bench = Bench(asked(line))
    bench.map(reading(START - SLOT, [short(120, 121, 1.0, strength=1)]))
    told = []
    for i, found in enumerate(bodies):
        changes = bench.map(reading(START + i * SLOT, [*found, short(120, 121, 1.0, strength=1)]))
        told += [i for event in changes.events if event.kind is Kind.NEW_CLUSTER]
    assert told == expected


def closes(bench: Bench, prices: list[float], *, first: int = 1) -> list[tuple[int, Event]]:
    """Maps without clusters whose bars go from 99 to these closes; the events by map."""
    told = []
    for i, price in enumerate(prices, start=first):
        found = reading(START + i * SLOT, (), price=price, low=min(price, 99.0), high=max(price, 99.0))
        told += [(i, event) for event in bench.map(found).events]
    return told


UP = short(102, 103)

# A line, the closes of bars after a map with a short cluster from 102 to 103, and what is told at which bar.
SWEEPS = [
    # through it at once
    ("BTC swept", [103.5], [1]),
    # into it only
    ("BTC swept", [102.2, 101.0], []),
    # told once, whatever follows
    ("BTC swept", [103.5, 101.0, 103.5], [1]),
    ("BTC swept 60M", [103.5], []),
    # three closes above it
    ("BTC breakout", [103.5, 103.6, 103.7, 104.0], [3]),
    # one of them not: the count begins again
    ("BTC breakout", [103.5, 102.9, 103.6, 103.7, 103.8], [5]),
    # a longer hold
    ("BTC breakout 25min", [103.5, 103.6, 103.7, 103.8, 103.9], [5]),
    ("BTC breakout long", [103.5, 103.6, 103.7, 104.0], []),
    # back below it at once, later, and too late
    ("BTC hunt", [103.5, 101.9], [2]),
    ("BTC hunt", [103.5, *[102.5] * 11, 101.9], [13]),
    ("BTC hunt", [103.5, *[102.5] * 12, 101.9], []),
    ("BTC hunt 2h", [103.5, *[102.5] * 12, 101.9], [14]),
    # inside it is not back
    ("BTC hunt", [103.5, 102.5, 102.1], []),
    # told once
    ("BTC hunt", [103.5, 101.9, 103.5, 101.9], [2]),
]


@pytest.mark.parametrize(("line", "prices", "expected"), SWEEPS)
def test_what_follows_when_price_goes_through_a_cluster(line: str, prices: list[float], expected: list[int]) -> None:
    bench = Bench(asked(line))
    bench.map(reading(START, [UP]))
    assert [i for i, _ in closes(bench, prices)] == expected


@pytest.mark.parametrize(
    ("line", "prices", "reason"),
    [
        (
            "BTC breakout",
            [103.5, 103.6, 103.7],
            "BTCUSDT closed at 103.7 and has held above the short cluster 102 to 103 (about 50M USD, strength 80), "
            "which it swept, for 15 min.",
        ),
        (
            "BTC hunt",
            [103.5, 101.9],
            "BTCUSDT closed at 101.9, back below the short cluster 102 to 103 (about 50M USD, strength 80) 10 min "
            "after it was swept; the rule asks for a return within 1 h.",
        ),
    ],
)
def test_what_follows_a_sweep_explains_itself(line: str, prices: list[float], reason: str) -> None:
    bench = Bench(asked(line))
    bench.map(reading(START, [UP]))
    ((_, event),) = closes(bench, prices)
    assert (event.reason, event.severity, event.cluster) == (reason, Severity.WARNING, UP)


def test_what_follows_a_sweep_is_known_after_a_restart() -> None:
    bench = Bench(asked("BTC breakout"), asked("BTC hunt", rule_id=2))
    bench.map(reading(START, [UP]))
    closes(bench, [103.5, 103.6])
    bench.restart()
    assert [(i, event.rule_id) for i, event in closes(bench, [103.7, 101.0], first=3)] == [(3, 1), (4, 2)]


def test_a_sweep_before_a_rule_was_made_is_no_news_for_it() -> None:
    bench = Bench()
    bench.map(reading(START, [UP]))
    closes(bench, [103.5])
    bench.add(asked("BTC breakout"))
    bench.add(asked("BTC hunt", rule_id=2))
    assert closes(bench, [103.6, 103.7, 103.8, 101.0], first=2) == []


def test_swept_tracks_are_forgotten_with_their_states() -> None:
    bench = Bench(asked("BTC breakout"))
    bench.map(reading(START, [UP]))
    closes(bench, [103.5, 103.6, 103.7, *[104.0] * 60])
    assert bench.state().phase is Phase.CLOSED
    assert not bench.engine._books[BTC].fallen


def test_a_sweep_is_told_at_its_tick_and_not_again_by_the_map() -> None:
    bench = Bench(asked("BTC swept"))
    bench.map(reading(START, [UP]))
    assert [event.time_ms for event in bench.walk(LIVE, [101.0, 102.5, 103.01, 103.5])] == [LIVE + 4_000]
    assert closes(bench, [103.5]) == []
    assert bench.state().episode == 1


def test_a_cluster_eaten_away_is_told_as_it_was_at_its_best_whatever_else_its_tick_tells() -> None:
    bench = Bench(asked("BTC swept"), asked("BTC 2%", rule_id=2))
    for slot, usd in enumerate((80e6, 40e6)):
        bench.map(reading(START + slot * SLOT, [long(90, 92, usd)]))
    swept, near = sorted(bench.walk(LIVE + SLOT, [95.0, 89.9]), key=lambda event: event.rule_id)
    assert (swept.kind, near.kind) == (Kind.SWEPT, Kind.PROXIMITY)
    assert swept.cluster is not None
    assert near.cluster is not None
    assert (swept.cluster.usd, near.cluster.usd) == (80e6, 40e6)


def test_a_cluster_eaten_away_is_told_as_it_was_at_its_best() -> None:
    bench = Bench(asked("BTC swept 40M"))
    bench.map(reading(START, [UP]))
    bench.map(reading(START + SLOT, [replace(UP, low=102.4, peak=102.7, usd=8e6, strength=10)], price=102.3))
    (event,) = bench.tick(LIVE + SLOT, 102.5).events or bench.tick(LIVE + SLOT + 2_000, 103.1).events
    assert event.cluster is not None
    assert (event.cluster.usd, event.cluster.strength, event.cluster.low) == (50e6, 80, 102.4)


# A line, prices every five minutes near a long cluster that ends at 92, and the minutes at which the rule speaks.
REPEATS = [
    # once per episode
    ("BTC 2%", [93.0] * 6, [0]),
    # every ten minutes while it holds
    ("BTC 2% every 10min", [93.0] * 6, [0, 10, 20]),
    # not while price is between threshold and exit, at once when it is near again
    ("BTC 2% every 10min", [93.0, 93.0, 94.2, 94.2, 93.0, 93.0], [0, 20]),
    # once and never again, though it leaves and returns
    ("BTC 2% once", [93.0, *[96.0] * 8, 93.0], [0]),
    ("BTC 2%", [93.0, *[96.0] * 8, 93.0], [0, 45]),
]


@pytest.mark.parametrize(("line", "prices", "expected"), REPEATS)
def test_how_often_a_rule_speaks(line: str, prices: list[float], expected: list[int]) -> None:
    bench = Bench(asked(line), tick_ms=SLOT)
    told = []
    for i, price in enumerate(prices):
        bench.map(reading(START + i * SLOT, [long(90, 92)], price=price))
        told += [5 * i for _ in bench.tick(LIVE + i * SLOT, price).events]
    assert told == expected


def test_a_rule_that_told_once_is_paused_and_starts_again_from_what_is_true() -> None:
    bench = Bench(asked("BTC 2% once"))
    bench.map(reading(START, [long(90, 92), short(93.1, 94)]))
    assert len(bench.walk(LIVE, [93.0])) == 1, "of two clusters that are near at once, the first"
    held = bench.engine.rule(1)
    assert held is not None
    assert held.paused_reason == "once"
    again = replace(held, paused_reason=None)
    bench.engine.replace_rule(again, bench.engine.first_look(again).states)
    assert bench.walk(LIVE + MINUTE, [93.0]) == []
    bench.walk(LIVE + 2 * MINUTE, [96.5, 99.0])
    assert len(bench.walk(LIVE + 60 * MINUTE, [99.0, 99.0])) == 0
