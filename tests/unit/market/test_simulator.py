"""The simulated market keeps its own books: what it publishes and what it knows to be true agree to the coin."""

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bot.liquidation.values import replace
from bot.market import simulator
from bot.market.recording import Recording, gaps
from bot.market.simulator import SimulatedMarket, merge_prints, simulate, write_recording
from bot.market.simulator_parameters import PRESETS, SimulationParameters, demo_markets
from bot.market.simulator_play import Play
from bot.market.types import BAR_MS, Floats


def brief(preset: str, *, seed: int = 5, days: int = 2) -> SimulationParameters:
    """A variant of two days, all of whose mark prices are kept."""
    return replace(PRESETS[preset], seed=seed, days=days, warmup_days=0, price_days=days)


@cache
def market(preset: str, seed: int = 5) -> SimulatedMarket:
    return simulate(brief(preset, seed=seed))


def liquidated_share(of: SimulatedMarket) -> float:
    return float(of.prints.coins.sum() / of.open_interest.coins.mean())


def median_distance(of: SimulatedMarket, *, is_long: bool) -> float:
    """The distance from price to liquidation in log, that half of the side's notional stands within."""
    rows = of.truth.is_long == is_long
    distance = np.abs(np.log(of.truth.liquidation_price[rows] / of.prices.price[-1]))
    order = np.argsort(distance)
    usd = np.cumsum(of.truth.usd[rows][order])
    return float(distance[order][np.searchsorted(usd, usd[-1] / 2)])


@pytest.mark.parametrize("preset", PRESETS)
class TestEveryVariant:
    def test_each_side_holds_the_open_interest(self, preset: str) -> None:
        played = market(preset)
        last_mark = played.prices.price[-1]
        longs = played.truth.usd[played.truth.is_long].sum()
        shorts = played.truth.usd[~played.truth.is_long].sum()
        assert longs == pytest.approx(shorts, rel=1e-9)
        assert longs == pytest.approx(played.open_interest.coins[-1] * last_mark, rel=1e-6)

    def test_no_open_position_stands_beyond_its_liquidation(self, preset: str) -> None:
        played = market(preset)
        last_mark = played.prices.price[-1]
        assert (played.truth.usd > 0).all()
        assert (played.truth.liquidation_price[played.truth.is_long] < last_mark).all()
        assert (played.truth.liquidation_price[~played.truth.is_long] > last_mark).all()
        assert (played.truth.liquidation_price > 0).all()

    def test_bars_are_contiguous_and_possible(self, preset: str) -> None:
        played = market(preset)
        bars = played.bars
        assert len(bars) == len(played.open_interest) == 576
        assert bars.open_ms[0] == played.parameters.start_ms
        assert gaps(bars) == ()
        assert np.array_equal(bars.open[1:], bars.close[:-1])
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.low > 0).all()
        assert (bars.volume > 0).all()
        assert ((bars.taker_buy_volume > 0) & (bars.taker_buy_volume < bars.volume)).all()
        average = bars.quote_volume / bars.volume
        assert ((average >= bars.low * (1 - 1e-12)) & (average <= bars.high * (1 + 1e-12))).all()
        assert np.array_equal(played.open_interest.time_ms, bars.open_ms + BAR_MS)

    def test_every_liquidation_is_printed_where_the_mark_price_passed_it(self, preset: str) -> None:
        played = market(preset)
        prints, prices = played.prints, played.prices
        later = prints.time_ms >= played.parameters.start_ms + 15_000
        time_ms, price, is_long = prints.time_ms[later], prints.price[later], prints.is_long[later]
        assert len(time_ms) > 0
        after = np.searchsorted(prices.time_ms, time_ms, side="right").clip(max=len(prices) - 1)
        before = np.searchsorted(prices.time_ms, time_ms - 1, side="left") - 1
        tolerance = 1 + 1e-9
        ends, begins = prices.price[after], prices.price[np.maximum(before, 0)]
        assert (np.minimum(ends, begins)[is_long] <= price[is_long] * tolerance).all()
        assert (np.maximum(ends, begins)[~is_long] * tolerance >= price[~is_long]).all()
        assert (np.diff(prints.time_ms) >= 0).all()
        assert prints.time_ms[-1] < played.parameters.end_ms


