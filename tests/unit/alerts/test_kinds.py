"""Proximity and growth: what they measure, where they hit and leave, how loud they are, and what they say."""

import math

import pytest

from bot.alerts.filters import DEFAULT_MIN_STRENGTH, distance_pct, meets_floor
from bot.alerts.growth import GROWTH, NEW, growth_pct, metric, terms
from bot.alerts.judge import Measured
from bot.alerts.kinds import JUDGES, OF_CLUSTERS
from bot.alerts.machine import Sight
from bot.alerts.proximity import CRITICAL_STRENGTH, PROXIMITY, exit_pct, passed
from bot.alerts.stop_hunt import AFTER
from bot.alerts.swept import REALISED
from bot.alerts.types import Kind, Repeat, Rule, RuleState, Severity, Track, Where
from bot.alerts.wording import price_words, span_words, usd_words
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, grows, long, near, short

BODY = long(90, 92)


def track(cluster: Cluster = BODY, **changes: object) -> Track:
    return replace(Track("L1", BTC, cluster, START, START), **changes)  # type: ignore[arg-type]


def near_at(value: float | None, cluster: Cluster = BODY, price: float = 93.0) -> Measured:
    return Measured(track(cluster), START, price, value)


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (92 * math.exp(0.01), 1.0),  # one percent above, in logarithms
        (92.0, 0.0),  # at the edge
        (91.0, 0.0),  # inside
        (90 * math.exp(-0.02), 2.0),  # beyond the far edge, from that one
    ],
)
def test_distance_is_measured_to_the_nearest_edge(price: float, expected: float) -> None:
    assert distance_pct(price, BODY) == pytest.approx(expected, abs=1e-9)


def test_distance_is_the_same_above_as_below() -> None:
    assert distance_pct(100.0, long(80, 90)) == pytest.approx(distance_pct(90.0, short(100, 110)))


def test_price_beyond_the_far_edge_has_passed_the_body() -> None:
    assert [passed(price, BODY) for price in (93, 91, 90, 89.9)] == [False, False, False, True]
    assert [passed(price, short(90, 92)) for price in (89, 91, 92, 92.1)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.1, 0.25),  # a narrow threshold: 0.15 points
        (0.6, 0.75),  # where both are the same
        (2.0, 2.5),  # a wide one: a quarter
    ],
)
def test_price_leaves_beyond_a_quarter_more_or_015_points(threshold: float, expected: float) -> None:
    assert exit_pct(threshold) == pytest.approx(expected)


# Value, strength of the cluster, and what a rule of 2 % with the default floor sees.
SIGHTS = [
    # inside the body
    (0.0, 80, Sight.HIT),
    # exactly at the threshold
    (2.0, 80, Sight.HIT),
    # between threshold and exit, and exactly at the exit
    (2.1, 80, Sight.BETWEEN),
    (2.5, 80, Sight.BETWEEN),
    # past the exit
    (2.51, 80, Sight.OUT),
    # at the floor, and below it: near, but not dense; no hit, and no exit
    (1.0, DEFAULT_MIN_STRENGTH, Sight.HIT),
    (1.0, DEFAULT_MIN_STRENGTH - 1, Sight.BETWEEN),
    # no data
    (None, 80, Sight.UNKNOWN),
]


@pytest.mark.parametrize(("value", "strength", "sight"), SIGHTS)
def test_what_a_proximity_rule_sees(value: float | None, strength: int, sight: Sight) -> None:
    assert PROXIMITY.sight(near(2.0), near_at(value, replace(BODY, strength=strength))) is sight


# A rule's own floors and side, a cluster's size and strength, whether it is dense enough.
FLOORS = [
    # a size named: strength does not matter
    ({"min_usd": 10e6}, long(90, 92, 10e6, strength=0), True),
    ({"min_usd": 10e6}, long(90, 92, 9.9e6, strength=100), False),
    # a strength named: size does not matter
    ({"min_strength": 30}, long(90, 92, 1.0, strength=30), True),
    ({"min_strength": 30}, long(90, 92, 1e9, strength=29), False),
    # both named: both needed
    ({"min_usd": 10e6, "min_strength": 30}, long(90, 92, 1.0, strength=30), False),
    # the other side
    ({"side": Side.SHORT}, long(90, 92), False),
    ({"side": Side.SHORT}, short(90, 92), True),
]


