"""What a map had to do without is named on it; several venues' maps add up."""

import numpy as np
import pytest

from bot.liquidation.model import PositionModel
from bot.liquidation.types import Floats, History, MapLimit
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import bars_of, part, random_market

WEEK = 2_100


def limits(history: History) -> set[MapLimit]:
    model = PositionModel.rebuild(history)
    first = PositionModel.rebuild(part(history, 0, len(history) - 3))
    for bar in bars_of(part(history, len(history) - 3, len(history))):
        first.update(bar)
    assert first.limits == model.limits == model.map().limits
    return set(model.limits)


def with_interest(history: History, interest: Floats) -> History:
    return replace(history, open_interest=interest)


PLAIN = random_market(4, WEEK)


def test_a_full_history_has_no_limits() -> None:
    assert limits(PLAIN) == set()


def test_bars_alone_make_a_volume_model() -> None:
    assert limits(with_interest(PLAIN, np.full(WEEK, np.nan))) == {MapLimit.VOLUME_MODEL}


@pytest.mark.parametrize("stuck", [False, True])
def test_missing_and_stuck_open_interest_is_stale_after_two_hours(stuck: bool) -> None:
    interest = PLAIN.open_interest.copy()
    interest[-40:] = interest[-40] if stuck else np.nan
    assert limits(with_interest(PLAIN, interest)) == {MapLimit.STALE_OPEN_INTEREST}
    interest[-20:] = PLAIN.open_interest[-20:]
    assert limits(with_interest(PLAIN, interest)) == set()


def test_hourly_open_interest_is_sparse() -> None:
    interest = np.repeat(PLAIN.open_interest[::12], 12)
    assert limits(with_interest(PLAIN, interest)) == {MapLimit.SPARSE_OPEN_INTEREST}
    read = PositionModel.rebuild(with_interest(PLAIN, interest)).map()
    assert read.open_interest == "measured"


def test_hourly_bars_are_coarse() -> None:
    assert limits(replace(PLAIN, bar_ms=3_600_000, open_ms=PLAIN.open_ms * 12)) == {MapLimit.COARSE_BARS}


def test_missing_bars_are_gaps_and_few_bars_are_short() -> None:
    late = replace(PLAIN, open_ms=PLAIN.open_ms + 300_000 * 60 * (np.arange(WEEK) > 500))
    assert limits(late) == {MapLimit.GAPS}
    assert limits(part(PLAIN, 0, 300)) == {MapLimit.SHORT_HISTORY}


def test_hourly_samples_give_nearly_the_map_of_five_minute_ones() -> None:
    hourly = np.repeat(PLAIN.open_interest[::12], 12)
    full, sparse = (PositionModel.rebuild(with_interest(PLAIN, of)).map() for of in (PLAIN.open_interest, hourly))
    assert np.corrcoef(full.long_usd + full.short_usd, sparse.long_usd + sparse.short_usd)[0, 1] > 0.9


def test_a_silent_venue_follows_anothers_path_and_comes_back_without_a_jump() -> None:
    history = random_market(5, 400)
    model = PositionModel.rebuild(part(history, 0, 200))
    total = model.map().long_total_usd / model.close
    for bar in bars_of(part(history, 200, 300)):
        model.follow(bar)
    read = model.map()
    assert MapLimit.STALE_OPEN_INTEREST in read.limits
    assert read.long_total_usd / read.price == pytest.approx(total)
    assert not read.long_usd[read.high > read.price].any()
    model.update(bars_of(history)[300])
    assert model.map().long_total_usd / model.close == pytest.approx(history.open_interest[300])
    assert model.measured
