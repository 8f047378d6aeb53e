"""The engine end to end in memory: maps and ticks in, changes out, nothing applied before it is committed."""

import gc

import numpy as np
import pytest

from bot.alerts import Engine
from bot.alerts.matching import Watch
from bot.alerts.readings import Standing
from bot.alerts.types import Changes, CloseReason, Kind, Market, Phase, Track, Where
from bot.alerts.verdicts import BREAKER
from bot.liquidation.types import Cluster, Feature, Mark
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import (
    BTC,
    ETH,
    HOUR,
    MINUTE,
    SLOT,
    START,
    Bench,
    asked,
    grows,
    long,
    near,
    reading,
    short,
)

LIVE = START + 75_000
"""When the first map has been judged and ticks go on."""


def near_bench(*prices: float, percent: float = 2.0, **settings: int) -> Bench:
    """A proximity rule over a long body at 90 to 92 (2 % is 93.86, its exit 94.33), after ticks at these prices."""
    bench = Bench(near(percent), **settings)
    bench.map(reading(START, [long(90, 92)]))
    bench.walk(LIVE, prices)
    return bench


def test_an_approach_is_told_once_with_all_its_text_needs() -> None:
    bench = near_bench(95.0)
    (event,) = bench.walk(LIVE + 2_000, [94.0, 93.5, 93.0, 92.5])
    assert (event.kind, event.rule_id, event.chat, event.episode) == (Kind.PROXIMITY, 1, 7, 1)
    assert event.time_ms == LIVE + 4_000
    assert event.price == 93.5
    assert event.value_pct == pytest.approx(1.617, abs=1e-3)
    assert (event.threshold_pct, event.window_ms) == (2.0, 0)
    assert (event.map_ms, event.open_interest, event.touch) == (START, "measured", ((1, 0.5), (4, 0.75)))
    assert event.cluster == long(90, 92)
    (track,) = bench.engine.tracks(BTC)
    assert event.dedupe_key == f"1:binance:BTCUSDT:{track.id}:1:proximity"


def test_price_that_oscillates_at_the_threshold_is_told_once() -> None:
    bench = near_bench(95.0)
    assert len(bench.walk(LIVE + 2_000, [93.8, 93.95] * 500)) == 1


def test_price_that_leaves_and_returns_is_told_again_after_the_cooldown() -> None:
    bench = near_bench(95.0, 93.5)
    assert bench.rest(LIVE + MINUTE, LIVE + 2 * MINUTE, 96.0) == []
    bench.map(reading(START + 6 * SLOT, [long(90, 92)], price=96.0, low=94.0, high=96.0))
    assert bench.rest(LIVE + 2 * MINUTE, LIVE + 31 * MINUTE, 96.0) == []
    assert bench.state().phase is Phase.ARMED
    (event,) = bench.walk(LIVE + 31 * MINUTE, [93.5, 93.0])
    assert event.episode == 2


def test_price_that_returns_within_the_cooldown_is_silent() -> None:
    bench = near_bench(95.0, 93.5)
    bench.rest(LIVE + MINUTE, LIVE + 10 * MINUTE, 96.0)
    assert bench.walk(LIVE + 10 * MINUTE, [93.5]) == []
    assert (bench.state().phase, bench.state().episode) == (Phase.FIRED, 1)


def test_a_jump_through_the_whole_body_is_told_once() -> None:
    bench = near_bench(95.0)
    (event,) = bench.walk(LIVE + 2_000, [89.0, 88.0, 95.0, 88.0])
    assert (event.price, event.value_pct) == (89.0, 0.0)
    assert "is through the long cluster" in event.reason


def test_a_body_found_passed_after_a_gap_is_not_told() -> None:
    bench = near_bench(95.0)
    assert bench.walk(LIVE + 10_000, [89.0, 88.9]) == []


def test_nothing_fires_for_a_crossing_inside_a_gap_unless_it_still_holds() -> None:
    bench = near_bench(95.0)
    assert bench.walk(LIVE + 2 * HOUR, [95.0]) == []
    away = near_bench(95.0)
    away.map(reading(START + 24 * SLOT, [long(90, 92)], low=92.5, high=96.0))
    assert len(away.walk(START + 24 * SLOT + 75_000, [93.5])) == 1