@pytest.mark.parametrize(("named", "cluster", "dense"), FLOORS)
def test_a_cluster_must_reach_the_floors_a_rule_names(named: dict[str, float], cluster: Cluster, dense: bool) -> None:
    assert meets_floor(replace(near(1.0), **named), cluster) is dense  # type: ignore[arg-type]


def test_a_near_cluster_is_a_warning_and_a_very_strong_one_critical() -> None:
    loud = [
        PROXIMITY.tell(near(2), near_at(1.0, replace(BODY, strength=strength))).severity
        for strength in (60, CRITICAL_STRENGTH - 1, CRITICAL_STRENGTH)
    ]
    assert loud == [Severity.WARNING, Severity.WARNING, Severity.CRITICAL]


@pytest.mark.parametrize(
    ("value", "price", "reason"),
    [
        (
            0.84,
            86_512.3,
            "BTCUSDT at 86,512.3 is 0.84 % from the long cluster 85,400 to 85,790 (about 412M USD, strength 91); "
            "the rule asks for 1 %.",
        ),
        (
            0.0,
            85_500.0,
            "BTCUSDT at 85,500 is inside the long cluster 85,400 to 85,790 (about 412M USD, strength 91); "
            "the rule asks for 1 %.",
        ),
        (
            0.0,
            85_399.0,
            "BTCUSDT at 85,399 is through the long cluster 85,400 to 85,790 (about 412M USD, strength 91); "
            "the rule asks for 1 %.",
        ),
    ],
)
def test_proximity_explains_itself(value: float, price: float, reason: str) -> None:
    body = long(85_400.0, 85_790.0, 412e6, strength=91)
    assert PROXIMITY.tell(near(1.0), near_at(value, body, price)).reason == reason


def aged(*usd: float, **changes: object) -> Track:
    """A track with one sample a slot."""
    sizes = tuple((START + i * SLOT, size) for i, size in enumerate(usd))
    return track(long(90, 92, usd[-1]), seen_ms=sizes[-1][0], sizes=sizes, **changes)


def test_growth_is_relative_to_the_size_a_window_ago() -> None:
    grown = aged(40e6, 41e6, 42e6, 60e6)
    assert growth_pct(grown, slot_ms=grown.seen_ms, window_ms=3 * SLOT) == pytest.approx(50.0)
    shrunk = aged(40e6, 41e6, 42e6, 30e6)
    assert growth_pct(shrunk, slot_ms=shrunk.seen_ms, window_ms=3 * SLOT) == pytest.approx(-25.0)


# A track, and its metric over 3 slots: minus the growth, NEW, or None.
METRICS = [
    # old enough to compare
    (aged(40e6, 40e6, 40e6, 60e6, appeared=True), -50.0),
    # born inside the window before our eyes: new
    (aged(40e6, 60e6, appeared=True), NEW),
    # born inside the window, but the market had not been watched: no data
    (aged(40e6, 60e6), None),
    # older than the window with no sample there: no data, though it was seen to appear
    (replace(aged(40e6, 60e6, appeared=True), born_ms=START - HOUR), None),
    # nothing to divide by
    (aged(0.0, 40e6, 40e6, 40e6), None),
]


@pytest.mark.parametrize(("grown", "expected"), METRICS)
def test_growth_without_a_baseline_is_new_or_unknown_but_never_infinite(grown: Track, expected: float | None) -> None:
    found = metric(grown, slot_ms=grown.seen_ms, window_ms=3 * SLOT)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("minutes", "recover_minutes"), [(15, 10), (40, 10), (240, 60), (1440, 360)])