class TestSameSeed:
    def test_the_same_parameters_write_the_same_bytes(self, tmp_path: Path) -> None:
        parameters = brief("base", days=1)
        for name in ("a", "b"):
            write_recording([simulate(parameters)], tmp_path / name)
        files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
        assert [path.name for path in files] == [
            "bars_5m.csv.gz",
            "depth.csv.gz",
            "open_interest_5m.csv.gz",
            "prices.csv.gz",
            "truth.csv.gz",
            "liquidations.csv.gz",
            "tiers.json",
        ]
        for path in files:
            assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()

    def test_another_seed_is_another_market(self) -> None:
        assert not np.array_equal(market("base").bars.close, market("base", seed=6).bars.close)

    def test_more_days_go_on_from_the_same_days(self) -> None:
        longer = simulate(brief("base", days=3))
        shorter = market("base")
        for column in ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume"):
            assert np.array_equal(getattr(longer.bars, column)[:576], getattr(shorter.bars, column))
        assert np.array_equal(longer.open_interest.coins[:576], shorter.open_interest.coins)

    def test_a_written_market_reads_back(self, tmp_path: Path) -> None:
        played = market("base")
        write_recording([played, simulate(replace(brief("trend", days=1), symbol="SIMBUSDT"))], tmp_path)
        recording = Recording(tmp_path)
        assert recording.exchanges == (simulator.EXCHANGE,)
        assert recording.symbols("simulated") == ("SIMBUSDT", "SIMUSDT")
        assert np.array_equal(recording.bars("simulated", "SIMUSDT").quote_volume, played.bars.quote_volume)
        truth, prints = recording.truth("simulated", "SIMUSDT"), recording.prints("simulated")
        assert truth is not None
        assert np.array_equal(truth.usd, played.truth.usd)
        assert prints is not None
        ours = np.array(prints.symbol) == "SIMUSDT"
        assert np.array_equal(prints.price[ours], played.prints.price)
        assert recording.tiers("simulated")["SIMUSDT"] == played.tiers
        [depth] = recording.books("simulated", "SIMUSDT")
        assert depth.time_ms == played.depth.time_ms == played.parameters.end_ms
        for column in ("bid_price", "bid_coins", "ask_price", "ask_coins"):
            assert np.array_equal(getattr(depth, column), getattr(played.depth, column))