def test_a_stale_price_is_no_data() -> None:
    bench = near_bench(95.0)
    assert bench.tick(LIVE + 2_000, 93.0, now_ms=LIVE + 8_001).events == ()
    assert len(bench.tick(LIVE + 2_001, 93.0, now_ms=LIVE + 8_001).events) == 1


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -93.0])
def test_a_price_that_is_no_price_is_no_data(price: float) -> None:
    bench = near_bench(95.0)
    assert not bench.tick(LIVE + 2_000, price)
    assert len(bench.tick(LIVE + 4_000, 93.0).events) == 1


def test_a_wall_clock_that_goes_back_fires_nothing_twice() -> None:
    bench = near_bench(95.0, 93.5)
    for minute in range(1, 60):
        moment = LIVE + minute * MINUTE
        assert bench.tick(moment, 96.0 if minute % 2 else 93.5, now_ms=moment - HOUR).events == ()


def test_a_map_too_old_is_no_data() -> None:
    bench = near_bench(95.0)
    late = START + 31 * MINUTE
    assert bench.walk(late, [93.0]) == []
    bench.map(reading(START + 7 * SLOT, [long(90, 92)]))
    assert len(bench.walk(late + SLOT, [93.0])) == 1


def test_recovery_stands_still_while_the_feed_is_silent() -> None:
    bench = near_bench(95.0, 93.5)
    bench.walk(LIVE + 4_000, [96.0])
    assert bench.state().phase is Phase.RECOVERING
    for slot in range(1, 9):
        bench.map(reading(START + slot * SLOT, [long(90, 92)], price=96.0, low=95.0, high=97.0))
    bench.walk(LIVE + 40 * MINUTE, [96.0])
    assert bench.state().phase is Phase.RECOVERING, "40 minutes by the clock, seconds seen"
    bench.rest(LIVE + 40 * MINUTE + 2_000, LIVE + 46 * MINUTE, 96.0)
    assert bench.state().phase is Phase.ARMED


def test_a_body_absent_from_the_newest_map_is_no_data_until_it_returns() -> None:
    bench = near_bench(95.0)
    bench.map(reading(START + SLOT, []))
    assert bench.walk(START + SLOT + 75_000, [93.0]) == []
    bench.map(reading(START + 2 * SLOT, [long(90, 92)]))
    assert len(bench.walk(START + 2 * SLOT + 75_000, [93.0])) == 1


def test_a_swept_track_closes_its_states() -> None:
    bench = near_bench(95.0, 93.5)
    changes = bench.map(reading(START + SLOT, [], price=89.5, low=89.0, high=95.0))
    (track,), (state,) = changes.tracks, changes.states
    assert (track.closed, state.phase) == (CloseReason.SWEPT, Phase.CLOSED)
    assert state.episode == 1
    assert bench.engine.tracks(BTC) == ()


def test_a_cluster_is_told_when_it_becomes_dense_enough_beside_price() -> None:
    bench = Bench(near(2.0))
    bench.map(reading(START, [long(90, 92, strength=20)]))
    assert bench.walk(LIVE, [93.0]) == []
    bench.map(reading(START + SLOT, [long(90, 92, strength=90)]))
    assert len(bench.walk(LIVE + SLOT, [93.0])) == 1


def test_each_side_and_each_cluster_is_told_on_its_own() -> None:
    bench = Bench(near(5.0))
    bench.map(reading(START, [long(90, 92), long(94, 96), short(104, 106)]))
    assert len({event.track_id for event in bench.walk(LIVE, [100.0, 100.1])}) == 2


def test_a_slot_run_twice_changes_nothing() -> None:
    bench = near_bench(95.0, 93.5)
    held = bench.engine.tracks(BTC)
    for late in (START, START - SLOT):
        assert not bench.map(reading(late, [long(50, 51)], low=1.0, high=1e9))
    assert bench.engine.tracks(BTC) == held


