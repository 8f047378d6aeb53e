"""Time zones by the names that people type and that are stored."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

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
