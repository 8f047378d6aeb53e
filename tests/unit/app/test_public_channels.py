"""The operator's public channels: set up once, left alone from then on, tried again where something is missing."""

import logging
from collections.abc import AsyncIterator

import pytest

from bot.alerts.types import Kind
from bot.delivery.messenger import NotSentError
from bot.guest_book import GuestBook
from bot.public_channels import FIRST_RULES, RETRY_S, PublicChannel, PublicChannels
from bot.storage.database import Database
from tests.fakes.clock import VirtualClock
from tests.fakes.desk import FakeDesk
from tests.unit.storage.values import NOW

NEWS, OTHER, ADMIN = -1001234567890, -1009999999999, 42


class House:
    """A bot with an operator; `open_to` says in which channels the bot may post."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.clock = VirtualClock(NOW)
        self.desk = FakeDesk()
        self.open_to: dict[int | str, int] = {"@btc_zones": NEWS, OTHER: OTHER}
        self.down = False
        self.asked = 0
        self.guests = GuestBook(
            db.guests, self.clock, allowlist=True, allowed=(), operators=(ADMIN,), changed=lambda: None
        )

    async def posts_in(self, chat: int | str) -> int | None:
        self.asked += 1
        if self.down:
            raise NotSentError("the server is away")
        return self.open_to.get(chat)

    def channels(self, *entries: str) -> PublicChannels:
        return PublicChannels(
            [PublicChannel.of(entry) for entry in entries],
            desk=self.desk,
            db=self.db,
            clock=self.clock,
            guests=self.guests,
            operators=(ADMIN,),
            posts_in=self.posts_in,
        )

    async def rules(self, channel: int) -> list[tuple[str, Kind]]:
        return [(view.rule.market.symbol, view.rule.kind) for view in await self.desk.rules(channel)]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with await Database.open("sqlite://", inline=True) as db:
        yield House(db)


FIRST = [("BTCUSDT", Kind.PROXIMITY), ("BTCUSDT", Kind.SWEPT), ("BTCUSDT", Kind.CASCADE)]


async def test_a_channel_gets_its_first_rules_and_is_let_in(house: House) -> None:
    await house.channels("BTC:@btc_zones").run()
    assert sorted(await house.rules(NEWS)) == sorted(FIRST)
    assert len(FIRST) == len(FIRST_RULES)
    chat = await house.db.chats.get(NEWS)
    assert chat is not None
    assert (chat.kind, chat.active) == ("channel", True)
    assert house.guests.is_open_to(NEWS)
    assert await house.db.links.of(ADMIN) == [NEWS], "the operator changes it with /channel"


async def test_what_was_deleted_there_does_not_come_back_with_the_next_start(house: House) -> None:
    await house.channels("BTC:@btc_zones").run()
    for view in await house.desk.rules(NEWS):
        await house.desk.remove_rule(NEWS, view.rule.id)
    await house.channels("BTC:@btc_zones").run()
    assert await house.rules(NEWS) == []


async def test_one_channel_may_hear_of_several_symbols_and_one_symbol_go_to_several(house: House) -> None:
    await house.channels("BTC:@btc_zones", "ETH:@btc_zones", f"BTC:{OTHER}").run()
    assert {symbol for symbol, _ in await house.rules(NEWS)} == {"BTCUSDT", "ETHUSDT"}
    assert sorted(await house.rules(OTHER)) == sorted(FIRST)


async def test_what_cannot_be_set_up_yet_is_said_once_and_tried_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    channels = house.channels("BTC:@nobody", "NOTACOIN:@btc_zones", "ETH:@btc_zones")
    for _ in range(3):
        await channels.set_up()
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(said) == 2
    assert "BTC in @nobody is not set up yet and tried again: the bot has to be an admin there" in said[0]
    assert "no exchange lists the symbol" in said[1]
    assert {symbol for symbol, _ in await house.rules(NEWS)} == {"ETHUSDT"}
    house.open_to["@nobody"] = OTHER
    await channels.set_up()
    assert sorted(await house.rules(OTHER)) == sorted(FIRST)


async def test_a_server_that_is_away_is_asked_again_later(house: House) -> None:
    house.down = True
    began_ms = house.clock.now_ms()
    channels = house.channels("BTC:@btc_zones")
    await channels.set_up()
    house.down = False
    await channels.run()
    assert sorted(await house.rules(NEWS)) == sorted(FIRST)
    assert (house.asked, house.clock.now_ms() - began_ms < RETRY_S * 1000) == (2, True)


async def test_a_channel_that_is_full_says_so(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.desk.limit = 2
    await house.channels("BTC:@btc_zones").set_up()
    assert any("is not set up yet" in record.getMessage() for record in caplog.records)