def test_a_tick_run_twice_changes_nothing() -> None:
    bench = near_bench(95.0)
    assert bench.tick(LIVE + 2_000, 93.0)
    assert not bench.tick(LIVE + 2_000, 93.0)
    assert not bench.tick(LIVE + 2_000, 96.0)


def test_what_was_not_committed_is_found_again() -> None:
    bench = near_bench(95.0)
    prices, times = np.array([93.0]), np.array([LIVE + 2_000])
    lost = bench.engine.evaluate_tick("binance", ("BTCUSDT",), prices, times, now_ms=LIVE + 2_000)
    again = bench.engine.evaluate_tick("binance", ("BTCUSDT",), prices, times, now_ms=LIVE + 2_000)
    assert lost.events
    assert lost == again

    second = reading(START + SLOT, [long(90, 92), short(110, 112)])
    assert bench.engine.evaluate_map(second) == bench.engine.evaluate_map(second)
    assert len(bench.engine.tracks(BTC)) == 1


# Growth: a rule of 30 % over one hour, sizes recompute by recompute in millions, the recomputes that alert.
GROWTHS = [
    # steady
    ([50] * 20, []),
    # grown by more than asked at 13, told at the second recompute in a row
    ([50] * 13 + [70] * 4, [14]),
    # one odd recompute is not news
    ([50] * 13 + [70, 50, 50, 70, 50], []),
    # it stays told while it stays grown
    ([50] * 13 + [70] * 11, [14]),
    # it grows on and on: told once, for it never left
    ([50] * 13 + [70 + 3 * i for i in range(20)], [14]),
    # back, cooled down, and grown once more, but not over what was told (70): silent
    ([50] * 13 + [70] * 2 + [50] * 26 + [71] * 3, [14]),
    # and by 30 % over what was told: news
    ([50] * 13 + [70] * 2 + [50] * 26 + [92] * 3, [14, 42]),
]


@pytest.mark.parametrize(("millions", "alerts"), GROWTHS)
def test_growth_is_told_by_its_own_rhythm(millions: list[int], alerts: list[int]) -> None:
    bench = Bench(grows(30.0, HOUR))
    told = [
        i
        for i, size in enumerate(millions)
        for _ in bench.map(reading(START + i * SLOT, [long(90, 92, size * 1e6)])).events
    ]
    assert told == alerts


def test_a_cluster_seen_to_appear_is_told_of_as_new_and_once() -> None:
    bench = Bench(grows(30.0, HOUR))
    for i in range(4):
        bench.map(reading(START + i * SLOT, [long(90, 92)]))
    told = [
        event
        for i in range(4, 10)
        for event in bench.map(reading(START + i * SLOT, [long(90, 92), short(105, 107)])).events
    ]
    assert [(event.kind, event.cluster and event.cluster.side.value, event.value_pct) for event in told] == [
        ("new_cluster", "short", 0.0)
    ]
    assert told[0].time_ms == START + 5 * SLOT + 75_000, "dated by when it was judged"


def test_clusters_of_the_first_map_are_not_news() -> None:
    bench = Bench(grows(30.0, HOUR))
    assert not any(bench.map(reading(START + i * SLOT, [long(90, 92)])).events for i in range(14))


def test_after_a_gap_or_another_model_nothing_is_new() -> None:
    for version, slot in (("1", 10), ("2", 1)):
        bench = Bench(grows(30.0, HOUR))
        bench.map(reading(START, [long(90, 92)]))
        for i in range(3):
            found = reading(START + (slot + i) * SLOT, [long(90, 92), long(80, 82)], version=version)
            assert bench.map(found).events == ()


def test_growth_is_not_compared_across_model_versions() -> None:
    bench = Bench(grows(30.0, HOUR))
    for i in range(30):
        size, version = (50e6, "1") if i < 13 else (90e6, "2")
        assert bench.map(reading(START + i * SLOT, [long(90, 92, size)], version=version)).events == ()


