"""Time zones by the names that people type and that are stored."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.alerts.digest import Day
from bot.alerts.preferences import Preferences

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_FARTHEST_MINUTES = 14 * 60


_MS = timedelta(milliseconds=1)


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


def zone_chosen(preferences: Preferences) -> tzinfo:
    """A chat's zone; UTC, which every time in it then says, where it chose none or this machine does not know it."""
    try:
        return zone_of(preferences.zone or "UTC")
    except UnknownZoneError:
        return UTC


def day_of(preferences: Preferences) -> Day:
    """The day by which a chat gets its digests."""
    zone = zone_chosen(preferences)
    return Day(preferences.digest_hour, lambda time_ms: offset_ms(zone, time_ms))


def offset_ms(zone: tzinfo, time_ms: int) -> int:
    """By how much a zone's clocks are ahead of UTC at a moment."""
    return (datetime.fromtimestamp(time_ms / 1000, tz=zone).utcoffset() or timedelta()) // _MS
