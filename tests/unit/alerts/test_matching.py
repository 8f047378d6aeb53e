"""Rules as arrays say exactly what each rule would say by itself, and ask only those that may have changed."""

import random

import numpy as np
import pytest

from bot.alerts import Engine
from bot.alerts.types import Kind, Market, Phase, Repeat, Rule
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from tests.unit.alerts.naive import Naive
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, Bench, grows, long, near, reading, short


def random_rule(dice: random.Random, rule_id: int) -> Rule:
    proximity = dice.random() < 0.6
    return Rule(
        id=rule_id,
        chat=rule_id % 5,
        market=BTC,
        kind=Kind.PROXIMITY if proximity else Kind.GROWTH,
        threshold_pct=dice.choice([0.5, 1.0, 2.0, 2.0, 5.0]) if proximity else dice.choice([5.0, 10.0, 30.0]),
        window_ms=0 if proximity else dice.choice([15 * MINUTE, HOUR]),
        side=dice.choice([None, None, Side.LONG, Side.SHORT]),
        min_usd=dice.choice([None, 20e6, 60e6]),
        min_strength=dice.choice([None, 10, 90]),
        snoozed_until_ms=dice.choice([0, 0, 0, START + 3 * HOUR]),
        paused_reason=dice.choice([None, None, None, "off"]),
    )


def random_bodies(dice: random.Random, price: float) -> list[Cluster]:
    found = []
    for body, offset in ((long, -5.0), (long, -2.0), (short, 1.0), (short, 4.0)):
        if dice.random() < 0.9:
            low = 100.0 + offset + dice.choice([0.0, 0.0, 0.1])
            found.append(body(low, low + 1.0, dice.choice([15e6, 30e6, 80e6]), strength=dice.choice([30, 70, 95])))
    return [c for c in found if (c.high < price if c.side is Side.LONG else c.low > price)]


@pytest.mark.parametrize("seed", range(6))
def test_arrays_say_what_each_rule_would_say_by_itself(seed: int) -> None:
    dice = random.Random(seed)
    rules = [random_rule(dice, rule_id) for rule_id in range(1, 31)]
    bench, naive = Bench(*rules), Naive(rules)
    told: list[tuple[int, int, str, int]] = []
    price = low = high = 100.0
    for slot in range(40):
        slot_ms = START + slot * SLOT
        if dice.random() < 0.9:
            changes = bench.map(reading(slot_ms, random_bodies(dice, price), price=price, low=low, high=high))
            naive.map(slot_ms, bench.engine.tracks(BTC))
            told += [(slot_ms, e.rule_id, e.track_id, e.episode) for e in changes.events]
            low = high = price
        moment = slot_ms + 75_000
        while moment < slot_ms + 75_000 + SLOT:
            price = min(max(price * float(np.exp(dice.gauss(0, 0.003))), 93.0), 107.0)
            low, high = min(low, price), max(high, price)
            changes = bench.tick(moment, price)
            naive.tick(moment, price)
            told += [(e.time_ms, e.rule_id, e.track_id, e.episode) for e in changes.events]
            moment += dice.choice([2_000, 4_000, 5_000, 30_000, 90_000])
    assert len(told) > 20, "the scene must be lively enough to prove something"
    assert sorted(told) == sorted(naive.told)
    known = {key: state for key, state in bench.store.states.items() if key[1] in naive.tracks}
    assert known == naive.states


def crowded(rules: int, symbols: int) -> tuple[Engine, tuple[str, ...]]:
    """Many rules over bodies 4 and 6 percent from price, none of them hit."""
    names = tuple(f"C{i}USDT" for i in range(symbols))
    watched = [
        near(0.1 + 3.7 * (i % 1009) / 1009, rule_id=i + 1, market=Market("binance", names[i % symbols]))
        for i in range(rules)
    ]
    engine = Engine(watched)
    for name in names:
        found = reading(START, [long(95, 96), short(106, 107)], market=Market("binance", name))
        engine.apply(engine.evaluate_map(found))
    return engine, names


def tick(engine: Engine, names: tuple[str, ...], prices: list[float], second: int) -> int:
    """One tick; how many alerts came of it."""
    moment = START + 75_000 + second * 1_000
    times = np.full(len(names), moment, dtype=np.int64)
    changes = engine.evaluate_tick("binance", names, np.array(prices), times, now_ms=moment)
    engine.apply(changes)
    return len(changes.events)


def test_a_tick_that_changes_nothing_asks_no_rule() -> None:
    engine, names = crowded(20_000, 50)
    tick(engine, names, [100.0] * 50, 0)
    for second in range(2, 20, 2):
        assert tick(engine, names, [100.0 + second / 1000] * 50, second) == 0
        assert (engine.work.woken, engine.work.judged) == (0, 0)


def test_a_tick_asks_only_the_rules_whose_threshold_it_crosses() -> None:
    engine, names = crowded(20_000, 50)
    tick(engine, names, [100.0] * 50, 0)
    prices = [100.0] * 50
    prices[7] = 97.0
    fired = tick(engine, names, prices, 2)
    assert fired > 200
    assert (engine.work.woken, engine.work.judged) == (1, fired)
    assert tick(engine, names, prices, 4) == 0
    assert engine.work.judged == 0, "those told are asked again only when price leaves or their wait is over"


def test_waiting_states_are_asked_when_their_wait_is_over_and_not_before() -> None:
    bench = Bench(*(near(2.0, rule_id=i) for i in range(1, 101)))
    bench.map(reading(START, [long(90, 92)]))
    bench.walk(START + 75_000, [93.0, 96.0])
    asked = []
    for second in range(79, 79 + 6 * 60, 2):
        bench.tick(START + second * 1_000, 96.0)
        asked.append(bench.engine.work.judged)
    assert sum(asked) == 0, "the cooldown of half an hour outlasts the recovery"


