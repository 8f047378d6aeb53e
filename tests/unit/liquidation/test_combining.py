"""Maps of several venues on one grid: nothing is lost on the way, each part weighs what it has, and what has no size
stays out."""

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.combining import VenuePart, combine_maps, lay_over
from bot.liquidation.grid import CELL
from bot.liquidation.model import PositionModel
from bot.liquidation.types import History, LiquidationMap, MapLimit
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import history_of, random_market

WEEK = 7 * 288
MODEL = PositionModel.rebuild(random_market(6, WEEK))
MEASURED = MODEL.map(price=100.0)
VOLUME = PositionModel.rebuild(history_of(np.full(30, 100.0))).map(price=100.0)


def dearer(history: History, factor: float) -> History:
    """The same contract in units of `factor` coins."""
    prices = {name: getattr(history, name) * factor for name in ("open", "high", "low", "close")}
    coins = {name: getattr(history, name) / factor for name in ("volume", "open_interest")}
    return replace(history, **prices, **coins)


def sides(read: LiquidationMap) -> list[tuple[np.ndarray[tuple[int], np.dtype[np.float64]], float]]:
    return [(read.long_usd, read.long_total_usd), (read.short_usd, read.short_total_usd)]


class TestLaidOver:
    def test_a_map_on_its_own_grid_is_itself(self) -> None:
        laid = lay_over(MEASURED, price=MEASURED.price, scale=1.0)
        assert np.array_equal(laid.low, MEASURED.low)
        for (usd, total), (before, total_before) in zip(sides(laid), sides(MEASURED), strict=True):
            np.testing.assert_allclose(usd, before, atol=1e-9 * before.max())
            assert total == total_before

    @given(st.floats(1e-9, 1e9), st.floats(-0.01, 0.01))
    def test_no_dollar_is_lost_or_made(self, units: float, basis: float) -> None:
        scale = units * exp(basis)
        laid = lay_over(MEASURED, price=MEASURED.price * scale, scale=scale)
        for (usd, total), (before, total_before) in zip(sides(laid), sides(MEASURED), strict=True):
            assert total == pytest.approx(total_before)
            # What a shift may push out at the window's ends is less than one cell.
            assert before[1:-1].sum() * (1 - 1e-9) <= usd.sum() <= before.sum() * (1 + 1e-9)

    @given(st.sampled_from([1e-3, 1e3, 1e6]), st.floats(-0.004, 0.004))
    def test_no_position_moves_by_more_than_a_cell_from_where_it_was(self, units: float, basis: float) -> None:
        scale = units * exp(basis)
        laid = lay_over(MEASURED, price=MEASURED.price * scale, scale=scale)
        for (usd, _), (before, _) in zip(sides(laid), sides(MEASURED), strict=True):
            at, was = usd.cumsum(), before.cumsum()
            slack = before[0] + before[-1] + 1e-9 * was[-1]  # what is shifted out at the ends
            assert (at[1:] >= was[:-1] - slack).all()
            assert (at[:-1] <= was[1:] + slack).all()

    def test_the_contract_in_thousands_has_the_same_map_as_the_contract_in_single_coins(self) -> None:
        history = random_market(6, WEEK)
        thousand = PositionModel.rebuild(dearer(history, 1000.0)).map()
        single = PositionModel.rebuild(history).map()
        laid = lay_over(thousand, price=single.price, scale=1e-3)
        assert laid.long_total_usd == pytest.approx(single.long_total_usd)
        for (usd, _), (own, _) in zip(sides(laid), sides(single), strict=True):
            # Two grids, a fraction of a cell apart: the mass up to any price agrees to a cell.
            assert np.abs(usd.cumsum() - own.cumsum()).max() <= 1.5 * own.max()

    def test_what_the_path_passed_since_the_map_is_swept_and_leaves_the_totals(self) -> None:
        laid = lay_over(MEASURED, price=100.0, scale=1.0, low=98.0, high=101.0)
        assert not laid.long_usd[laid.low >= 98.0].any()
        assert not laid.short_usd[laid.high <= 101.0].any()
        swept = MEASURED.long_usd[MEASURED.low >= 98.0].sum()
        assert swept > 0
        assert laid.long_total_usd == pytest.approx(MEASURED.long_total_usd - swept)
        below = laid.high < 98.0
        assert np.allclose(laid.long_usd[below], MEASURED.long_usd[below])

    def test_no_position_stands_beyond_the_price(self) -> None:
        laid = lay_over(MEASURED, price=100.0 * exp(0.4 * CELL), scale=exp(0.4 * CELL))
        assert not laid.long_usd[laid.low >= laid.price].any()
        assert not laid.short_usd[laid.high <= laid.price].any()

    @pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
    def test_a_price_or_scale_that_is_none_is_refused(self, bad: float) -> None:
        with pytest.raises(ValueError, match="scale must be a positive number"):
            lay_over(MEASURED, price=100.0, scale=bad)
        with pytest.raises(ValueError, match="price must be a positive number"):
            lay_over(MEASURED, price=bad, scale=1.0)


