"""Moments as people type them after `until`: `friday`, `tomorrow`, `2026-11-27`, `27 nov 14:05`.

This room reads no clock and knows no time zones: days are counted from 1970, in an offset that the caller gives.
"""

import re
from collections.abc import Sequence

MINUTE_MS = 60_000
DAY_MS = 86_400_000

_DAYS = ("thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday")
"""In the order in which 1970 began."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:t(\d{2}:\d{2})(z?))?")
_DAY_OF_MONTH = re.compile(r"(\d{1,2})(st|nd|rd|th|\.)?")


def moment_of(words: Sequence[str], *, now_ms: int, offset_ms: int = 0) -> tuple[int, int] | None:
    """(ms UTC, how many of the folded words tell it), None where they tell no moment.

    A day without a time means its end, a time without a day the next time the clock shows it. Days and times are those
    of a place whose clocks are `offset_ms` ahead of UTC, but for a moment with a `z`.
    """
    if not words:
        return None
    here_ms = now_ms + offset_ms
    today = here_ms // DAY_MS
    clock_ms = _clock(words[0])
    if clock_ms is not None:
        later = today * DAY_MS + clock_ms > here_ms
        return (today if later else today + 1) * DAY_MS + clock_ms - offset_ms, 1
    dated = _DATE.fullmatch(words[0])
    if dated is not None and dated[4] is not None:
        day, clock_ms = _day_of(int(dated[1]), int(dated[2]), int(dated[3])), _clock(dated[4])
        if day is None or clock_ms is None:
            return None
        return day * DAY_MS + clock_ms - (0 if dated[5] else offset_ms), 1
    named = _named_day(words, today)
    if named is None:
        return None
    day, used = named
    clock_ms = _clock(words[used]) if len(words) > used else None
    if clock_ms is not None:
        return day * DAY_MS + clock_ms - offset_ms, used + 1
    return (day + 1) * DAY_MS - offset_ms, used


def moment_words(time_ms: int) -> str:
    """A moment, to the minute, so that `moment_of` gives it again anywhere: `2026-11-27T14:05Z`."""
    year, month, day = _date_of(time_ms // DAY_MS)
    minutes = time_ms % DAY_MS // MINUTE_MS
    return f"{year:04}-{month:02}-{day:02}T{minutes // 60:02}:{minutes % 60:02}Z"


def _named_day(words: Sequence[str], today: int) -> tuple[int, int] | None:
    """A day, counted from 1970, and how many words name it."""
    word = words[0]
    if word in ("today", "tonight", "tomorrow"):
        return today + (word == "tomorrow"), 1
    weekday = next((i for i, name in enumerate(_DAYS) if len(word) >= 3 and name.startswith(word)), None)
    if weekday is not None:
        return today + (weekday - today) % 7, 1
    dated = _DATE.fullmatch(word)
    if dated is not None:
        day = _day_of(int(dated[1]), int(dated[2]), int(dated[3]))
        return None if day is None else (day, 1)
    day = _next_date(words[0], words[1], today) if len(words) > 1 else None
    return None if day is None else (day, 2)


def _next_date(first: str, second: str, today: int) -> int | None:
    """`27 nov` or `nov 27`: the next such day."""
    number, name = (first, second) if first[:1].isdigit() else (second, first)
    found = _DAY_OF_MONTH.fullmatch(number)
    if found is None or name[:3] not in _MONTHS:
        return None
    year = _date_of(today)[0]
    days = (_day_of(each, _MONTHS.index(name[:3]) + 1, int(found[1])) for each in (year, year + 1))
    return next((day for day in days if day is not None and day >= today), None)


def _clock(word: str) -> int | None:
    """The time of a day, ms after midnight."""
    found = _CLOCK.fullmatch(word)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return (int(found[1]) * 60 + int(found[2])) * MINUTE_MS


def _day_of(year: int, month: int, day: int) -> int | None:
    """A date as days since 1970, None where there is no such day."""
    if not (1970 <= year < 10_000 and 1 <= month <= 12 and 1 <= day <= _length(year, month)):
        return None
    return _days_before(year) + sum(_length(year, each) for each in range(1, month)) + day - 1


def _date_of(days: int) -> tuple[int, int, int]:
    """Days since 1970 as a date."""
    year = 1970 + days // 366
    while _days_before(year + 1) <= days:
        year += 1
    month, rest = 1, days - _days_before(year)
    while rest >= _length(year, month):
        rest -= _length(year, month)
        month += 1
    return year, month, rest + 1


def _days_before(year: int) -> int:
    """Days from 1970 to the first of a year, by the Gregorian calendar."""
    past = year - 1
    return 365 * (year - 1970) + (past // 4 - past // 100 + past // 400) - 477


def _length(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap and month == 2 else _LENGTHS[month - 1]
