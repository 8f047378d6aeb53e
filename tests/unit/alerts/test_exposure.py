"""A user's own liquidation price: price comes near to it, and it becomes crowded there."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.exposure import APPROACH, CROWD, CROWDS, EXPOSURE, NO_LONGER_CROWDED, approach, crowd
from bot.alerts.machine import Decision, Observation, step
from bot.alerts.own_levels import OwnLevels
from bot.alerts.types import Event, Kind, Phase, Repeat, Rule, RuleState, Severity
from bot.alerts.verdicts import SILENCE
from bot.liquidation.ground import CROWDED, Ground
from bot.liquidation.touch import Volatility
from bot.liquidation.types import LiquidationMap, Side
from bot.liquidation.values import replace
from bot.liquidation.whole import Whole
from tests.unit.alerts.scenes import BTC, MINUTE, SLOT, START, Bench, asked, long, reading

CALM = Volatility(100.0, START, (1e-6,) * 4, (100.0,) * 4)
LIVE = START + 75_000


def drawn(*dense: float, price: float = 100.0) -> LiquidationMap:
    """A map of equal steps, as much in each bin, and ten times as much around the `dense` prices."""
    edges = price * np.exp(np.arange(-120, 121) * 0.001)
    middle = np.sqrt(edges[:-1] * edges[1:])
    usd = np.where(np.any([np.abs(middle / each - 1.0) < 0.004 for each in dense], axis=0), 10e6, 1e6)
    below = middle < price
    return LiquidationMap(
        time_ms=START,
        price=price,
        low=edges[:-1],
        high=edges[1:],
        long_usd=np.where(below, usd, 0.0),
        short_usd=np.where(below, 0.0, usd),
        long_total_usd=1e9,
        short_total_usd=1e9,
        open_interest="measured",
    )


EVEN = drawn(1.0)


def bench_of(*lines: str) -> Bench:
    bench = Bench(*(asked(line, rule_id=number) for number, line in enumerate(lines, 1)))
    bench.map(reading(START, (), drawn=EVEN, volatility=CALM))
    return bench


# A line, prices tick by tick, and the ticks at which the rule speaks.
APPROACHES = [
    # within three percent of 95 (97.89), once
    ("BTC exposure long 95", [100.0, 98.0, 97.8, 97.0, 96.0], [2]),
    # the rule's own distance
    ("BTC exposure long 95 1%", [100.0, 97.8, 96.0, 95.9], [3]),
    # a short's lies above
    ("BTC exposure short 105", [100.0, 101.0, 102.0], [2]),
    # on the other side nothing is near
    ("BTC exposure long 95", [100.0, 104.0, 99.0], []),
    # between threshold and exit it flaps in silence
    ("BTC exposure long 95", [100.0, *[97.8, 98.0] * 20], [1]),
    # a jump through it is told
    ("BTC exposure long 95", [100.0, 94.0, 93.0], [1]),
]


@pytest.mark.parametrize(("line", "prices", "expected"), APPROACHES)
def test_price_comes_near_to_a_liquidation_price(line: str, prices: list[float], expected: list[int]) -> None:
    bench = bench_of(line)
    told = [tick for tick, price in enumerate(prices) if bench.walk(LIVE + 2_000 * tick, [price])]
    assert told == expected


def test_it_is_told_again_once_price_has_left_and_the_wait_is_over() -> None:
    bench = bench_of("BTC exposure long 95")
    assert bench.walk(LIVE, [100.0, 97.0])
    bench.rest(LIVE + 4_000, LIVE + 40 * MINUTE, 100.0)
    (event,) = bench.walk(LIVE + 41 * MINUTE, [97.0])
    assert (event.episode, event.track_id) == (2, APPROACH)


def test_an_approach_says_all_that_its_text_needs() -> None:
    (event,) = bench_of('BTC exposure long 95 "my long"').walk(LIVE, [100.0, 97.0])
    assert (event.kind, event.severity, event.side, event.cluster) == (
        Kind.EXPOSURE,
        Severity.CRITICAL,
        Side.LONG,
        None,
    )
    assert event.value_pct == pytest.approx(2.083, abs=1e-3)
    assert (event.figure("level"), event.label) == (95.0, "my long")
    assert event.touch == ((1, 0.5), (4, 0.75))
    assert event.reason == "BTCUSDT at 97 is 2.08 % from the liquidation price 95; the rule asks for 3 %."
    assert event.dedupe_key == "1:binance:BTCUSDT:exposure-approach:1:exposure"


def test_without_a_map_nothing_is_judged() -> None:
    bench = Bench(asked("BTC exposure long 95"))
    assert bench.walk(LIVE, [100.0, 96.0]) == []


CROWDED_MAP = drawn(93.0)


def crowd_events(bench: Bench, *maps: LiquidationMap, first: int = 1) -> list[int]:
    """The recomputes at which the rule speaks."""
    told = []
    for slot, each in enumerate(maps, first):
        changes = bench.map(reading(START + slot * SLOT, (), drawn=each, volatility=CALM, price=each.price))
        told += [slot for event in changes.events if event.track_id == CROWD]
    return told


def test_a_crowd_is_told_at_the_second_recompute_that_finds_it() -> None:
    assert crowd_events(bench_of("BTC exposure long 93"), *[CROWDED_MAP] * 5) == [2]
    assert crowd_events(bench_of("BTC exposure long 93"), CROWDED_MAP, EVEN, CROWDED_MAP, EVEN) == []
    assert crowd_events(bench_of("BTC exposure long 91"), *[CROWDED_MAP] * 5) == []
    # The other side's positions stand elsewhere.
    assert crowd_events(bench_of("BTC exposure short 107"), *[CROWDED_MAP] * 5) == []


def test_inside_a_cluster_it_is_crowded_whatever_its_percentile() -> None:
    bench = bench_of("BTC exposure long 93")
    for slot in (1, 2):
        changes = bench.map(reading(START + slot * SLOT, [long(92.9, 93.2)], drawn=EVEN, volatility=CALM))
    (event,) = changes.events
    assert event.figure("crowding") == CROWDED


def between_crowd_and_none(level: float) -> LiquidationMap:
    """A map in which a long's level is denser than usual, but in no crowd: between the two thresholds."""
    even = drawn(1.0)
    thinning = np.exp(-20.0 * np.abs(np.log(np.sqrt(even.low * even.high) / even.price)))
    for shorts in np.arange(1.0, 0.3, -0.02):
        tried = replace(even, long_usd=even.long_usd * thinning, short_usd=even.short_usd * thinning * shorts)
        crowding = Ground(tried, (), day_volatility=CALM.day).crowding(level) or 0.0
        if NO_LONGER_CROWDED + 2.0 < crowding < CROWDED - 2.0:
            return tried
    raise AssertionError("no such map")