def test_a_rule_true_when_it_is_made_starts_silently() -> None:
    bench = Bench()
    bench.map(reading(START, [long(90, 92), long(80, 82)]))
    bench.walk(LIVE, [93.0])
    rule = near(2.0)
    look = bench.engine.first_look(rule)
    assert look.already is not None
    assert look.already.cluster == long(90, 92)
    assert look.distance_pct == pytest.approx(1.081, abs=1e-3)
    (state,) = look.states
    assert (state.phase, state.episode) == (Phase.FIRED, 0)
    bench.engine.add_rule(rule, look.states)
    assert bench.walk(LIVE + 2_000, [93.0, 92.5]) == []


def test_a_rule_not_yet_true_starts_armed() -> None:
    bench = Bench()
    bench.map(reading(START, [long(90, 92)]))
    bench.walk(LIVE, [99.0])
    look = bench.engine.first_look(near(2.0))
    assert (look.states, look.already) == ((), None)
    bench.engine.add_rule(near(2.0), look.states)
    assert len(bench.walk(LIVE + 2_000, [93.0])) == 1


def test_a_first_look_at_an_unknown_market_finds_nothing() -> None:
    assert Engine().first_look(near(2.0)).states == ()
    assert Engine().nearest(near(2.0)) is None


def test_growth_that_is_true_when_its_rule_is_made_is_no_alert() -> None:
    bench = Bench()
    for i in range(14):
        bench.map(reading(START + i * SLOT, [long(90, 92, 90e6 if i > 12 else 50e6)]))
    rule = grows(30.0, HOUR)
    look = bench.engine.first_look(rule)
    assert look.already is not None
    bench.engine.add_rule(rule, look.states)
    for i in range(14, 18):
        assert bench.map(reading(START + i * SLOT, [long(90, 92, 90e6)])).events == ()


def test_an_edited_rule_goes_on_counting_its_episodes() -> None:
    bench = near_bench(95.0, 93.5)
    bench.walk(LIVE + 4_000, [96.0])
    edited = near(1.0)
    look = bench.engine.first_look(edited)
    bench.engine.replace_rule(edited, look.states)
    (event,) = bench.walk(LIVE + 6_000, [96.0, 92.5])
    assert event.episode == 2


def test_a_snoozed_rule_tells_on_waking_what_still_holds() -> None:
    bench = near_bench(99.0)
    bench.engine.replace_rule(replace(near(2.0), snoozed_until_ms=LIVE + MINUTE))
    assert bench.rest(LIVE + 2_000, LIVE + MINUTE, 93.0) == []
    (event,) = bench.rest(LIVE + MINUTE, LIVE + 2 * MINUTE, 93.0)
    assert event.time_ms == LIVE + MINUTE


def test_a_snoozed_rule_says_nothing_of_what_passed_while_it_slept() -> None:
    bench = near_bench(99.0)
    bench.engine.replace_rule(replace(near(2.0), snoozed_until_ms=LIVE + MINUTE))
    bench.rest(LIVE + 2_000, LIVE + 40_000, 93.0)
    assert bench.rest(LIVE + 40_000, LIVE + 2 * MINUTE, 99.0) == []


def test_a_paused_rule_is_silent_until_it_is_resumed() -> None:
    bench = near_bench(99.0)
    bench.engine.replace_rule(replace(near(2.0), paused_reason="chat_inactive"))
    assert bench.rest(LIVE + 2_000, LIVE + 2 * MINUTE, 93.0) == []
    bench.engine.replace_rule(near(2.0))
    assert len(bench.walk(LIVE + 2 * MINUTE, [93.0])) == 1


def test_a_removed_rule_is_silent_and_forgotten() -> None:
    bench = near_bench(99.0)
    bench.engine.remove_rule(1)
    bench.engine.remove_rule(1)
    assert bench.walk(LIVE + 2_000, [93.0]) == []
    assert bench.engine.markets() == set()
    assert bench.engine.rule(1) is None