def test_a_rule_that_tells_again_is_asked_when_its_time_comes_only_where_price_is_near_enough() -> None:
    again = replace(near(2.0), repeat=Repeat.EVERY, repeat_ms=HOUR)
    bench = Bench(*(replace(again, id=i) for i in range(1, 101)))
    asked = {}
    for slot in range(20):
        bench.map(reading(START + slot * SLOT, [long(90, 92)]))
        for now_ms in range(START + slot * SLOT + MINUTE, START + (slot + 1) * SLOT + MINUTE, 2_000):
            bench.tick(now_ms, 94.1 if 10 <= slot < 15 else 93.5)
            if bench.engine.work.judged:
                asked[now_ms - START] = bench.engine.work.judged
    assert asked == {MINUTE: 100, 15 * SLOT + MINUTE: 100}, "price between the threshold and the exit is no hit"


def test_rules_that_no_longer_take_a_body_are_not_asked_while_price_stays() -> None:
    bench = Bench(*(near(2.0, rule_id=i) for i in range(1, 101)))
    bench.map(reading(START, [long(90, 92)]))
    bench.walk(START + 75_000, [93.5])
    bench.rest(START + 77_000, START + SLOT + 75_000, 96.0)
    bench.map(reading(START + SLOT, [long(90, 92, strength=20)]))
    woken = []
    for second in range(75, 75 + 240, 2):
        bench.tick(START + SLOT + second * 1_000, 93.5)
        woken.append(bench.engine.work.woken)
    assert sum(woken) == 0, "below the floor they neither fire nor fall back, until their wait is over"
    bench.map(reading(START + 2 * SLOT, [long(90, 92)]))
    bench.tick(START + SLOT + second * 1_000 + 2_000, 93.5)
    assert bench.engine.work.judged == 100, "and are hit again where they take it again"


def test_a_snoozed_crowd_is_asked_once_it_wakes() -> None:
    until_ms = START + 75_000 + MINUTE
    bench = Bench(*(Rule(i, 1, BTC, Kind.PROXIMITY, 2.0, snoozed_until_ms=until_ms) for i in range(1, 101)))
    bench.map(reading(START, [long(90, 92)]))
    judged = []
    for second in range(75, 75 + 2 * 60, 2):
        bench.tick(START + second * 1_000, 93.0)
        judged.append(bench.engine.work.judged)
    assert judged[:30] == [0] * 30
    assert judged[30] == 100
    assert judged[31:] == [0] * 29


def test_a_recompute_asks_only_the_growth_rules_it_may_concern() -> None:
    bench = Bench(*(grows(5.0 + i / 10, HOUR, rule_id=i) for i in range(1, 1001)))
    for i in range(13):
        bench.map(reading(START + i * SLOT, [long(90, 92)]))
        assert bench.engine.work.judged == 0
    bench.map(reading(START + 13 * SLOT, [long(90, 92, 55e6)]))
    assert bench.engine.work.judged == 50


@pytest.mark.parametrize("seed", range(4))
def test_growth_is_told_of_as_each_rule_would_however_long_a_body_lives(seed: int) -> None:
    dice = random.Random(seed)
    windows = [15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR]
    rules = [grows(dice.choice([10.0, 25.0]), dice.choice(windows), rule_id=rule_id) for rule_id in range(1, 25)]
    bench, naive = Bench(*rules), Naive(rules)
    told: list[tuple[int, int, str, int]] = []
    usd = 50e6
    for slot_ms in range(START, START + 200 * SLOT, SLOT):
        usd *= float(np.exp(dice.gauss(0.01, 0.08)))
        if dice.random() < 0.2:  # judged, and never committed
            bench.engine.evaluate_map(reading(slot_ms, [long(90, 92, usd * dice.choice([0.3, 3.0]))]))
        if dice.random() < 0.95:
            changes = bench.map(reading(slot_ms, [long(90, 92, usd)]))
            naive.map(slot_ms, bench.engine.tracks(BTC))
            told += [(slot_ms, e.rule_id, e.track_id, e.episode) for e in changes.events]
    assert len(told) > 20, "the scene must be lively enough to prove something"
    assert sorted(told) == sorted(naive.told)


def test_a_snoozed_growth_rule_is_asked_once_it_wakes() -> None:
    bench = Bench(replace(grows(5.0, HOUR), snoozed_until_ms=START + 18 * SLOT))
    told = []
    for i in range(24):
        usd = 50e6 if i < 14 else 60e6
        changes = bench.map(reading(START + i * SLOT, [long(90, 92, usd)]))
        told += [i for _ in changes.events]
    assert told == [19], "twice in a row, and still within the hour"


def test_a_body_that_shrinks_again_is_still_asked_of_by_those_who_were_told() -> None:
    bench = Bench(grows(10.0, HOUR))
    told = []
    for i, usd in enumerate([50e6] * 13 + [60e6] * 3 + [50e6] * 3):
        changes = bench.map(reading(START + i * SLOT, [long(90, 92, usd)]))
        told += [i for _ in changes.events]
    assert told == [14]
    assert [state.phase for state in bench.store.states.values()] == [Phase.RECOVERING]


def test_a_recompute_wakes_a_row_only_where_the_body_passes_a_floor() -> None:
    bench = Bench(near(5.0))
    woken, told = [], []
    for i, strength in enumerate((40, 55, 59, 60, 61)):
        bench.map(reading(START + i * SLOT, [long(96, 97, strength=strength)]))
        told.append(len(bench.tick(START + i * SLOT + 75_000, 100.0).events))
        woken.append(bench.engine.work.woken)
    assert woken == [0, 0, 0, 1, 0], "the floor of 60"
    assert told == [0, 0, 0, 1, 0]
