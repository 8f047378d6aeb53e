"""Moments typed after `until`, against the standard calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.moments import MINUTE_MS, moment_of, moment_words

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9990, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(second=0, microsecond=0)
)


def ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(MOMENTS)
def test_a_moment_is_written_as_the_calendar_has_it_and_read_again(moment: datetime) -> None:
    words = moment_words(ms(moment) + MINUTE_MS - 1)
    assert words == moment.strftime("%Y-%m-%dT%H:%MZ").rjust(17, "0")
    assert moment_of([words.casefold()], now_ms=0, offset_ms=12_345_678) == (ms(moment), 1)


@given(MOMENTS, st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]))
def test_a_weekday_ends_within_seven_days(now: datetime, name: str) -> None:
    found = moment_of([name[:3], "and"], now_ms=ms(now))
    assert found is not None
    end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=found[0])
    assert timedelta() < end - now <= timedelta(days=7)
    assert (end - timedelta(minutes=1)).strftime("%A").casefold() == name


@pytest.mark.parametrize(
    "words",
    [
        ["2025-02-29"],
        ["2025-13-01"],
        ["2025-00-10"],
        ["25:00"],
        ["12:60"],
        ["31", "feb"],
        ["now"],
        ["nov"],
        ["2025-12-01t24:00"],
    ],
)
def test_what_no_calendar_or_clock_shows_is_no_moment(words: list[str]) -> None:
    assert moment_of(words, now_ms=0) is None