def test_a_rule_removed_before_its_changes_are_applied_stays_removed() -> None:
    bench = near_bench(99.0)
    prices, times = np.array([93.0]), np.array([LIVE + 2_000])
    changes = bench.engine.evaluate_tick("binance", ("BTCUSDT",), prices, times, now_ms=LIVE + 2_000)
    bench.engine.remove_rule(1)
    bench.engine.apply(replace(changes, rules=(near(2.0),)))
    assert bench.engine.rule(1) is None


def test_a_rule_of_a_kind_that_no_rule_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="expiry"):
        Engine([replace(near(1.0), kind=Kind.EXPIRY)])


def crowd(size: int) -> list[Track]:
    return [Track(f"L{i:02}", BTC, long(90 - i, 90.5 - i), START, START) for i in range(size)]


def test_the_breaker_pauses_a_rule_that_fires_too_often_and_says_so_once() -> None:
    bench = Bench(near(20.0, rule_id=1), near(20.0, rule_id=2, market=ETH))
    bench.engine = Engine(bench.store.rules.values(), crowd(16))
    bench.map(reading(START, []))
    bench.map(reading(START + SLOT, [track.cluster for track in crowd(16)]))
    changes = bench.tick(START + SLOT + 75_000, 91.0)
    assert len(changes.events) == 15
    assert [(rule.id, rule.paused_reason) for rule in changes.rules] == [(1, BREAKER)]
    assert bench.walk(START + SLOT + 77_000, [91.0, 90.9]) == []


