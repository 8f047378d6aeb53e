"""When a chat's quiet hours end: by the clock of its zone, over the days on which that clock is put forward or back."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.alerts.manners import QuietHours

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_FARTHEST_MINUTES = 14 * 60


class UnknownZoneError(Exception):
    """No zone goes by that name."""


def zone_name(typed: str) -> str:
    """The zone that somebody means: in any case, or by its city alone (`berlin`). Raises UnknownZoneError."""
    wanted = " ".join(typed.split()).replace(" ", "_")
    try:
        zone_of(wanted)
    except UnknownZoneError:
        folded = wanted.casefold()
        named = sorted(name for name in available_timezones() if name.casefold() == folded)
        cities = sorted(name for name in available_timezones() if name.casefold().endswith(f"/{folded}"))
        if folded and (named or cities):
            return (named or cities)[0]
        raise
    return wanted


def zone_of(name: str) -> tzinfo:
    """The zone of a name (`Europe/Berlin`, `UTC`) or of an offset (`UTC+2`, `-03:30`). Raises UnknownZoneError."""
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    if offset := _OFFSET.fullmatch(name.strip()):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes <= _FARTHEST_MINUTES and int(offset[3] or 0) < 60:
            return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
        raise UnknownZoneError(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZoneError(name) from None


def quiet_until(quiet: QuietHours, time_ms: int) -> int:
    """The end of the quiet hours that this moment lies in, 0 where it lies in none. Raises UnknownZoneError.

    They last from the first moment at which the clock on the wall reads their start to the first at which it then reads
    their end; a time that the wall skips is counted as if it had not.
    """
    zone = zone_of(quiet.zone)
    today = datetime.fromtimestamp(time_ms / 1000, tz=zone).date()
    for day in (today - timedelta(days=1), today):
        end_day = day if quiet.start < quiet.end else day + timedelta(days=1)
        start_ms, end_ms = _moment_ms(day, quiet.start, zone), _moment_ms(end_day, quiet.end, zone)
        if start_ms <= time_ms < end_ms:
            return end_ms
    return 0


def _moment_ms(day: date, minutes: int, zone: tzinfo) -> int:
    wall = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone)
    return int(wall.timestamp() * 1000)
