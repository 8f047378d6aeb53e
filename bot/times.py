"""Moments and lengths of time as people type and read them on a command line."""

import re
from datetime import UTC, datetime

from bot.failures import UsageError

_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def parse_time_ms(text: str) -> int:
    """`2025-12-20T00:00:00Z`, `2025-12-20` or milliseconds; without a zone it is UTC."""
    if re.fullmatch(r"\d{12,14}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at takes a time such as 2025-12-20T00:00:00Z, not '{text}'") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def parse_range_ms(text: str) -> int:
    """`12h`, `7d`: from 5 minutes to 30 days."""
    length = _length_ms(text)
    if not 300_000 <= length <= 30 * _UNIT_MS["d"]:
        raise UsageError(f"--range takes a length of time from 5m to 30d such as 12h or 7d, not '{text}'")
    return length


def parse_duration_ms(text: str) -> int:
    """`30m`, `1h`, `7d`: from a second to a year."""
    length = _length_ms(text)
    if not 1000 <= length <= 366 * _UNIT_MS["d"]:
        raise UsageError(f"--for takes a length of time from 1s to 366d such as 30m, 1h or 7d, not '{text}'")
    return length


def _length_ms(text: str) -> int:
    """A whole number with its unit; 0 where it is none."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip().lower())
    return int(found[1]) * _UNIT_MS[found[2]] if found else 0


def utc_text(time_ms: int) -> str:
    """`2025-12-20T00:00:00Z`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