def test_a_crowd_that_thins_a_little_has_not_gone() -> None:
    bench, thinner = bench_of("BTC exposure long 93"), between_crowd_and_none(93.0)
    day = 24 * 12
    assert crowd_events(bench, *[CROWDED_MAP] * 3, *[thinner] * day, *[CROWDED_MAP] * 3) == [2]
    # Once it has gone, and after the wait, another crowd is news.
    assert crowd_events(bench, *[EVEN] * day, *[CROWDED_MAP] * 3, first=day + 10) == [2 * day + 11]


def test_a_crowd_names_its_percentile_and_is_critical_where_price_is_near() -> None:
    for price, severity in ((100.0, Severity.WARNING), (97.0, Severity.CRITICAL)):
        bench, events = bench_of("BTC exposure long 93 0.5%"), list[Event]()
        for slot in (1, 2):
            crowded = drawn(93.0, price=price)
            events += bench.map(reading(START + slot * SLOT, (), drawn=crowded, volatility=CALM, price=price)).events
        (event,) = events
        assert (event.severity, event.side) == (severity, Side.LONG)
        assert "around the liquidation price 93 more would be liquidated than around" in event.reason
        assert (event.figure("crowding") or 0.0) >= CROWDED


def test_beyond_the_map_there_is_no_data_and_nothing_is_forgotten() -> None:
    bench = bench_of("BTC exposure long 93")
    crowd_events(bench, *[CROWDED_MAP] * 2)
    far = drawn(1.0, price=120.0)
    assert crowd_events(bench, *[far] * 100, *[CROWDED_MAP] * 3, first=3) == []


def test_what_is_so_when_the_rule_is_made_is_no_news() -> None:
    bench = Bench()
    bench.map(reading(START, (), drawn=CROWDED_MAP, volatility=CALM))
    bench.tick(LIVE, 95.0)
    look = bench.add(asked("BTC exposure long 93"))
    assert {state.track_id: state.phase for state in look.states} == {APPROACH: Phase.FIRED, CROWD: Phase.FIRED}
    assert bench.walk(LIVE + 2_000, [95.0, 94.5]) == []
    assert crowd_events(bench, *[CROWDED_MAP] * 3) == []


def test_after_a_restart_it_goes_on_from_where_it_was() -> None:
    bench = bench_of("BTC exposure long 95")
    assert len(bench.walk(LIVE, [100.0, 97.0])) == 1
    bench.restart()
    bench.map(reading(START + SLOT, (), drawn=EVEN, volatility=CALM))
    assert bench.walk(LIVE + SLOT, [97.5, 96.0]) == []