def test_the_breaker_counts_three_minutes_only() -> None:
    bodies = [long(90, 92), short(99, 101), short(108, 110)]
    for pause_ms, paused in ((MINUTE, True), (4 * MINUTE, False)):
        bench = Bench(near(2.0), breaker_firings=3)
        bench.map(reading(START, bodies))
        changes: Changes = Changes()
        for i, price in enumerate((93.0, 98.0, 107.0)):
            changes = bench.tick(LIVE + i * pause_ms // 2, price)
            assert len(changes.events) == 1
        assert bool(changes.rules) is paused


def test_nearest_shows_where_a_rule_stands() -> None:
    bench = near_bench(95.0)
    standing = bench.engine.nearest(near(2.0))
    assert standing is not None
    assert standing.track is not None
    assert (standing.track.cluster, standing.phase, standing.cooling_until_ms) == (long(90, 92), Phase.ARMED, 0)
    assert standing.distance_pct == pytest.approx(3.209, abs=1e-3)
    bench.walk(LIVE + 2_000, [93.5])
    fired = bench.engine.nearest(near(2.0))
    assert fired is not None
    assert (fired.phase, fired.cooling_until_ms) == (Phase.FIRED, LIVE + 2_000 + 30 * MINUTE)
    bench.walk(LIVE + 4_000, [96.0])
    cooling = bench.engine.nearest(near(2.0))
    assert cooling is not None
    assert (cooling.phase, cooling.cooling_until_ms) == (Phase.RECOVERING, LIVE + 2_000 + 30 * MINUTE)
    for nothing in (replace(near(2.0), min_usd=1e9), replace(near(2.0), where=Where(price_high=89.0))):
        assert bench.engine.nearest(nothing) == Standing(None, None, Phase.ARMED)


def test_a_restart_goes_on_where_the_last_commit_left_it() -> None:
    bench = near_bench(95.0, 93.5)
    bench.restart()
    assert bench.walk(LIVE + 10_000, [93.0]) == [], "no map has been read yet"
    assert not bench.map(reading(START, [long(90, 92)])), "the slot was done before"
    assert bench.walk(LIVE + 12_000, [93.0, 92.5]) == []
    assert bench.state().phase is Phase.FIRED


def test_a_slot_repeated_after_a_restart_is_known_by_its_tracks_alone() -> None:
    bench = near_bench(95.0)
    bench.map(reading(START + SLOT, []))
    (missed,) = bench.engine.tracks(BTC)
    assert missed.missed == 1
    engine = Engine([near(2.0)], [missed])
    assert not engine.evaluate_map(reading(START + SLOT, []))
    assert engine.evaluate_map(reading(START + 2 * SLOT, [])).tracks[0].missed == 2


def test_closed_tracks_leave_nothing_behind() -> None:
    bench = Bench(near(2.0, rule_id=1), grows(30.0, rule_id=2))
    for i in range(40):
        bench.map(reading(START + 2 * i * SLOT, [long(90, 92)]))
        bench.walk(START + 2 * i * SLOT + 75_000, [93.0])
        bench.map(reading(START + (2 * i + 1) * SLOT, [], low=89.0, high=93.0))
    gc.collect()
    kept = [found for found in gc.get_objects() if isinstance(found, Watch)]
    assert len(kept) < 10
    assert bench.engine.tracks(BTC) == ()


def test_a_restart_in_the_middle_loses_no_alert() -> None:
    bench = near_bench(95.0)
    bench.restart()
    bench.map(reading(START, [long(90, 92)]))
    assert len(bench.walk(LIVE + 10_000, [93.5])) == 1


def test_markets_with_the_same_symbol_on_two_exchanges_are_apart() -> None:
    other = Market("okx", "BTCUSDT")
    bench = Bench(near(2.0, rule_id=1), near(2.0, rule_id=2, market=other))
    bench.map(reading(START, [long(90, 92)]))
    bench.map(reading(START, [long(80, 82)], market=other))
    assert [event.rule_id for event in bench.walk(LIVE, [93.0])] == [1]
    assert [event.rule_id for event in bench.tick(LIVE, 83.0, market=other).events] == [2]
    assert bench.engine.markets() == {BTC, other}


def test_a_part_that_splits_off_was_told_of_with_the_whole() -> None:
    bench = Bench(near(1.0))
    bench.map(reading(START, [short(103.0, 108.0, 100e6)]))
    bench.tick(START + 2_000, 100.0)
    assert len(bench.tick(START + 4_000, 102.5).events) == 1
    bench.tick(START + 6_000, 100.0)
    parts = [short(103.0, 104.0, 30e6), short(105.0, 108.0, 70e6)]
    bench.map(reading(START + SLOT, parts, price=100.0, low=100.0, high=102.5))
    assert {track.born_ms for track in bench.engine.tracks(BTC)} == {START, START + SLOT}
    assert bench.tick(START + SLOT + 2_000, 102.5).events == (), "the nearer part has a new name and is no news"


NODE = Mark(Feature.VOLUME_NODE, 92.0)


def at_ninety_two(cluster: Cluster) -> tuple[Mark, ...]:
    """Something stands at the near edge of longs at 92, and at no other."""
    return (NODE,) if cluster.high == 92 else ()


def test_a_rule_may_ask_for_clusters_where_something_else_stands() -> None:
    bench = Bench(asked("BTC 2% confluence"), asked("BTC 2%", rule_id=2))
    bench.map(reading(START, [long(90, 92), short(108, 110)], marks=at_ninety_two))
    assert [event.rule_id for event in bench.walk(LIVE, [100.0, 106.5])] == [2]
    told = bench.walk(LIVE + 4_000, [100.0, 93.5])
    assert [event.rule_id for event in told] == [1, 2]
    assert all(event.cluster is not None and event.cluster.confluence == (NODE,) for event in told)


def test_what_else_stands_is_asked_only_where_a_rule_does_or_an_alert_is_told() -> None:
    asked_of: list[Cluster] = []

    def marks(cluster: Cluster) -> tuple[Mark, ...]:
        asked_of.append(cluster)
        return ()

    bench = near_bench(95.0)
    bench.map(reading(START + SLOT, [long(90, 92), short(120, 125)], marks=marks))
    bench.walk(LIVE + SLOT, [95.0, 94.9, 96.0])
    assert asked_of == []
    bench.walk(LIVE + SLOT + MINUTE, [93.0])
    assert asked_of == [long(90, 92)]


def test_the_engine_knows_which_markets_ask_what_else_stands() -> None:
    bench = Bench(asked("BTC 2%"))
    assert not bench.engine.asks_surroundings(BTC)
    bench.add(asked("BTC 2% confluence", rule_id=2))
    assert bench.engine.asks_surroundings(BTC)
    assert not bench.engine.asks_surroundings(ETH)
