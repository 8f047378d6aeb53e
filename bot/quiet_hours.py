"""When a chat's quiet hours end: by the clock of its zone, over the days on which that clock is put forward or back."""

from datetime import date, datetime, timedelta, tzinfo

from bot.alerts.manners import QuietHours
from bot.telegram.texts.zones import zone_of


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