class TestCombined:
    def test_measured_maps_add_up_and_share_by_their_open_interest(self) -> None:
        triple = replace(
            MEASURED,
            **{name: 3 * getattr(MEASURED, name) for name in ("long_usd", "short_usd")},
            long_total_usd=3 * MEASURED.long_total_usd,
            short_total_usd=3 * MEASURED.short_total_usd,
        )
        combined = combine_maps({"here": MEASURED, "there": triple})
        np.testing.assert_allclose(combined.map.short_usd, 4 * MEASURED.short_usd)
        assert combined.map.long_total_usd == pytest.approx(4 * MEASURED.long_total_usd)
        assert combined.map.open_interest == "measured"
        assert combined.shares == {"here": pytest.approx(0.25), "there": pytest.approx(0.75)}

    @given(st.integers(0, 50), st.floats(0.05, 0.95))
    @settings(max_examples=20, deadline=None)
    def test_a_market_split_over_two_venues_adds_up_to_itself(self, seed: int, part: float) -> None:
        history = random_market(seed, 400)
        whole = PositionModel.rebuild(history).map()
        split = {
            name: PositionModel.rebuild(
                replace(history, volume=history.volume * size, open_interest=history.open_interest * size)
            ).map()
            for name, size in (("here", part), ("there", 1 - part))
        }
        combined = combine_maps(split)
        for (usd, total), (expected, expected_total) in zip(sides(combined.map), sides(whole), strict=True):
            np.testing.assert_allclose(usd, expected, rtol=1e-7, atol=1e-9 * expected_total)
            assert total == pytest.approx(expected_total)
        assert combined.shares["here"] == pytest.approx(part)

    def test_one_venue_alone_is_its_own_map(self) -> None:
        combined = combine_maps({"here": MEASURED})
        assert combined.shares == {"here": 1.0}
        assert np.array_equal(combined.map.long_usd, MEASURED.long_usd)
        assert combined.map.limits == MEASURED.limits

    def test_a_volume_model_has_no_size_to_add_where_others_have_one(self) -> None:
        combined = combine_maps({"volume": VOLUME, "here": MEASURED})
        assert combined.shares == {"here": 1.0}
        assert np.array_equal(combined.map.long_usd, MEASURED.long_usd)
        assert combined.map.open_interest == "measured"
        assert MapLimit.VOLUME_MODEL not in combined.map.limits

    def test_volume_models_alone_add_up_by_their_volume_and_stay_estimated(self) -> None:
        other = replace(VOLUME, long_usd=VOLUME.long_usd * 3, long_total_usd=VOLUME.long_total_usd * 3)
        combined = combine_maps({"here": VOLUME, "there": other})
        assert combined.map.open_interest == "estimated"
        assert combined.map.limits == (MapLimit.VOLUME_MODEL, MapLimit.SHORT_HISTORY)
        np.testing.assert_allclose(combined.map.long_usd, 4 * VOLUME.long_usd)
        assert sum(combined.shares.values()) == pytest.approx(1.0)

    def test_what_a_small_part_lacks_is_not_said_of_the_whole(self) -> None:
        small = replace(
            MEASURED,
            long_total_usd=MEASURED.long_total_usd / 100,
            short_total_usd=MEASURED.short_total_usd / 100,
            limits=(MapLimit.GAPS,),
        )
        combined = combine_maps({"here": MEASURED, "there": small})
        assert MapLimit.GAPS not in combined.map.limits
        assert not VenuePart("there", "X", share=combined.shares["there"]).weighs
        assert MapLimit.GAPS in combine_maps({"there": small}).map.limits

    def test_venues_with_nothing_open_share_equally(self) -> None:
        empty = replace(MEASURED, long_total_usd=0.0, short_total_usd=0.0)
        assert combine_maps({"here": empty, "there": empty}).shares == {"here": 0.5, "there": 0.5}

    def test_maps_of_other_bins_are_not_added(self) -> None:
        with pytest.raises(ValueError, match="the map of b has other bins than that of a"):
            combine_maps({"a": MODEL.map(), "b": MODEL.map(window=0.2)})
        with pytest.raises(ValueError, match="no map"):
            combine_maps({})
