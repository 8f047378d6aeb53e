"""From an outbox row to a message: text and picture whatever is known of the market by then."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bot.alerts.exposure import APPROACH
from bot.alerts.reasons import Reason
from bot.alerts.types import Changes, Event, Kind, LogEntry, Market, Severity
from bot.clock import StepClock
from bot.compose import Composer
from bot.delivery.messenger import Message
from bot.liquidation import Side
from bot.liquidation.values import replace
from bot.market.simulator import SimulatedMarket
from bot.markets import Markets
from bot.missed import AlertFolding
from bot.pictures import PictureDesk
from bot.storage.codec import event_to_plain
from bot.storage.database import Database
from bot.storage.outbox import Claimed, OutboxRow
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue
from tests.unit.app.scenes import START_MS, XYZ, drawn, playing, zone

SIM = Market("simulated", "SIMUSDT")
SHORTS = zone(Side.SHORT, 104.0, 106.0)
PNG = b"\x89PNG\r\n\x1a\n"


def event(market: Market = XYZ, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "time_ms": START_MS,
        "kind": Kind.PROXIMITY,
        "rule_id": 3,
        "chat": 1,
        "track_id": "St1",
        "episode": 1,
        "severity": Severity.WARNING,
        "price": 103.5,
        "cluster": SHORTS,
        "value_pct": 0.48,
        "threshold_pct": 1.0,
        "window_ms": 0,
        "reason": "near",
        "map_ms": START_MS,
        "open_interest": "measured",
        "touch": ((1, 0.3), (24, 0.8)),
    }
    return Event(market=market, **{**values, **changes})


class Rig:
    """A composer beside markets that know the small simulated market and nothing else."""

    def __init__(self, market: SimulatedMarket, db: Database, *, played: bool = False) -> None:
        self.db = db
        self.clock = StepClock(START_MS)
        self.exchange = playing(market, self.clock)
        self.markets = Markets(exchanges={"simulated": self.exchange}, db=db, history_days=1)
        self.composer = Composer(
            db=db,
            markets=self.markets,
            pictures=PictureDesk(),
            catalogue=Catalogue.load(),
            clock=self.clock,
            simulated=frozenset({"simulated"}),
            played=played,
            bot_name=lambda: "LiqwatchBot",
        )

    async def compose(self, one: Event, *, unsure: int = 0) -> Message:
        """The message of an event that was decided at its own time."""
        key, plain = one.dedupe_key, event_to_plain(one)
        row = Claimed(1, key, one.chat, plain, one.time_ms, 0, 1 + unsure, unsure, plain=False, owner="test")
        return await self.composer.compose(row)


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    async with await Database.open("sqlite://", inline=True) as db:
        yield Rig(market, db)


def first_line(message: Message) -> str:
    return bare(message.text).splitlines()[0]


def is_picture(message: Message) -> bool:
    return message.photo is not None and message.photo.startswith(PNG) and message.photo_name is not None


async def test_an_alert_in_a_channel_carries_no_button_that_does_anything_there(rig: Rig) -> None:
    await rig.markets.refresh_instruments()
    live = await rig.markets.open(SIM)
    for chat, kind in ((-1001, "channel"), (-5, "supergroup")):
        await rig.db.chats.seen(chat, kind=kind, now_ms=START_MS)
    alert = event(SIM, cluster=live.reading.clusters[0], price=live.price)
    in_channel, in_group = [await rig.compose(replace(alert, chat=chat)) for chat in (-1001, -5)]
    assert is_picture(in_channel)
    keys = [button for row in in_channel.buttons for button in row]
    assert [button.data for button in keys if button.data is not None] == []
    assert {button.url for button in keys} - {None} == {
        "https://t.me/LiqwatchBot?start=m_simulated-SIMUSDT",
        "https://t.me/LiqwatchBot?start=w_simulated-SIMUSDT",
    }
    assert any(button.data for row in in_group.buttons for button in row)


async def test_an_open_market_s_alert_has_its_picture(rig: Rig) -> None:
    await rig.markets.refresh_instruments()
    live = await rig.markets.open(SIM)
    cluster = live.reading.clusters[0]
    message = await rig.compose(event(SIM, cluster=cluster, price=live.price))
    assert is_picture(message)
    assert "SIM" in first_line(message)


async def test_equal_alerts_of_two_chats_share_one_picture_s_name(rig: Rig) -> None:
    await rig.markets.refresh_instruments()
    cluster = (await rig.markets.open(SIM)).reading.clusters[0]
    messages = [await rig.compose(event(SIM, chat=chat, rule_id=chat, cluster=cluster)) for chat in (1, 2)]
    assert messages[0].photo_name == messages[1].photo_name
    assert messages[0].photo == messages[1].photo
    other = await rig.compose(event(SIM, cluster=cluster, price=103.6))
    assert other.photo_name != messages[0].photo_name


async def test_a_picture_with_a_level_of_one_s_own_is_its_reader_s_alone(rig: Rig) -> None:
    await rig.markets.refresh_instruments()
    price = (await rig.markets.open(SIM)).price
    own: dict[str, Any] = {"kind": Kind.EXPOSURE, "track_id": APPROACH, "cluster": None, "side": Side.LONG}
    levels = (0.97 * price, 0.98 * price)
    messages = [await rig.compose(event(SIM, price=price, figures=(("level", level),), **own)) for level in levels]
    assert all(map(is_picture, messages))
    assert messages[0].photo_name != messages[1].photo_name
    assert messages[0].photo != messages[1].photo


async def test_a_market_that_is_not_open_is_drawn_from_its_stored_map(rig: Rig) -> None:
    await rig.db.maps.save(XYZ, drawn([SHORTS], price=103.0, time_ms=START_MS))
    message = await rig.compose(event())
    assert is_picture(message)
    assert "XYZ" in first_line(message)


async def test_with_nothing_stored_the_text_goes_alone(rig: Rig) -> None:
    message = await rig.compose(event())
    assert (message.photo, message.photo_name) == (None, None)
    assert "XYZ" in first_line(message)
    assert "103.5" in bare(message.text)


async def test_a_contract_that_nobody_lists_any_more_is_written_as_finely_as_its_price(rig: Rig) -> None:
    small = zone(Side.SHORT, 0.000123, 0.000126)
    text = bare((await rig.compose(event(cluster=small, price=0.000121))).text)
    assert "0.000121" in text
    assert rig.composer.contract(event(price=64_123.4)).tick_size == 1.0
    assert rig.composer.contract(event(price=0.000121)).tick_size == pytest.approx(1e-8)


async def test_a_damaged_stored_map_costs_only_the_picture(rig: Rig) -> None:
    broken = drawn([SHORTS], price=103.0, time_ms=START_MS)
    broken.low[:] = float("nan")
    await rig.db.maps.save(XYZ, broken)
    message = await rig.compose(event())
    assert message.photo is None
    assert "XYZ" in first_line(message)


async def test_a_simulated_market_is_called_so_and_is_never_late(rig: Rig) -> None:
    await rig.markets.refresh_instruments()
    await rig.markets.open(SIM)
    rig.clock.step_to(START_MS + 3_600_000)
    message = await rig.compose(event(SIM))
    assert "simulated" in message.text.lower()
    assert "late" not in first_line(message)
    assert "simulated" not in (await rig.compose(event())).text.lower()


async def test_a_recording_that_is_played_fast_makes_no_alert_late(rig: Rig, market: SimulatedMarket) -> None:
    played = Rig(market, rig.db, played=True)
    played.clock.step_to(START_MS + 3_600_000)
    assert "late" not in first_line(await played.compose(event()))


async def test_a_late_alert_says_by_how_much_and_a_repeat_that_it_is_one(rig: Rig) -> None:
    assert "late" not in first_line(await rig.compose(event()))
    rig.clock.step_to(START_MS + 8 * 60_000)
    assert "8\xa0min late" in first_line(await rig.compose(event()))
    repeat = await rig.compose(event(), unsure=1)
    assert repeat.silent
    assert "repeat" in bare(repeat.text).lower()


async def test_an_alert_speaks_its_chat_s_language_or_english(rig: Rig) -> None:
    await rig.db.chats.seen(1, kind="private", now_ms=START_MS)
    await rig.db.chats.set_language(1, "xx")
    assert "XYZ" in first_line(await rig.compose(event()))


async def test_a_summary_and_a_notice_are_composed_and_go_to_the_chat_s_topic(rig: Rig) -> None:
    await rig.db.chats.seen(-7, kind="supergroup", now_ms=START_MS)
    await rig.db.chats.set_topic(-7, 12)
    summary = AlertFolding(0).sum_up([event_to_plain(event(chat=-7)), event_to_plain(event(chat=-7, episode=2))])
    payloads: list[tuple[Mapping[str, Any], str]] = [
        (summary, "While I was away: 2 alerts"),
        ({"notice": "topic_gone", "chat": -9}, "The topic for alerts in chat -9 is gone"),
    ]
    for payload, said in payloads:
        row = Claimed(1, "key", -7, payload, START_MS, 0, 1, 0, plain=False, owner="test")
        message = await rig.composer.compose(row)
        assert first_line(message).startswith(said)
        assert message.topic == 12


def claimed(*events: Event, held: bool = False, **extra: int) -> Claimed:
    """A message of several events."""
    first, *others = [event_to_plain(one) for one in events]
    row = Claimed(1, events[0].dedupe_key, 1, {**first, **extra}, START_MS, 0, 1, 0, plain=False, owner="test")
    return replace(row, others=tuple(others), held=held)


async def test_alerts_of_one_market_are_the_first_of_them_with_the_others_under_it(rig: Rig) -> None:
    message = await rig.composer.compose(claimed(event(), event(rule_id=4, track_id="St2", value_pct=0.7)))
    assert first_line(message).endswith(", and 1 more")
    assert "rule #4" in bare(message.text)


async def test_alerts_of_many_markets_are_a_sweep_without_a_picture(rig: Rig) -> None:
    markets = [Market("binance", f"{base}USDT") for base in ("BTC", "ETH", "SOL")]
    message = await rig.composer.compose(claimed(*(event(one) for one in markets)))
    assert first_line(message) == "3 markets at once, strongest: BTC, ETH, SOL"
    assert message.photo is None


async def test_what_was_held_says_why_and_what_still_waits_is_said_under_what_passes(rig: Rig) -> None:
    one, other = event(), event(rule_id=4)
    entry = LogEntry(START_MS, Reason.HELD_MUTED, XYZ, 1, one.rule_id, key=one.dedupe_key, lead=one.dedupe_key)
    due_ms = START_MS + 3_600_000
    rows = [
        OutboxRow(each.dedupe_key, 1, {}, START_MS, due_ms, lead=one.dedupe_key, held=True) for each in (one, other)
    ]
    await rig.db.commit_changes(Changes(), [replace(rows[0], lead=""), rows[1]], log=[entry])
    held = await rig.composer.compose(claimed(one, other, held=True))
    assert bare(held.text).splitlines()[:2] == [
        "Held since 00:00 UTC: 2 alerts",
        "They came while alerts were muted.",
    ]
    assert held.silent
    passing = await rig.composer.compose(claimed(event(rule_id=5), budget_free_ms=due_ms, budget=12))
    assert "Held since 00:00 UTC: 2 alerts, /why" in bare(passing.text)
    assert "These are the 12 alerts this chat gets in an hour. More wait until 01:00 UTC" in bare(passing.text)
