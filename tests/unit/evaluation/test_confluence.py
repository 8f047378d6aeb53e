"""The measure of confluence: races and touches on made-up paths, and the table of both groups."""

import numpy as np
import pytest

from bot.evaluation.confluence import Sample, _race, confluence_samples, confluence_table
from bot.liquidation.types import Side
from tests.unit.liquidation.markets import history_of, random_market


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        # down to 98, back up by two percent
        ([100.0, 99.0, 98.0, 99.0, 100.5, 101.0], (2, True)),
        # down to 98 and on by two percent
        ([100.0, 99.0, 98.0, 97.0, 95.9, 101.0], (2, False)),
        # through it in the bar that touches it
        ([100.0, 99.0, 95.0, 101.0], (2, False)),
        # neither
        ([100.0, 99.0, 98.0, 98.5, 97.5, 98.2], (2, None)),
        # never there
        ([100.0, 99.0, 98.5, 99.0], (None, None)),
    ],
)
def test_a_race_is_won_by_what_comes_first(closes: list[float], expected: tuple[int | None, bool | None]) -> None:
    history = history_of(np.array(closes), wick=0.0)
    assert _race(history, 0, 98.0, Side.LONG, 0.02) == expected
    mirrored = history_of(98.0**2 / np.array(closes), wick=0.0)
    assert _race(mirrored, 0, 98.0, Side.SHORT, 0.02) == expected


def test_each_touch_of_a_side_is_counted_once() -> None:
    history = random_market(3, 2_700)
    samples = confluence_samples({"X": history})
    assert samples
    assert all(0.0 <= sample.odds <= 1.0 for sample in samples)
    assert {sample.touched for sample in samples} == {True, False}
    assert not any(sample.turned is not None and not sample.touched for sample in samples)


def test_too_short_a_history_gives_nothing() -> None:
    assert confluence_samples({"X": random_market(3, 500)}) == []


def test_the_table_tells_both_groups_and_their_difference() -> None:
    marked = [Sample(day, True, 0.3, day % 2 == 0, day % 2 == 0) for day in range(20)]
    others = [Sample(day, False, 0.5, day % 2 == 0, None) for day in range(20)]
    lines = confluence_table([*marked, *others]).splitlines()
    assert lines[1] == "40 clusters ahead of price."
    assert lines[-3].startswith("|with|+20.0 [")
    assert "|+50.0 [" in lines[-3]
    assert lines[-2].startswith("|without|+0.0 [")
    assert lines[-1].startswith("|difference|+20.0 [")