def test_the_list_tells_how_far_price_is_from_it() -> None:
    bench = bench_of("BTC exposure long 95")
    bench.tick(LIVE, 100.0)
    standing = bench.engine.nearest(asked("BTC exposure long 95"))
    assert standing is not None
    assert standing.distance_pct == pytest.approx(5.129, abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_the_few_rules_that_are_asked_speak_as_all_would(seed: int) -> None:
    dice = random.Random(seed)
    rules = [
        Rule(
            id=number,
            chat=1,
            market=BTC,
            kind=Kind.EXPOSURE,
            threshold_pct=dice.choice([0.5, 1.0, 3.0]),
            level=dice.uniform(90.0, 97.0) if number % 2 else dice.uniform(103.0, 110.0),
            side=Side.LONG if number % 2 else Side.SHORT,
        )
        for number in range(1, 61)
    ]
    bench = Bench(*rules, tick_ms=MINUTE)
    bench.map(reading(START, (), drawn=EVEN, volatility=CALM))
    states = {rule.id: RuleState(rule.id, APPROACH) for rule in rules}
    price, asked_of = 100.0, 0
    for minute in range(600):
        price *= dice.choice([0.99, 0.997, 0.999, 1.0, 1.001, 1.003, 1.0102])
        price = min(max(price, 88.0), 112.0)
        now_ms = LIVE + minute * MINUTE
        expected = set()
        for rule in rules:
            measured = approach(rule, time_ms=now_ms, price=price)
            seen = Observation(now_ms, EXPOSURE.sight(rule, measured), EXPOSURE.tells(measured))
            states[rule.id], decision = step(states[rule.id], seen, EXPOSURE.terms(rule))
            if decision is Decision.FIRED:
                expected.add(rule.id)
        assert {event.rule_id for event in bench.walk(now_ms, [price])} == expected
        asked_of += bench.engine.work.judged
    assert 0 < asked_of < 0.3 * 600 * len(rules)


PERCENTILES = st.sampled_from([math.nan, 20.0, 59.9, NO_LONGER_CROWDED, 70.0, 74.9, CROWDED, 99.0])
maps_of_three = st.lists(st.tuples(st.booleans(), st.tuples(PERCENTILES, PERCENTILES, PERCENTILES)), max_size=60)


@given(maps_of_three, st.sampled_from([1, 7, 60]))
def test_whom_a_map_changes_or_makes_the_log_speak_is_asked(
    maps: list[tuple[bool, tuple[float, ...]]], slots: int
) -> None:
    rules = [
        replace(asked("BTC exposure long 93"), id=number, repeat=repeat, repeat_ms=3 * SLOT * (repeat is Repeat.EVERY))
        for number, repeat in enumerate(Repeat, 1)
    ]
    states = {rule.id: RuleState(rule.id, CROWD) for rule in rules}
    own = OwnLevels(rules, {}, {})
    for count, (silenced, percentiles) in enumerate(maps, 1):
        slot_ms, concerned = START + count * slots * SLOT, []
        for rule, percentile in zip(rules, percentiles, strict=True):
            measured = crowd(rule, percentile, slot_ms=slot_ms, price=100.0)
            seen = Observation(slot_ms, CROWDS.sight(rule, measured), CROWDS.tells(measured), silenced=silenced)
            after, decision = step(states[rule.id], seen, CROWDS.terms(rule))
            if after is not states[rule.id] or decision in SILENCE:
                concerned.append((rule, percentile))
            states[rule.id] = after
        found = list(own.crowded(np.array(percentiles), slot_ms))
        assert [each for each in found if each in concerned] == concerned
        own.follow_crowds([states[rule.id] for rule, _ in concerned])
        assert list(own.crowded(np.array(percentiles), slot_ms)) == list(
            OwnLevels(rules, {}, states).crowded(np.array(percentiles), slot_ms)
        )


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.floats(80.0, 120.0)), min_size=1, max_size=3),
    st.floats(85.0, 115.0),
)
def test_where_no_position_has_its_level_within_the_map_nothing_is_known_of_a_crowd(
    held: list[tuple[Side, float]], price: float
) -> None:
    rules = [
        replace(asked("BTC exposure long 93"), id=number, side=side, level=level)
        for number, (side, level) in enumerate(held, 1)
    ]
    own, whole = OwnLevels(rules, {}, {}), Whole.of(drawn(1.0, price=price), (), day_volatility=CALM.day)
    known = [
        crowd(rule, percentile, slot_ms=START, price=price).metric is not None
        for rule, percentile in zip(rules, whole.crowdings(own.levels).tolist(), strict=True)
    ]
    assert own.any_within(*whole.reach, price=price) == any(known)


def many(first: float) -> list[Rule]:
    """Five thousand levels, a thousandth apart."""
    rule = asked("BTC exposure long 91")
    return [replace(rule, id=number, level=first + number / 1_000) for number in range(1, 5_001)]


def test_a_quiet_tick_asks_nobody() -> None:
    rules = [
        replace(asked("BTC exposure long 91"), id=number, level=50.0 + number / 1_000) for number in range(1, 5_001)
    ]
    bench = Bench(*rules)
    bench.map(reading(START, (), drawn=EVEN, volatility=CALM))
    bench.tick(LIVE, 100.0)
    assert bench.engine.work.judged == 0


def test_a_day_of_maps_asks_only_those_that_stand_in_a_crowd() -> None:
    rules = [
        replace(asked("BTC exposure long 91"), id=number, level=90.0 + number / 1_000) for number in range(1, 5_001)
    ]
    bench = Bench(*rules)
    for slot in range(4):
        bench.map(reading(START + slot * SLOT, (), drawn=CROWDED_MAP, volatility=CALM))
    assert bench.engine.work.judged == 0
