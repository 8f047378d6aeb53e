"""What must hold for the position model on any market."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.bars import Bar, Path, path_of
from bot.liquidation.book import REACH
from bot.liquidation.grid import CELL, cells_of
from bot.liquidation.kernel import distance_kernel
from bot.liquidation.model import PositionModel
from bot.liquidation.standing import Cohorts, lots_of, standing
from bot.liquidation.types import Floats, History, LiquidationMap, Side
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import START_MS, bars_of, histories, history_of, part, random_market
from tests.unit.liquidation.naive import standing_coins

bounded = settings(max_examples=40, deadline=None)


def total_coins(model: PositionModel) -> tuple[float, float]:
    whole = model.map(window=1.6)
    return float(whole.long_usd.sum()) / whole.price, float(whole.short_usd.sum()) / whole.price


def by_cell(read: LiquidationMap, usd: Floats) -> dict[int, float]:
    cells = np.round(np.log(read.low) / CELL).astype(int)
    return {int(cell): float(held) / read.price for cell, held in zip(cells, usd, strict=True) if held > 0}


@bounded
@given(histories())
def test_each_sides_total_is_the_open_interest_where_it_is_known(history: History) -> None:
    known = history.open_interest[-1]
    history = replace(history, volume=history.volume + 1.0)
    read = PositionModel.rebuild(history).map(window=1.6)
    for usd, total in ((read.long_usd, read.long_total_usd), (read.short_usd, read.short_total_usd)):
        assert usd.sum() <= total * (1 + 1e-9)
        if known > 0 and (len(history) < 4 or not (history.open_interest[-4:] == known).all()):
            assert total == pytest.approx(known * read.price, rel=1e-9)
            assert usd.sum() == pytest.approx(total, rel=1e-9)


@bounded
@given(histories())
def test_longs_stand_only_below_the_prices_cell_and_shorts_only_above(history: History) -> None:
    read = PositionModel.rebuild(history).map()
    assert not read.long_usd[read.high > read.price].any()
    assert not read.short_usd[read.low <= read.price].any()


@bounded
@given(histories(), st.floats(-0.2, 0.2), st.floats(0.0005, 0.4))
def test_bins_are_contiguous_and_ascending_around_any_price(history: History, moved: float, window: float) -> None:
    price = float(history.close[-1]) * float(np.exp(moved))
    read = PositionModel.rebuild(history).map(price=price, window=window)
    assert (read.low[1:] == read.high[:-1]).all()
    assert (np.diff(read.low) > 0).all()
    assert read.low[len(read.low) // 2] <= price * (1 + 1e-12)
    assert price <= read.high[len(read.low) // 2] * (1 + 1e-12)
    for usd in (read.long_usd, read.short_usd):
        assert np.isfinite(usd).all()
        assert (usd >= 0).all()


@settings(max_examples=20, deadline=None)
@given(histories(most=10), st.sampled_from(Side), st.integers(0, 4))
def test_every_cell_holds_what_a_slow_model_puts_there(history: History, side: Side, row: int) -> None:
    history = replace(history, high=np.minimum(history.high, 1.2 * np.maximum(history.open, history.close)))
    history = replace(history, low=np.maximum(history.low, 0.8 * np.minimum(history.open, history.close)))
    model = PositionModel.rebuild(history)
    book = model.books[0 if side is Side.LONG else 1]
    expected = standing_coins(history, side, row=row)
    away = -1 if side is Side.LONG else 1
    close = int(cells_of(history.close[-1]))
    found = {close + away * (index + 1): held for index, held in enumerate(book.coins()[row].tolist()) if held > 0}
    assert found == pytest.approx(expected, rel=1e-9)


@bounded
@given(st.integers(0, 10_000), st.sampled_from(Side))
def test_a_map_without_the_path_is_nowhere_below_the_map(seed: int, side: Side) -> None:
    history = replace(random_market(seed, 8, volatility=0.01), open_interest=np.full(8, np.nan))
    model = PositionModel.rebuild(history)
    side_map = model.books[0 if side is Side.LONG else 1].coins()[2]
    away, close = (-1 if side is Side.LONG else 1), int(cells_of(model.close))
    swept = {close + away * (index + 1): held for index, held in enumerate(side_map.tolist())}
    free = standing_coins(history, side, row=2, path_matters=False)
    assert all(held <= free.get(cell, 0.0) * (1 + 1e-12) for cell, held in swept.items())


@bounded
@given(st.integers(0, 10_000))
def test_a_swept_level_is_empty_until_somebody_opens_again(seed: int) -> None:
    history = random_market(seed, 60)
    model = PositionModel.rebuild(history)
    before = by_cell(model.map(), model.map().long_usd)
    price = float(history.close[-1])
    low = price * 0.97
    swept = model.update(Bar(int(history.open_ms[-1]) + 300_000, price, price, low, price, 0.0, np.nan, np.nan))
    after = by_cell(model.map(), model.map().long_usd)
    assert set(after) == {cell for cell in before if cell < int(cells_of(low))}
    assert swept.coins[0].sum() > 0
    assert not swept.coins[1].any()
    model.update(Bar(int(history.open_ms[-1]) + 600_000, price, price, price, price, 50.0, np.nan, np.nan))
    again = model.map()
    assert set(by_cell(again, again.long_usd)) > set(after)


@bounded
@given(st.integers(0, 10_000), st.floats(-0.05, 0.05))
def test_a_newer_price_sweeps_the_cells_it_has_passed(seed: int, moved: float) -> None:
    model = PositionModel.rebuild(random_market(seed, 40))
    price = model.close * float(np.exp(moved))
    still, moved_to = model.map(window=0.5), model.map(price=price, window=0.5, time_ms=START_MS)
    cell = int(cells_of(price))
    for side, away in ((0, -1), (1, 1)):
        before = by_cell(still, (still.long_usd, still.short_usd)[side])
        after = by_cell(moved_to, (moved_to.long_usd, moved_to.short_usd)[side])
        common = {at: held for at, held in before.items() if 0 < away * (at - cell) <= 440}
        assert {at: held for at, held in after.items() if at in common} == pytest.approx(common)
        lost = sum(held for at, held in before.items() if away * (at - cell) <= 0)
        total = (still.long_total_usd, still.short_total_usd)[side] / still.price
        left = (moved_to.long_total_usd, moved_to.short_total_usd)[side] / price
        assert left == pytest.approx(total - lost)
    assert moved_to.time_ms == START_MS


@bounded
@given(st.integers(0, 10_000), st.integers(-9_000, 9_000), st.floats(1e-3, 1e6))
def test_other_units_of_price_and_coins_change_nothing_else(seed: int, cells: int, coins: float) -> None:
    history = random_market(seed, 40)
    # A shift by whole cells keeps each price in its place within a cell; half a cell away from an edge is safe.
    factor = float(np.exp(cells * CELL))
    middle = {
        name: np.exp((np.floor(np.log(getattr(history, name)) / CELL) + 0.5) * CELL)
        for name in ("open", "high", "low", "close")
    }
    plain = replace(history, **middle)
    scaled = replace(
        plain,
        **{name: price * factor for name, price in middle.items()},
        volume=plain.volume * coins,
        open_interest=plain.open_interest * coins,
    )
    one, other = (PositionModel.rebuild(market).map() for market in (plain, scaled))
    np.testing.assert_allclose(other.low, one.low * factor, rtol=1e-9)
    for side in ("long_usd", "short_usd"):
        np.testing.assert_allclose(getattr(other, side), getattr(one, side) * coins * factor, rtol=1e-6, atol=1e-12)


@bounded
@given(histories(most=12))
def test_longs_of_a_mirrored_path_stand_where_the_shorts_stood(history: History) -> None:
    history = replace(history, quote_volume=np.full(len(history), np.nan))
    path = path_of(history.high, history.low, history.close, history.volume, history.quote_volume)
    mirrored = Path(high=-path.low - 1, low=-path.high - 1, close=-path.close - 1, traded=-path.traded, span=path.span)
    kernel, opened = distance_kernel(Side.SHORT, None), np.array([history.volume, 2.0 * history.volume])
    sides = []
    for side, seen in ((Side.SHORT, path), (Side.LONG, mirrored)):
        cohorts = Cohorts(seen, opened, np.array([3.0, 0.0]), 0)
        sides.append(standing(cohorts, lots_of(cohorts), kernel, side, REACH))
    np.testing.assert_allclose(sides[0], sides[1], rtol=1e-6, atol=1e-12)


def test_one_bar_of_a_shock_leaves_a_sound_map() -> None:
    history = random_market(5, 50)
    price = float(history.close[-1])
    model = PositionModel.rebuild(history)
    model.update(Bar(int(history.open_ms[-1]) + 300_000, price, price * 9.0, price * 0.1, price, 30.0))
    read = model.map()
    assert total_coins(model) == pytest.approx((read.long_total_usd / read.price, read.short_total_usd / read.price))
    for bar in bars_of(random_market(6, 20, price=price)):
        model.update(replace(bar, open_ms=bar.open_ms + 40_000_000))
    assert np.isfinite(model.map().long_usd).all()


def test_only_late_positions_keep_the_level_of_the_full_map() -> None:
    history = random_market(7, 300)
    since = int(history.open_ms[200])
    full = PositionModel.rebuild(history).map(window=1.5)
    late = PositionModel.rebuild(history, since_ms=since).map(window=1.5)
    none = PositionModel.rebuild(history, since_ms=int(history.open_ms[-1]) + 1).map(window=1.5)
    everything = PositionModel.rebuild(history, since_ms=0).map(window=1.5)
    assert late.long_total_usd == full.long_total_usd
    assert (late.long_usd <= full.long_usd * (1 + 1e-9)).all()
    assert 0 < late.short_usd.sum() < everything.short_usd.sum() < full.short_usd.sum()
    assert not none.long_usd.any()
    with pytest.raises(ValueError, match="cannot be updated"):
        PositionModel.rebuild(history, since_ms=since).update(bars_of(history)[-1])


def test_late_positions_are_those_that_a_model_without_the_earlier_flow_has() -> None:
    history = replace(random_market(8, 120), open_interest=np.full(120, np.nan))
    quiet = replace(history, volume=np.where(np.arange(120) >= 70, history.volume, 0.0))
    late = PositionModel.rebuild(history, since_ms=int(history.open_ms[70])).map(window=1.5)
    np.testing.assert_allclose(late.long_usd, PositionModel.rebuild(quiet).map(window=1.5).long_usd, rtol=1e-9)


def test_extend_takes_only_the_newer_bars() -> None:
    history = random_market(9, 100)
    model = PositionModel.rebuild(part(history, 0, 60))
    swept = model.extend(history)
    assert [one.time_ms for one in swept] == (history.open_ms[60:] + 300_000).tolist()
    assert model.extend(history) == []
    np.testing.assert_allclose(model.map().long_usd, PositionModel.rebuild(history).map().long_usd, rtol=1e-9)


def test_what_is_swept_is_what_stood_there() -> None:
    history = random_market(10, 80)
    model = PositionModel.rebuild(history)
    before = [book.coins() for book in model.books]
    price = float(history.close[-1])
    low, high = price * 0.985, price * 1.01
    swept = model.update(Bar(int(history.open_ms[-1]) + 300_000, price, high, low, price, 5.0))
    cell = int(cells_of(price))
    touched = cell - int(cells_of(low)), int(cells_of(high)) - cell
    for side in (0, 1):
        np.testing.assert_allclose(swept.coins[side], before[side][:, : touched[side]].sum(axis=1), rtol=1e-9)


def test_turnover_faster_than_trading_allows_has_no_weight() -> None:
    calm = PositionModel.rebuild(history_of(np.full(50, 100.0), volume=0.01, open_interest=np.linspace(900, 1000, 50)))
    busy = PositionModel.rebuild(history_of(np.full(50, 100.0), volume=5e3, open_interest=np.linspace(900, 1000, 50)))
    assert calm.mixing_weights().tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    np.testing.assert_allclose(busy.mixing_weights(), (0.10, 0.25, 0.30, 0.25, 0.10))


def test_without_open_interest_the_total_grows_to_half_a_days_volume() -> None:
    model = PositionModel.rebuild(history_of(np.full(9_000, 100.0), wick=0.0, volume=10.0))
    read = model.map()
    assert read.open_interest == "estimated"
    assert read.long_total_usd == pytest.approx(100.0 * 10.0 * 288 / 2.0, rel=0.05)


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
def test_a_map_around_no_price_is_refused(price: float) -> None:
    with pytest.raises(ValueError, match="price must be a positive number"):
        PositionModel.rebuild(random_market(1, 3)).map(price=price)
