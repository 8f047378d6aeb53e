"""From an outbox row to a message: text and picture whatever is known of the market by then."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bot.alerts.types import Event, Kind, Market, Severity
from bot.clock import StepClock
from bot.compose import Composer
from bot.delivery.messenger import Message
from bot.liquidation import Side
from bot.market.simulator import SimulatedMarket
from bot.markets import Markets
from bot.missed import AlertFolding
from bot.pictures import PictureDesk
from bot.storage.codec import event_to_plain
from bot.storage.database import Database
from bot.storage.outbox import Claimed
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
    assert "8 min late" in first_line(await rig.compose(event()))
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
