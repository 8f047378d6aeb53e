"""Kinds that watch a market as a whole: flips, concentration, cascades. Tables with one comment a row."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts import concentration, flip
from bot.alerts.cascade import LEARNING, MINUTE_MS, Minutes
from bot.alerts.machine import Decision, Observation, step
from bot.alerts.readings import Liquidation
from bot.alerts.types import Event, Kind, Phase, Rule, RuleState, Severity
from bot.liquidation.types import Side
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, Bench, asked, long, reading, standing

# Shorts' share of what stands within 5 %, map by map, and the maps at which a rule of 10 % speaks (the second is told
# of once it was seen twice).
FLIPS = [
    # longs lead from the start: where the rule begins is no news
    ([0.3, 0.3, 0.3, 0.3], []),
    # shorts take the lead and keep it: once
    ([0.3, 0.3, 0.7, 0.7, 0.7], [(3, Side.SHORT)]),
    # a lead seen in one map only
    ([0.3, 0.7, 0.3, 0.3], []),
    # a lead below the margin is none, however often
    ([0.3, 0.54, 0.54, 0.46, 0.54], []),
    # wavering around even after a flip changes nothing
    ([0.3, 0.7, 0.7, 0.48, 0.52, 0.48, 0.7, 0.7], [(2, Side.SHORT)]),
    # there and back: whoever was told of the one hears of the other
    ([0.3, 0.7, 0.7, 0.3, 0.3, 0.3], [(2, Side.SHORT), (4, Side.LONG)]),
    # a lead of the other side in one map, then none: no flip, so no flip back
    ([0.3, 0.7, 0.7, 0.4, 0.5, 0.7, 0.7], [(2, Side.SHORT)]),
    # the same, the balance back at once
    ([0.3, 0.7, 0.7, 0.4, 0.7, 0.7], [(2, Side.SHORT)]),
    # a lead of exactly the margin counts for both sides
    ([0.3, 0.55, 0.55, 0.45, 0.45, 0.55, 0.55], [(2, Side.SHORT), (4, Side.LONG), (6, Side.SHORT)]),
    # nothing stands near price: no data, and no exit
    ([0.3, 0.7, 0.7, math.nan, 0.7, 0.7], [(2, Side.SHORT)]),
]


def balance_maps(bench: Bench, shares: list[float], *, first: int = 0) -> list[tuple[int, Event]]:
    """Maps from the slot `first` on; the events with the number of their slot."""
    told = []
    for i, share in enumerate(shares, start=first):
        drawn = standing(0.0, 0.0) if math.isnan(share) else standing(100e6 * (1 - share), 100e6 * share)
        told += [(i, event) for event in bench.map(reading(START + i * SLOT, (), drawn=drawn)).events]
    return told


@pytest.mark.parametrize(("shares", "expected"), FLIPS)
def test_when_the_heavier_side_changes(shares: list[float], expected: list[tuple[int, Side]]) -> None:
    bench = Bench()
    balance_maps(bench, shares[:1])
    bench.add(asked("BTC flip"))
    told = [(i, event.side) for i, event in balance_maps(bench, shares[1:], first=1)]
    assert told == expected


@given(
    shares=st.lists(st.sampled_from([math.nan, 0.2, 0.45, 0.46, 0.5, 0.54, 0.55, 0.8]), min_size=4, max_size=40),
    pauses=st.sets(st.integers(1, 39), max_size=4),
)
def test_the_sides_of_flips_alternate(shares: list[float], pauses: set[int]) -> None:
    """Whatever the balance does, also over hours without a map."""
    bench, told, slot = Bench(), [], 0
    balance_maps(bench, [0.3])
    bench.add(asked("BTC flip"))
    for i, share in enumerate(shares):
        slot += 20 if i in pauses else 1
        told += [event.side for _, event in balance_maps(bench, [share], first=slot)]
    assert all(before is not after for before, after in pairwise(told))


@given(
    shares=st.lists(st.sampled_from([math.nan, 0.2, 0.4, 0.45, 0.5, 0.55, 0.6, 0.8]), min_size=4, max_size=40),
    pauses=st.sets(st.integers(1, 39), max_size=4),
    added=st.integers(1, 39),
)
def test_the_few_rules_of_flips_that_are_asked_speak_as_all_would(
    shares: list[float], pauses: set[int], added: int
) -> None:
    bench, slot_ms = Bench(), START
    balance_maps(bench, [0.3])
    lines, rules = ["BTC flip", "BTC flip 20%", "BTC flip short", "BTC flip 70M", "BTC flip 15%"], list[Rule]()
    states, seen_ms = dict[tuple[int, str], RuleState](), dict[str, int]()
    for i, share in enumerate(shares, start=1):
        if i in (1, added):
            new = [asked(line, rule_id=len(rules) + k) for k, line in enumerate(lines[:4] if i == 1 else lines[4:], 1)]
            for rule in new:
                states |= {(state.rule_id, state.track_id): state for state in bench.add(rule).states}
            rules, seen_ms = rules + new, {}
        slot_ms += SLOT * (20 if i in pauses else 1)
        expected = set()
        near_usd = (0.0, 0.0) if math.isnan(share) else (100e6 * share, 100e6 * (1 - share))
        for measured in flip.measure(near_usd=near_usd, slot_ms=slot_ms, price=100.0):
            unseen_ms = max(0, slot_ms - seen_ms.get(measured.matter, slot_ms) - 2 * SLOT)
            seen_ms[measured.matter] = slot_ms
            for rule in rules:
                sight = flip.FLIP.sight(rule, measured)
                before = states.get((rule.id, measured.matter), RuleState(rule.id, measured.matter))
                look = Observation(slot_ms, sight, flip.FLIP.tells(measured), unseen_ms=unseen_ms)
                states[rule.id, measured.matter], decision = step(before, look, flip.FLIP.terms(rule))
                if decision is Decision.FIRED:
                    expected.add((rule.id, measured.matter))
        drawn = standing(near_usd[1], near_usd[0])
        found = bench.map(reading(slot_ms, (), drawn=drawn)).events
        assert {(event.rule_id, event.track_id) for event in found} == expected


def test_a_flip_tells_how_heavy_and_explains_itself() -> None:
    bench = Bench()
    balance_maps(bench, [0.3])
    bench.add(asked("BTC flip"))
    ((_, event),) = balance_maps(bench, [0.75, 0.75], first=1)
    assert (event.kind, event.severity, event.track_id, event.cluster) == (
        Kind.FLIP,
        Severity.INFO,
        "flip-short",
        None,
    )
    assert (event.value_pct, event.figure("short_usd"), event.figure("long_usd")) == (75.0, 75e6, 25e6)
    assert event.reason == (
        "BTCUSDT at 100: shorts are the heavier side within 5 % now, 75 % of what stands there (about 75M USD); "
        "the rule asks for a lead of 10 %."
    )


def test_a_flip_of_one_side_or_size_leaves_the_rest_out() -> None:
    bench = Bench()
    balance_maps(bench, [0.3])
    bench.add(asked("BTC flip long"))
    bench.add(asked("BTC flip 80M", rule_id=2))
    assert balance_maps(bench, [0.7, 0.7, 0.7], first=1) == []


# Deviation in standard deviations, map by map, and the maps at which a rule of 99 % (2.58) speaks.
BANDS = [
    # inside the band
    ([0.0, -2.5, -2.5, -2.5, -2.5], []),
    # out of it for three maps in a row
    ([-3.0, -3.0, -3.0, -3.0], [(2, "concentration-dense")]),
    # two are not enough
    ([-3.0, -3.0, 0.0, -3.0, -3.0], []),
    # in again by less than half the band is no exit
    ([-3.0, -3.0, -3.0, -1.4, -3.0, -3.0, -3.0], [(2, "concentration-dense")]),
    # from too dense to too spread out
    ([-3.0, -3.0, -3.0, 3.0, 3.0, 3.0], [(2, "concentration-dense"), (5, "concentration-spread")]),
]


@pytest.mark.parametrize(("deviations", "expected"), BANDS)
def test_when_positions_are_unusually_spread(deviations: list[float], expected: list[tuple[int, str]]) -> None:
    judge, rule = concentration.CONCENTRATION, asked("BTC concentration")
    found = []
    held = {concentration.DENSE: 0, concentration.SPREAD: 0}
    fired = dict.fromkeys(held, False)
    for i, deviation in enumerate(deviations):
        for measured in concentration.measure(deviation, slot_ms=START + i * SLOT, price=100.0):
            sight = judge.sight(rule, measured).value
            held[measured.matter] = held[measured.matter] + 1 if sight == "hit" else 0
            fired[measured.matter] = fired[measured.matter] and sight != "out"
            if held[measured.matter] >= judge.terms(rule).hold and not fired[measured.matter]:
                fired[measured.matter] = True
                found.append((i, measured.matter))
    assert found == expected


def test_what_is_usual_is_learned_for_a_day_and_survives_a_restart() -> None:
    bench = Bench(asked("BTC concentration"))
    wide = [9, 10, 11, 10] * (concentration.LEARNING // 4)
    for i, bins in enumerate(wide):
        assert bench.map(reading(START + i * SLOT, (), drawn=standing(50e6, 50e6, bins=bins))).events == ()
    bench.restart()
    told = [
        event
        for i in range(len(wide), len(wide) + 5)
        for event in bench.map(reading(START + i * SLOT, (), drawn=standing(50e6, 50e6, bins=3))).events
    ]
    assert [(event.kind, event.track_id, event.severity) for event in told] == [
        (Kind.CONCENTRATION, "concentration-dense", Severity.WARNING)
    ]
    assert told[0].reason.startswith("BTCUSDT at 100: positions are unusually concentrated, ")


def test_the_band_forgets_slowly_and_ignores_what_is_no_number() -> None:
    band = concentration.Band()
    for value in [1.0, 3.0] * 200:
        band = band.with_sample(value)
    assert band.with_sample(math.nan) == band
    assert band.mean == pytest.approx(2.0, abs=0.01)
    assert band.deviation(2.0 + 2.0) == pytest.approx(2.0, abs=0.05)
    assert concentration.Band(samples=1000).deviation(1.0) is None, "no spread, no band"


def printed(time_ms: int, usd: float, side: Side = Side.LONG) -> Liquidation:
    return Liquidation(time_ms, "BTCUSDT", side, 99.0, usd)


def learned(*lines: str) -> Bench:
    """Rules made after two hours with a liquidation of 1,000 to 100,000 USD each minute."""
    bench = Bench()
    bench.map(reading(START, ()))
    for minute in range(120):
        usd = 1_000.0 * 10 ** (2 * (minute * 37 % 120) / 120)
        bench.prints([printed(START + minute * MINUTE, usd)], heard_ms=START + minute * MINUTE + 1_000)
    for i, line in enumerate(lines, start=1):
        bench.add(asked(line, rule_id=i))
    return bench


LATER = START + 2 * HOUR

# (second, USD, side) of liquidations two hours later, and the seconds at which `cascade` with a floor of 100k speaks.
CASCADES = [
    # one as large as any before
    ([(1, 99e3, Side.LONG)], []),
    # one larger than all
    ([(1, 400e3, Side.LONG)], [1]),
    # several that are it together, told by the one that makes it so
    ([(1, 60e3, Side.LONG), (5, 60e3, Side.LONG), (9, 60e3, Side.LONG)], [5]),
    # not across two minutes
    ([(58, 60e3, Side.LONG), (62, 60e3, Side.LONG)], []),
    # nor of both sides together
    ([(1, 60e3, Side.LONG), (5, 60e3, Side.SHORT)], []),
    # each side on its own
    ([(1, 400e3, Side.LONG), (2, 400e3, Side.SHORT)], [1, 2]),
    # the same cascade goes on: silent
    ([(1, 400e3, Side.LONG), (30, 400e3, Side.LONG), (90, 400e3, Side.LONG)], [1]),
    # another one within half an hour: silent; after it: told
    ([(1, 400e3, Side.LONG), (20 * 60, 400e3, Side.LONG), (40 * 60, 900e3, Side.LONG)], [1, 40 * 60]),
]


@pytest.mark.parametrize(("news", "expected"), CASCADES)
def test_when_liquidations_are_a_cascade(news: list[tuple[int, float, Side]], expected: list[int]) -> None:
    bench = learned("BTC cascade")
    told = []
    for second, usd, side in news:
        moment = LATER + second * 1_000
        for quiet in range(max(0, second - 600), second, 60):
            told += bench.prints([], heard_ms=LATER + quiet * 1_000)
        told += bench.prints([printed(moment, usd, side)], heard_ms=moment + 500)
    assert [(event.time_ms - LATER) // 1_000 for event in told] == expected


def test_a_cascade_is_critical_and_explains_itself() -> None:
    bench = learned("BTC cascade 1k long", "BTC cascade short")
    (event,) = bench.prints([printed(LATER, 400e3)], heard_ms=LATER)
    assert (event.kind, event.severity, event.side, event.track_id) == (
        Kind.CASCADE,
        Severity.CRITICAL,
        Side.LONG,
        "cascade-long",
    )
    assert event.figure("minute_usd") == 400e3
    assert event.figure("usual_usd") == pytest.approx(100e3, rel=0.13)
    assert event.reason.startswith("BTCUSDT at 99: 400k USD of longs were liquidated within a minute; 99 % of its")


def test_the_same_liquidations_again_change_nothing() -> None:
    bench = learned("BTC cascade")
    news = [printed(LATER, 400e3)]
    assert len(bench.prints(news, heard_ms=LATER)) == 1
    pulse = bench.engine._books[BTC].pulse
    assert bench.prints(news, heard_ms=LATER) == []
    assert bench.engine._books[BTC].pulse == pulse


def test_liquidations_whose_commit_failed_are_found_again() -> None:
    bench = learned("BTC cascade")
    news = [printed(LATER, 400e3)]
    lost = bench.engine.evaluate_prints("binance", news, heard_ms=LATER)
    assert lost.events == bench.engine.evaluate_prints("binance", news, heard_ms=LATER).events
    assert lost.events


def test_while_too_little_is_known_nothing_is_a_cascade() -> None:
    minutes = Minutes()
    for minute in range(LEARNING - 1):
        minutes = minutes.with_one(printed(START + minute * MINUTE, 1_000.0))
    assert minutes.rank_pct(1e9) is None
    assert minutes.at(START // MINUTE_MS + 200).rank_pct(1e9) is None
    one_more = minutes.with_one(printed(START + 300 * MINUTE, 1_000.0)).at(START // MINUTE_MS + 400)
    assert one_more.rank_pct(1e9) == pytest.approx(100.0)


def test_minutes_forget_with_time() -> None:
    minutes = Minutes().with_one(printed(START, 1_000.0)).at(START // MINUTE_MS + 1)
    later = minutes.with_one(printed(START + 72 * HOUR, 1e6)).at(START // MINUTE_MS + 72 * 60 + 1)
    assert sum(minutes.counts) == 1.0
    assert sum(later.counts) == pytest.approx(1.5, abs=0.001)


def test_a_sweep_is_told_with_what_was_printed_within_it() -> None:
    bench = Bench(asked("BTC swept"))
    bench.map(reading(START, [long(90, 92)]))
    bench.tick(START + 75_000, 93.0)
    prices = (80.0, 91.0, 89.9)
    news = [Liquidation(START + 76_000 + i, "BTCUSDT", Side.LONG, price, 1e6) for i, price in enumerate(prices)]
    short = Liquidation(START + 76_500, "BTCUSDT", Side.SHORT, 91.0, 7e6)
    bench.prints([*news, short], heard_ms=START + 77_000)
    (event,) = bench.tick(START + 77_000, 89.0).events
    assert (event.kind, event.figure("realised_usd")) == (Kind.SWEPT, 2e6)
    assert event.reason == (
        "BTCUSDT at 89 has swept the long cluster 90 to 92 (about 50M USD, strength 80); 2M USD were printed there so "
        "far; the rule asks for sweeps."
    )
    assert bench.state().phase is Phase.FIRED
