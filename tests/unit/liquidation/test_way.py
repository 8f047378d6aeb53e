"""What of a way is played at once: all of it, in order, and in as few stretches as its bars allow."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from bot.liquidation.bars import Path, entry_pairs
from bot.liquidation.way import MOST_BARS, MOST_CELLS, carry_on, stretches, ways_of
from bot.liquidation.windows import windows


def a_path(low: list[int], heights: list[int]) -> Path:
    """Bars that close at their low."""
    bottom, height = np.array(low), np.array(heights)
    return Path(bottom + height, bottom, bottom, bottom + 0.5, np.maximum(height, 1).astype(float))


bars = st.lists(st.tuples(st.integers(-400, 400), st.integers(0, 300)), min_size=1, max_size=200)


@given(bars, st.integers(-400, 400))
def test_stretches_cover_the_way_and_cross_few_cells_unless_one_bar_crosses_many(
    rows: list[tuple[int, int]], close: int
) -> None:
    path = a_path([low for low, _ in rows], [height for _, height in rows])
    found = list(stretches(path, close))
    assert [begin for begin, _ in found] == [0, *(end for _, end in found[:-1])]
    assert found[-1][1] == len(rows)
    for begin, end in found:
        before = close if begin == 0 else int(path.close[begin - 1])
        cells = max(int(path.high[begin:end].max()), before) - min(int(path.low[begin:end].min()), before)
        assert end - begin == 1 or (end - begin <= MOST_BARS and cells <= MOST_CELLS)


def test_a_calm_day_is_played_in_five_stretches_and_not_bar_by_bar() -> None:
    assert len(list(stretches(a_path([0] * 288, [6] * 288), 0))) == 5


@given(bars.filter(lambda rows: len(rows) < 60), st.integers(0, 40))
def test_entries_come_to_stand_where_the_kernel_takes_them(rows: list[tuple[int, int]], kernel_cells: int) -> None:
    path = a_path([low // 8 for low, _ in rows], [height // 8 for _, height in rows])
    kernel = np.random.default_rng(kernel_cells).uniform(size=kernel_cells + 1)
    _, shorts = ways_of(path, 0, len(rows))
    low = int(path.close.min())
    cells = max(shorts.reached(low, len(kernel)), 1)
    through, (spread,) = shorts.through(kernel[None], low, cells)
    pairs, expected = entry_pairs(path, 0, len(rows)), np.zeros((len(rows), cells))
    for bar, cell, share in zip(pairs.bar.tolist(), pairs.cell.tolist(), pairs.share.tolist(), strict=True):
        for distance, weight in enumerate(kernel.tolist()):
            if cell + distance > low:
                expected[bar, cell + distance - low - 1] += share * weight
    np.testing.assert_allclose(through @ spread, expected, rtol=1e-9, atol=1e-12)


def test_what_a_bar_passes_does_not_go_on() -> None:
    standing = np.array([[5.0, 5.0, 5.0], [0.0, 1.0, 1.0], [0.0, 0.0, 2.0]])
    carry_on(standing, np.array([1, 2]))
    assert standing.tolist() == [[5.0, 5.0, 5.0], [0.0, 6.0, 6.0], [0.0, 0.0, 8.0]]
    assert all(after[0] <= before[0] for before, after in pairwise(standing.tolist()))


@given(st.lists(st.integers(1, 5), max_size=2), st.integers(1, 9), st.integers(1, 9))
def test_windows_are_all_runs_of_neighbours(rows: list[int], width: int, more: int) -> None:
    values = np.random.default_rng(0).random((*rows, width + more - 1))
    np.testing.assert_array_equal(windows(values, width), sliding_window_view(values, width, axis=-1))
    with pytest.raises(ValueError, match="no windows"):
        windows(values, width + more)


@given(st.integers(1, 6), st.lists(st.integers(-1, 6), min_size=1, max_size=8))
def test_of_what_stands_before_a_bar_goes_on_what_it_does_not_pass(rows: int, passed: list[int]) -> None:
    standing = np.random.default_rng(0).random((len(passed) + 1, rows, 5))
    carried = standing.copy()
    carry_on(carried, np.array(passed))
    for bar, cells in enumerate(passed):
        standing[bar + 1, :, max(0, cells) :] += standing[bar, :, max(0, cells) :]
    assert carried.tolist() == standing.tolist()
