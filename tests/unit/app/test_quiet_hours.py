"""Quiet hours by the clock on the wall, also on the days on which that clock is put forward or back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.alerts.manners import QuietHours
from bot.quiet_hours import quiet_until
from bot.telegram.texts.zones import UnknownZoneError, zone_name, zone_of

MINUTE = 60_000
HOUR = 60 * MINUTE
BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"


def at(text: str) -> int:
    """A moment in UTC as ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def hours(start: str, end: str, zone: str = BERLIN) -> QuietHours:
    (h1, m1), (h2, m2) = ((int(part) for part in text.split(":")) for text in (start, end))
    return QuietHours(h1 * 60 + m1, h2 * 60 + m2, zone)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (hours("23:00", "7:00"), "2026-01-15 21:59", None),  # a minute before: 22:59 in Berlin
        (hours("23:00", "7:00"), "2026-01-15 22:00", "2026-01-16 06:00"),  # it begins
        (hours("23:00", "7:00"), "2026-01-16 05:59", "2026-01-16 06:00"),  # past midnight, it is still last night's
        (hours("23:00", "7:00"), "2026-01-16 06:00", None),  # it has ended
        (hours("23:00", "7:00"), "2026-07-15 21:00", "2026-07-16 05:00"),  # in summer an hour earlier
        (hours("12:30", "13:15"), "2026-01-15 12:00", "2026-01-15 12:15"),  # within one day
        (hours("23:00", "7:00"), "2026-03-28 23:00", "2026-03-29 05:00"),  # the night that is an hour shorter
        (hours("23:00", "7:00"), "2026-10-24 22:00", "2026-10-25 06:00"),  # the night that is an hour longer
        (hours("23:00", "2:30"), "2026-03-29 00:00", "2026-03-29 01:30"),  # an end that the wall skips
        (hours("2:30", "6:00"), "2026-03-29 01:29", None),  # a start that the wall skips: half an hour late by it
        (hours("2:30", "6:00"), "2026-03-29 01:30", "2026-03-29 04:00"),
        (hours("23:00", "2:30"), "2026-10-25 00:29", "2026-10-25 00:30"),  # an end that comes twice: the first
        (hours("23:00", "2:30"), "2026-10-25 01:15", None),  # 2:15 for the second time
        (hours("1:45", "2:15", LORD_HOWE), "2026-10-03 15:20", "2026-10-03 15:45"),  # put forward by half an hour
        (hours("22:00", "6:00", "UTC-3:30"), "2026-01-16 01:30", "2026-01-16 09:30"),  # a fixed offset
        (hours("22:00", "6:00", "UTC"), "2026-01-15 22:00", "2026-01-16 06:00"),
    ],
)
def test_quiet_hours_begin_and_end_by_the_wall(quiet: QuietHours, now: str, until: str | None) -> None:
    assert quiet_until(quiet, at(now)) == (0 if until is None else at(until))


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    zone=st.sampled_from([BERLIN, LORD_HOWE, "America/New_York", "Asia/Kolkata", "America/St_Johns", "UTC+14", "-11"]),
    time_ms=st.integers(at("2025-12-01"), at("2027-02-01")),
)
def test_an_end_lies_ahead_within_a_day_and_nothing_is_quiet_at_it_nor_loud_before_it(
    start: int, end: int, zone: str, time_ms: int
) -> None:
    assume(start != end)
    quiet = QuietHours(start, end, zone)
    until_ms = quiet_until(quiet, time_ms)
    if not until_ms:
        return
    assert time_ms < until_ms <= time_ms + 25 * HOUR
    assert quiet_until(quiet, until_ms) == 0
    assert quiet_until(quiet, (time_ms + until_ms) // 2) == until_ms
    wall = datetime.fromtimestamp(until_ms / 1000, tz=zone_of(zone))
    if wall.utcoffset() == datetime.fromtimestamp(until_ms / 1000 - 86_400, tz=zone_of(zone)).utcoffset():
        assert wall.hour * 60 + wall.minute == end


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(at("2026-01-01"), at("2027-01-01")))
def test_each_minute_is_quiet_by_one_interval_or_by_its_opposite(start: int, end: int, time_ms: int) -> None:
    assume(start != end)
    here = [quiet_until(QuietHours(*pair, "UTC"), time_ms) > 0 for pair in ((start, end), (end, start))]
    assert sorted(here) == [False, True]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Europe/Berlin", BERLIN),
        ("europe/berlin", BERLIN),
        ("berlin", BERLIN),
        ("New York", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("utc", "utc"),
        ("UTC+2", "UTC+2"),
        ("+05:30", "+05:30"),
        ("GMT-3", "GMT-3"),
    ],
)
def test_a_zone_is_understood_as_people_write_it(typed: str, name: str) -> None:
    assert zone_name(typed) == name
    assert zone_of(name).utcoffset(datetime(2026, 1, 1, tzinfo=UTC)) is not None


@pytest.mark.parametrize(
    "typed", ["Narnia", "", "UTC+15", "UTC+2:70", "../../etc/passwd", "Europe/", "b" * 300, "\x00"]
)
def test_what_is_no_zone_is_refused(typed: str) -> None:
    with pytest.raises(UnknownZoneError):
        zone_name(typed)


def test_an_offset_means_what_it_says() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert noon.astimezone(zone_of("UTC-3:30")).strftime("%H:%M") == "08:30"
    assert noon.astimezone(zone_of("+14")).strftime("%H:%M") == "02:00"
    assert isinstance(zone_of(BERLIN), ZoneInfo)
