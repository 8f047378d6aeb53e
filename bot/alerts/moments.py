"""Moments as people type them after `until`: `friday`, `tomorrow`, `2026-11-27`, `27 nov 14:05`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})z?")
_DAY_OF_MONTH = re.compile(r"(\d{1,2})(st|nd|rd|th|\.)?")


def moment_of(words: Sequence[str], *, now_ms: int, zone: tzinfo) -> tuple[int, int] | None:
    """(ms UTC, how many of the folded words tell it), None where they tell no moment.

    A day without a time means its end, a time without a day the next time the clock shows it. A moment with a `z` is
    UTC, any other one of `zone`.
    """
    if not words:
        return None
    now = datetime.fromtimestamp(now_ms / 1000, tz=zone)
    found = _instant(words[0], zone)
    if found is not None:
        return found, 1
    clock = _clock(words[0])
    if clock is not None:
        today = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
        return _ms(today if today > now else today + timedelta(days=1)), 1
    day, used = _day(words, now)
    if day is None:
        return None
    clock = _clock(words[used]) if len(words) > used else None
    if clock is not None:
        return _ms(day.replace(hour=clock.hour, minute=clock.minute)), used + 1
    return _ms(day + timedelta(days=1)), used


def moment_words(time_ms: int) -> str:
    """A moment, to the minute, so that `moment_of` gives it again in any zone: `2026-11-27T14:05Z`."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")


def _instant(word: str, zone: tzinfo) -> int | None:
    if "t" not in word or "-" not in word:
        return None
    try:
        found = datetime.fromisoformat(word.upper())
    except ValueError:
        return None
    return _ms(found if found.tzinfo else found.replace(tzinfo=zone))


def _day(words: Sequence[str], now: datetime) -> tuple[datetime | None, int]:
    """The midnight that begins a named day, and how many words name it."""
    word, today = words[0], now.replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("today", "tonight"):
        return today, 1
    if word == "tomorrow":
        return today + timedelta(days=1), 1
    weekday = next((i for i, name in enumerate(_DAYS) if len(word) >= 3 and name.startswith(word)), None)
    if weekday is not None:
        return today + timedelta(days=(weekday - now.weekday()) % 7), 1
    if len(word) == 10:
        try:
            return datetime.fromisoformat(word).replace(tzinfo=now.tzinfo), 1
        except ValueError:
            return None, 0
    if len(words) > 1:
        return _named_date(words[0], words[1], today), 2
    return None, 0


def _named_date(first: str, second: str, today: datetime) -> datetime | None:
    """`27 nov` or `nov 27`: the next such day."""
    number, name = (first, second) if first[:1].isdigit() else (second, first)
    found = _DAY_OF_MONTH.fullmatch(number)
    if found is None or len(name) < 3 or name[:3] not in _MONTHS:
        return None
    for year in (today.year, today.year + 1):
        try:
            day = today.replace(year=year, month=_MONTHS.index(name[:3]) + 1, day=int(found[1]))
        except ValueError:
            continue
        if day >= today:
            return day
    return None


def _clock(word: str) -> time | None:
    found = _CLOCK.fullmatch(word)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return time(int(found[1]), int(found[2]))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
