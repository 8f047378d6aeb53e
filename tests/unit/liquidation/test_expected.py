"""What a sweep is expected to print: learned from swept zones, shrunk towards the feed's other contracts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.expected import HIGH, Capture, capture_of, expected_usd, learn_kappas, with_expectations
from bot.liquidation.skill_sample import Reached
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side
from bot.liquidation.values import replace

TOTAL = 4e8


def reached(*sides: tuple[int, list[float], list[float]]) -> Reached:
    """One moment a side: (side, USD standing, events) of cells 2, 3, ... from price."""
    lengths = [len(usd) for _, usd, _ in sides]
    return Reached(
        time_ms=np.repeat(np.arange(len(sides)), lengths),
        symbol=np.zeros(sum(lengths), dtype=np.int64),
        side=np.repeat([side for side, _, _ in sides], lengths),
        distance=np.concatenate([np.arange(2, 2 + length) for length in lengths]),
        events=np.concatenate([events for _, _, events in sides]),
        usd=np.array([np.concatenate([usd for _, usd, _ in sides])]),
    )


def drawn(usd: Floats, side: Side) -> LiquidationMap:
    """Cells of 0.1 % from price outwards."""
    n = len(usd)
    edges = 100.0 * np.exp(0.001 * np.arange(-n, n + 1))
    nothing = np.zeros(n)
    long = np.concatenate((usd[::-1], nothing)) if side is Side.LONG else np.zeros(2 * n)
    short = np.concatenate((nothing, usd)) if side is Side.SHORT else np.zeros(2 * n)
    return LiquidationMap(0, 100.0, edges[:-1], edges[1:], long, short, TOTAL, TOTAL, "measured")


def body(one: LiquidationMap, side: Side, first: int, last: int) -> Cluster:
    """The cells `first` to `last` from price, both in it, counted from 0."""
    n = len(one.low) // 2
    low, high = (n + first, n + last) if side is Side.SHORT else (n - 1 - last, n - 1 - first)
    return Cluster(side, float(one.low[low]), float(one.high[high]), 100.0, 1.0, 0.1, 50)


def test_only_wholly_reached_zones_count_and_each_moment_begins_anew() -> None:
    cells = reached(
        (0, [1e6, 2e6, 1e6, 9e6], [1.0, 0.0, 1.0, 5.0]), (1, [4e6, 4e6], [7.0, 7.0]), (1, [0.0] * 3, [0.5] * 3)
    )
    found = capture_of(cells, model=0, total_usd=np.full(9, TOTAL), event_usd=2e5)
    assert found.zones == 2
    assert found.promised == pytest.approx((1e4 * 4e6 / TOTAL) ** 0.5)
    assert found.printed == pytest.approx((2.0 + 1.5) * 2e5 / TOTAL)


def test_a_side_whose_total_is_not_known_teaches_nothing() -> None:
    cells = reached((0, [1e6] * 3, [1.0] * 3))
    assert capture_of(cells, model=0, total_usd=np.full(3, np.nan), event_usd=1e5) == Capture()
    assert capture_of(reached((0, [], [])), model=0, total_usd=np.zeros(0), event_usd=0.0) == Capture()


def test_kappa_is_its_own_with_many_zones_and_the_others_with_none() -> None:
    rich = Capture(printed=1_000 * 2e-4, promised=1_000.0, zones=1_000)
    kappas = learn_kappas({"RICH": rich, "NEW": Capture()})
    assert kappas["RICH"] == pytest.approx(2e-4)
    assert kappas["NEW"] == pytest.approx(2e-4)
    apart = learn_kappas({"RICH": rich, "POOR": Capture(printed=5 * 8e-4, promised=5.0, zones=5)})
    assert 2e-4 < apart["RICH"] < 2.1e-4
    assert 2e-4 < apart["POOR"] < 5e-4


def test_a_feed_that_never_printed_has_no_kappa() -> None:
    assert learn_kappas({}) == {}
    assert learn_kappas({"A": Capture(0.0, 7.0, 5), "B": Capture()}) == {}


@given(scale=st.floats(1e-3, 1e3), printed=st.floats(1e-9, 1.0))
def test_kappa_scales_with_what_was_printed(scale: float, printed: float) -> None:
    one = {"A": Capture(printed, 30.0, 20), "B": Capture(2 * printed, 10.0, 9)}
    more = {name: Capture(scale * each.printed, each.promised, each.zones) for name, each in one.items()}
    for name, kappa in learn_kappas(one).items():
        assert learn_kappas(more)[name] == pytest.approx(scale * kappa)


@pytest.mark.parametrize("side", list(Side))
def test_expectation_is_summed_over_zones_of_three_cells_from_price_outwards(side: Side) -> None:
    usd = np.zeros(30)
    usd[5:9] = (1e6, 2e6, 3e6, 2e6)
    one = drawn(usd, side)
    kappa = 3e-4
    whole = (1e4 * 6e6 / TOTAL) ** 0.5
    part = (1e4 * 6e6 / TOTAL) ** 0.5 / 3  # a third of a zone as dense as 2e6 a cell
    assert expected_usd(body(one, side, 5, 8), one, kappa) == pytest.approx(kappa * TOTAL * (whole + part))


@pytest.mark.parametrize("side", list(Side))
def test_four_times_the_mass_is_expected_to_print_twice_as_much(side: Side) -> None:
    usd = np.random.default_rng(3).gamma(0.5, 1e6, 30)
    one, more = drawn(usd, side), drawn(4 * usd, side)
    cluster = body(one, side, 3, 11)
    assert expected_usd(cluster, more, 1e-4) == pytest.approx(2 * expected_usd(cluster, one, 1e-4))


def test_clusters_get_their_expectation_and_its_upper_end() -> None:
    one = drawn(np.full(30, 1e6), Side.SHORT)
    (found,) = with_expectations((replace(body(one, Side.SHORT, 4, 9), usd=6e6),), one, 2e-5)
    assert found.expected_usd == pytest.approx(2 * 2e-5 * TOTAL * (1e4 * 3e6 / TOTAL) ** 0.5)
    assert found.expected_usd is not None
    assert found.expected_high_usd == pytest.approx(HIGH * found.expected_usd)


def test_no_more_is_expected_to_print_than_stands_there() -> None:
    one = drawn(np.full(30, 1e6), Side.SHORT)
    zone = replace(body(one, Side.SHORT, 4, 9), usd=6e6)
    (high,) = with_expectations((zone,), one, 5e-4)
    assert high.expected_usd is not None
    assert high.expected_usd < zone.usd
    assert high.expected_high_usd == zone.usd
    (both,) = with_expectations((zone,), one, 1.0)
    assert (both.expected_usd, both.expected_high_usd) == (zone.usd, zone.usd)


def test_an_empty_side_is_expected_to_print_nothing() -> None:
    one = drawn(np.full(30, 1e6), Side.SHORT)
    assert expected_usd(body(one, Side.LONG, 4, 9), one, 2e-4) == 0.0