def test_growth_recovers_for_a_quarter_of_its_window_at_least_ten_minutes(minutes: int, recover_minutes: int) -> None:
    found = terms(grows(30, minutes * MINUTE))
    assert (found.hold, found.recover_ms, found.cooldown_ms) == (2, recover_minutes * MINUTE, minutes * MINUTE)


@pytest.mark.parametrize(
    ("value", "sight"),
    [(30.0, Sight.HIT), (29.9, Sight.BETWEEN), (15.0, Sight.BETWEEN), (14.9, Sight.OUT), (-80.0, Sight.OUT)],
)
def test_growth_leaves_below_half_of_what_was_asked(value: float, sight: Sight) -> None:
    assert GROWTH.sight(grows(30), near_at(-value)) is sight


@pytest.mark.parametrize(("usd", "worth"), [(64e6, False), (65e6, True)])
def test_after_a_firing_the_next_needs_as_much_growth_again(usd: float, worth: bool) -> None:
    told = RuleState(1, "L1", told=50e6)
    assert GROWTH.worth is not None
    assert GROWTH.worth(grows(30), told, near_at(-31.0, replace(BODY, usd=usd))) is worth


def test_growth_explains_itself_and_is_louder_when_it_is_twice_what_was_asked() -> None:
    telling = GROWTH.tell(grows(30), near_at(-42.0))
    assert telling.reason == (
        "BTCUSDT: the long cluster 90 to 92 (about 50M USD, strength 80) grew 42 % in 4 h; "
        "the rule asks for 30 %; price is 93."
    )
    assert (telling.kind, telling.severity, telling.value_pct) == (Kind.GROWTH, Severity.INFO, 42.0)
    assert GROWTH.tell(grows(30), near_at(-60.0)).severity is Severity.WARNING


def test_a_new_cluster_is_called_new() -> None:
    telling = GROWTH.tell(grows(30), near_at(NEW))
    assert telling.reason == (
        "BTCUSDT: the long cluster 90 to 92 (about 50M USD, strength 80) is new within 4 h; price is 93."
    )
    assert (telling.kind, telling.severity, telling.value_pct) == (Kind.NEW_CLUSTER, Severity.INFO, 0.0)


@pytest.mark.parametrize(
    ("price", "words"),
    [(86_512.3, "86,512.3"), (1_234_567.8, "1,234,568"), (0.00001234, "0.00001234"), (2.0, "2"), (1000.0, "1,000")],
)
def test_prices_read_plainly(price: float, words: str) -> None:
    assert price_words(price) == words


@pytest.mark.parametrize(
    ("usd", "words"),
    [(412e6, "412M"), (1.5e9, "1.5B"), (250e3, "250k"), (999.0, "999"), (999_999.0, "1M"), (2.5e12, "2500B")],
)
def test_sizes_read_plainly(usd: float, words: str) -> None:
    assert usd_words(usd) == words


def test_windows_read_plainly() -> None:
    assert [span_words(minutes * MINUTE) for minutes in (15, 60, 90, 1440)] == ["15 min", "1 h", "90 min", "24 h"]


@pytest.mark.parametrize("kind", sorted(OF_CLUSTERS))
def test_rules_that_ask_for_as_much_of_a_cluster_say_the_same(kind: Kind) -> None:
    rule = Rule(1, 7, BTC, kind, 3.0, HOUR)
    where = Where(price_low=1.0, price_high=1e6, near_pct=0.1, far_pct=9.0, odds_pct=1.0, odds_ms=HOUR, confluence=True)
    other = Rule(
        *(2, 8, BTC, kind, 3.0, HOUR, Side.LONG),
        min_usd=1.0,
        min_strength=5,
        created_ms=START,
        snoozed_until_ms=START,
        where=where,
        repeat=Repeat.EVERY,
        repeat_ms=HOUR,
        expires_ms=START + HOUR,
        label="mine",
    )
    measured = replace(near_at(-31.0), figures=((AFTER, 1.0), (REALISED, 5e6)))
    tell = JUDGES[kind].tell
    assert tell(rule, measured) == tell(other, measured)
