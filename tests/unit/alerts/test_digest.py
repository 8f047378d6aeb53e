"""When digests come: at the hour of the chat's own day, whatever is done to its clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.digest import DAY_MS, HOUR_MS, WEEK_MS, Day, due_ms, next_ms, slot_before
from bot.alerts.engine import Engine
from bot.alerts.types import EVERYWHERE, Event, Kind, Rule
from bot.liquidation.values import replace

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")


def ms(moment: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def day(hour: int, zone: str) -> Day:
    place = ZoneInfo(zone)

    def offset_ms(time_ms: int) -> int:
        offset = datetime.fromtimestamp(time_ms / 1000, tz=place).utcoffset()
        assert offset is not None
        return int(offset.total_seconds()) * 1000

    return Day(hour, offset_ms)


def digest(created: str = "2026-03-20", window_ms: int = DAY_MS) -> Rule:
    return Rule(1, 7, EVERYWHERE, Kind.DIGEST, 0.0, window_ms=window_ms, created_ms=ms(created))


def told_on(rule: Rule, here: Day, *, days: int) -> list[str]:
    """The moments at which a digest is told, looked at every ten minutes, as the clock in Berlin shows them."""
    engine = Engine([rule])
    engine.follow_days(lambda _chat: here)
    events: list[Event] = []
    for now_ms in range(rule.created_ms, rule.created_ms + days * DAY_MS, 600_000):
        changes = engine.evaluate_clock(now_ms)
        events += changes.events
        engine.apply(changes)
    return [f"{datetime.fromtimestamp(each.time_ms / 1000, tz=BERLIN):%d %H:%M}" for each in events]


def test_a_digest_comes_at_the_chat_s_hour_though_its_clock_is_put_forward() -> None:
    told = told_on(digest("2026-03-27"), day(9, "Europe/Berlin"), days=4)
    assert told == ["27 09:00", "28 09:00", "29 09:00", "30 09:00"]


def test_and_once_a_day_where_it_is_put_back() -> None:
    told = told_on(digest("2026-10-23"), day(9, "Europe/Berlin"), days=4)
    assert told == ["23 09:00", "24 09:00", "25 09:00", "26 09:00"]


def test_a_weekly_one_comes_on_mondays() -> None:
    assert told_on(digest("2026-03-20", WEEK_MS), day(7, "Europe/Berlin"), days=15) == ["23 07:00", "30 07:00"]


@pytest.mark.parametrize(
    ("hour", "next_one"),
    [(8, "2026-03-22 08:00"), (9, "2026-03-22 09:00"), (21, "2026-03-21 21:00"), (7, "2026-03-22 07:00")],
)
def test_another_hour_counts_from_the_next_time_it_is_not_just_told(hour: int, next_one: str) -> None:
    assert due_ms(digest(), ms("2026-03-21 08:00"), day(hour, "UTC")) == ms(next_one)


def test_a_changed_hour_is_followed_at_once() -> None:
    rule = digest("2026-03-20")
    engine = Engine([rule])
    engine.follow_days(lambda _chat: day(22, "UTC"))
    assert engine.evaluate_clock(ms("2026-03-20 09:00")).events == ()
    engine.follow_days(lambda _chat: day(9, "UTC"))
    assert [each.time_ms for each in engine.evaluate_clock(ms("2026-03-20 09:00")).events] == [ms("2026-03-20 09:00")]


@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    window_ms=st.sampled_from([DAY_MS, WEEK_MS]),
    now_s=st.integers(1_704_067_200, 1_893_456_000),
)
def test_the_next_one_is_ahead_and_at_the_hour(zone: str, hour: int, window_ms: int, now_s: int) -> None:
    here, now_ms = day(hour, zone), now_s * 1000
    rule = replace(digest(), window_ms=window_ms, created_ms=now_ms)
    before, after = slot_before(rule, now_ms, here), due_ms(rule, 0, here)
    assert before <= now_ms < after
    assert after - before <= window_ms + 2 * HOUR_MS
    assert next_ms(rule, now_ms, here) == after
    assert due_ms(rule, after, here) > after + window_ms // 2
    wall = datetime.fromtimestamp(after / 1000, tz=ZoneInfo(zone))
    # An hour that the clock skips is told as soon as it has passed.
    assert wall.hour in (hour, (hour + 1) % 24)
    if window_ms == WEEK_MS:
        assert wall.weekday() == 0