class TestPersonality:
    def test_high_leverage_stands_nearer_and_is_liquidated_more_than_low(self) -> None:
        high, low = market("high_leverage_fast"), market("low_leverage_slow")
        assert liquidated_share(high) > 5 * liquidated_share(low)
        for is_long in (True, False):
            assert median_distance(high, is_long=is_long) < 0.5 * median_distance(low, is_long=is_long)

    def test_asymmetric_longs_stand_farther_than_shorts(self) -> None:
        played = market("asymmetric")
        assert median_distance(played, is_long=True) > 3 * median_distance(played, is_long=False)

    def test_cross_margin_is_liquidated_less(self) -> None:
        assert liquidated_share(market("cross_margin")) < 0.8 * liquidated_share(market("base"))

    def test_two_speeds_turn_over_more(self) -> None:
        assert market("two_speed").opened_longs.sum() > 1.1 * market("base").opened_longs.sum()

    def test_herding_makes_entries_burst(self) -> None:
        def burst(opened: Floats) -> float:
            return float(np.sort(opened)[-58:].sum() / opened.sum())

        assert burst(market("herding").opened_longs) > 1.1 * burst(market("base").opened_longs)

    def test_a_trend_goes_where_it_says(self) -> None:
        up, level = market("trend"), market("base")
        gained = np.log(up.bars.close[-1] / up.bars.open[0]) - np.log(level.bars.close[-1] / level.bars.open[0])
        assert gained == pytest.approx(0.25, abs=0.05)

    def test_a_change_of_regime_turns_the_book_over_faster_after_the_half(self) -> None:
        changed, before = market("regime_change"), market("base")
        assert np.array_equal(changed.bars.close[:288], before.bars.close[:288])
        assert changed.opened_longs[288:].sum() > 2 * before.opened_longs[288:].sum()

    def test_heavy_tails_put_more_of_the_side_into_its_largest_lots(self) -> None:
        def largest(of: SimulatedMarket) -> float:
            usd = np.sort(of.truth.usd)[::-1]
            return float(usd[: len(usd) // 100].sum() / usd.sum())

        assert largest(market("heavy_tailed")) > 2 * largest(market("base"))

    def test_a_throttled_feed_prints_the_largest_of_each_second(self) -> None:
        whole = market("high_leverage_fast").prints
        throttled = simulate(replace(brief("high_leverage_fast"), print_throttle_ms=1000)).prints
        seconds = throttled.time_ms // 1000
        assert len(set(seconds.tolist())) == len(throttled) < len(whole)
        largest = {second: whole.coins[whole.time_ms // 1000 == second].max() for second in seconds[:50].tolist()}
        assert throttled.coins[:50].tolist() == list(largest.values())

    def test_large_liquidations_bend_price_the_way_they_trade(self) -> None:
        still = simulate(replace(brief("high_leverage_fast", days=1), impact=0.0))
        bent = market("high_leverage_fast")
        first = int(np.argmax(still.bars.close != bent.bars.close[:288]))
        before = bent.prints.time_ms < bent.bars.open_ms[first]
        assert before.any()
        sold = bent.prints.coins[before & bent.prints.is_long].sum()
        bought = bent.prints.coins[before & ~bent.prints.is_long].sum()
        assert (bent.bars.close[first] > still.bars.close[first]) == (bought > sold)

    def test_the_book_is_what_the_law_of_impact_amounts_to(self) -> None:
        depth = market("base").depth
        parameters = market("base").parameters
        mark, coins = depth.bid_price[0] * np.exp(1e-3), float(market("base").open_interest.coins[-1])
        seen = np.log(mark / depth.bid_price) < 0.0055
        for side in (depth.bid_coins, depth.ask_coins):
            half_a_percent = side[: int(seen.sum())].sum()
            assert half_a_percent == pytest.approx(0.005 * coins / parameters.impact, rel=0.2)
        assert (np.diff(depth.bid_price) < 0).all()
        assert (np.diff(depth.ask_price) > 0).all()
        assert depth.bid_price[0] < depth.ask_price[0]

    def test_the_book_of_any_moment_is_around_the_price_and_thicker_where_it_was_pushed_to(self) -> None:
        played = market("base")
        end_ms = played.parameters.end_ms
        at_the_end, told = played.depth_at(end_ms), played.depth
        assert at_the_end is not None
        assert played.depth_at(int(played.bars.open_ms[0])) is None
        assert at_the_end.bid_coins == pytest.approx(told.bid_coins, rel=1e-5)
        assert at_the_end.ask_price == pytest.approx(told.ask_price, rel=1e-3)
        fallen = int(np.argmin(played.pushed))
        assert played.pushed[fallen] < -0.001
        book = played.depth_at(int(played.bars.open_ms[fallen]) + BAR_MS)
        assert book is not None
        assert book.bid_coins[0] > book.ask_coins[0]

    def test_a_market_that_is_held_is_moved_by_forced_orders_alone(self) -> None:
        parameters = brief("base", days=1)
        play = Play(parameters)
        for bar in range(play.bars - 12):
            play.step(bar)
        start = play.tape.last_mark * 0.97
        play.hold(play.bars - 12, start)
        for bar in range(play.bars - 12, play.bars):
            play.step(bar)
        assert start * 0.97 < play.tape.last_mark < start * 1.0001

    def test_prices_are_written_for_the_last_days_alone(self) -> None:
        played = simulate(replace(PRESETS["base"], days=2, warmup_days=0, price_days=1, tick_s=30))
        end_ms = played.parameters.end_ms
        assert np.array_equal(played.prices.time_ms, np.arange(end_ms - 86_400_000 + 30_000, end_ms + 1, 30_000))
        assert len(simulate(replace(PRESETS["base"], days=1, warmup_days=0)).prices) == 0


def test_the_demo_plays_three_unlike_markets() -> None:
    parameters = demo_markets(seed=3, days=5, price_days=9)
    assert [p.symbol for p in parameters] == ["SIMUSDT", "SIMBUSDT", "SIMCUSDT"]
    assert len({p.seed for p in parameters}) == 3
    assert {p.price_days for p in parameters} == {5}


def test_prints_of_markets_are_merged_in_time() -> None:
    merged = merge_prints([market("base").prints, market("trend").prints])
    assert len(merged) == len(market("base").prints) + len(market("trend").prints)
    assert (np.diff(merged.time_ms) >= 0).all()
    assert len(merge_prints([])) == 0


@pytest.mark.parametrize(
    "change", [{"days": 0}, {"tick_s": 7}, {"start_ms": 1}, {"start_price": 0.0}, {"daily_volatility": -1.0}]
)
def test_impossible_parameters_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="simulation"):
        SimulationParameters(**change)  # type: ignore[arg-type]


def test_the_measuring_rod_shares_nothing_with_what_it_measures() -> None:
    for path in Path(simulator.__file__).parent.glob("simulator*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bot.liquidation"):
                assert {name.name for name in node.names} <= {"RiskTier", "replace"}, path.name
