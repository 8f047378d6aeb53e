"""Times and lengths of time as typed on a command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.failures import UsageError
from bot.times import parse_range_ms, parse_time_ms, utc_text

DECEMBER_20 = 1_766_188_800_000


@pytest.mark.parametrize(
    "typed",
    [
        "2025-12-20T00:00:00Z",
        "2025-12-20T00:00:00+00:00",
        "2025-12-20T01:00:00+01:00",
        "2025-12-20T00:00:00",
        "2025-12-20 00:00",
        "2025-12-20",
        "1766188800000",
    ],
)
def test_one_moment_can_be_typed_in_many_ways(typed: str) -> None:
    assert parse_time_ms(typed) == DECEMBER_20


@pytest.mark.parametrize("typed", ["", "now", "yesterday", "20.12.2025", "2025-13-01", "1766188800", "12:00", "-1"])
def test_what_is_no_time_is_told_with_an_example(typed: str) -> None:
    with pytest.raises(UsageError, match=f"--at takes a time such as 2025-12-20T00:00:00Z, not '{typed}'"):
        parse_time_ms(typed)


@given(st.integers(min_value=10**11, max_value=4 * 10**12))
def test_a_moment_to_the_millisecond_is_read_back(time_ms: int) -> None:
    seconds, rest = divmod(time_ms, 1000)
    assert parse_time_ms(utc_text(seconds * 1000).replace("Z", f".{rest:03}Z")) == time_ms


@pytest.mark.parametrize(
    ("typed", "minutes"), [("5m", 5), ("90m", 90), ("12h", 720), ("7d", 10_080), (" 30D ", 43_200), ("720h", 43_200)]
)
def test_a_range_is_a_number_and_a_unit(typed: str, minutes: int) -> None:
    assert parse_range_ms(typed) == minutes * 60_000


@pytest.mark.parametrize("typed", ["", "7", "d", "4m", "0h", "31d", "721h", "1.5d", "-7d", "7 days", "1w", "99999d"])
def test_a_range_outside_five_minutes_to_thirty_days_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match=r"--range takes a length of time from 5m to 30d .*, not '"):
        parse_range_ms(typed)
