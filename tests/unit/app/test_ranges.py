"""Spans of time: whatever is put together and cut apart, what is there and what is missing make up the whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.coverage import HOLE_ASKED_AGAIN_MS, JOINED_MS, Coverage, Hole
from bot.market.types import BAR_MS
from bot.ranges import Ranges

Spans = list[tuple[int, int]]
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def moments(ranges: Ranges) -> set[int]:
    return {moment for start, end in ranges.spans for moment in range(start, end)}


@given(SPANS, SPANS)
def test_a_union_holds_each_moment_once_in_spans_that_do_not_touch(first: Spans, second: list[tuple[int, int]]) -> None:
    both = Ranges.of(first).plus(Ranges.of(second))
    assert moments(both) == {moment for start, end in (*first, *second) for moment in range(start, end)}
    assert all(one[1] < other[0] for one, other in zip(both.spans, both.spans[1:], strict=False))
    assert all(start < end for start, end in both.spans)


@given(SPANS, st.integers(0, 60), st.integers(0, 60))
def test_what_is_there_and_what_is_missing_are_the_whole_window(spans: Spans, start: int, end: int) -> None:
    ranges = Ranges.of(spans)
    there, missing = moments(ranges.within(start, end)), moments(ranges.gaps(start, end))
    assert there | missing == set(range(start, end))
    assert not there & missing


@given(SPANS, st.integers(0, 10))
def test_joining_closes_the_small_gaps_and_no_others(spans: Spans, most: int) -> None:
    ranges = Ranges.of(spans)
    joined = ranges.joined(most)
    assert moments(ranges) <= moments(joined)
    assert all(other[0] - one[1] > most for one, other in zip(joined.spans, joined.spans[1:], strict=False))
    assert {ends for span in joined.spans for ends in span} <= {ends for span in ranges.spans for ends in span}


@given(st.sets(st.integers(0, 50)))
def test_rows_cover_what_they_last(rows: set[int]) -> None:
    opens = np.array(sorted(rows), dtype=np.int64) * BAR_MS
    found = Ranges.of_rows(opens, BAR_MS)
    assert found == Ranges.of((at, at + BAR_MS) for at in opens.tolist())


def rows(*numbers: int) -> Ranges:
    return Ranges.of((BAR_MS * n, BAR_MS * (n + 1)) for n in numbers)


def test_a_hole_is_not_asked_for_again_until_a_day_has_passed() -> None:
    coverage = Coverage(rows(0, 1, 4, 5))
    assert coverage.missing(0, 6 * BAR_MS, now_ms=10).spans == ((2 * BAR_MS, 4 * BAR_MS),)
    assert coverage.give_up((2 * BAR_MS, 4 * BAR_MS), now_ms=10)
    assert coverage.missing(0, 6 * BAR_MS, now_ms=10 + HOLE_ASKED_AGAIN_MS - 1).spans == ()
    assert coverage.absent(0, 6 * BAR_MS).spans == ((2 * BAR_MS, 4 * BAR_MS),)
    assert coverage.missing(0, 6 * BAR_MS, now_ms=10 + HOLE_ASKED_AGAIN_MS).spans == ((2 * BAR_MS, 4 * BAR_MS),)


def test_a_hole_that_is_filled_in_part_shrinks_and_one_that_is_filled_goes() -> None:
    coverage = Coverage(rows(0), [Hole(BAR_MS, 4 * BAR_MS, 10)])
    coverage.take(rows(2))
    assert coverage.give_up((BAR_MS, 4 * BAR_MS), now_ms=99)
    assert list(coverage.holes) == [Hole(BAR_MS, 2 * BAR_MS, 99), Hole(3 * BAR_MS, 4 * BAR_MS, 99)]
    coverage.take(rows(1, 3))
    assert coverage.give_up((BAR_MS, 4 * BAR_MS), now_ms=199)
    assert list(coverage.holes) == []
    assert not coverage.give_up((BAR_MS, 4 * BAR_MS), now_ms=299)


def test_of_a_hole_only_what_was_asked_for_anew_is_given_up_anew() -> None:
    coverage = Coverage(Ranges(), [Hole(0, 10 * BAR_MS, 10)])
    coverage.give_up((4 * BAR_MS, 6 * BAR_MS), now_ms=99)
    assert [hole.asked_ms for hole in coverage.holes] == [10, 99, 10]
    coverage.forget(4 * BAR_MS)
    assert [hole.asked_ms for hole in coverage.holes] == [99, 10]


def test_rows_before_the_history_in_use_are_forgotten_so_that_gaps_do_not_pile_up() -> None:
    coverage = Coverage(rows(*range(0, 200, 2)))
    coverage.forget(190 * BAR_MS)
    assert coverage.absent(188 * BAR_MS, 194 * BAR_MS).spans == (
        (188 * BAR_MS, 190 * BAR_MS),
        (191 * BAR_MS, 192 * BAR_MS),
        (193 * BAR_MS, 194 * BAR_MS),
    )


def test_gaps_with_little_between_them_are_one_question() -> None:
    far = JOINED_MS // BAR_MS + 4
    coverage = Coverage(rows(1, 2, *range(4, far + 1)))
    assert coverage.missing(0, (far + 2) * BAR_MS, now_ms=0).spans == (
        (0, 4 * BAR_MS),
        ((far + 1) * BAR_MS, (far + 2) * BAR_MS),
    )
