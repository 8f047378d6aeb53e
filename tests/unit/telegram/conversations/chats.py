"""Chats of more than one: groups, channels, and the lines that a chat without the bot gets."""

from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, alert_message, sample_event
from bot.telegram.conversation import Conversation
from bot.telegram.desk import (
    ToldView,
)
from bot.telegram.inbound import Asked
from bot.telegram.inline import Shop, offers_for, scene_of
from bot.telegram.limits import bare
from bot.telegram.strangers import for_strangers
from tests.fakes.channels import FakeChannels
from tests.fakes.chat import CATALOGUE, Chat
from tests.fakes.clock import VirtualClock
from tests.fakes.desk import NOON_MS, PNG
from tests.fakes.messenger import FakeMessenger
from tests.unit.telegram.conversations import Script


async def a_group(chat: Chat) -> None:
    chat.kind, chat.may_change = "supergroup", False
    await chat.happen("group_joined", "Ada adds the bot to the group")
    await chat.tap("ETH")
    await chat.type("/watch@LiqwatchBot BTC 1%")
    await chat.type("good morning all", to_bot=False)
    await chat.type("/map@LiqwatchBot BTC")
    await chat.tap("Watch BTC")
    await chat.tap("Normal 1%")
    chat.may_change = True
    await chat.tap("Normal 1%")
    chat.may_change = False
    await chat.type("/rules")
    await chat.tap("#1 BTC within 1%")
    await chat.tap("Delete")
    await chat.type("#1 5%")
    view = chat.desk.markets["BTCUSDT"]
    event = replace(sample_event(view, view.clusters[0], now_ms=NOON_MS), rule_id=1, threshold_pct=1.0)
    alert = chat.show(alert_message(event, Contract("BTC", 0.1), texts=chat.texts, sent_ms=NOON_MS))
    chat.desk.told[alert] = (ToldView(event, "BTC", 0.1, chat.desk.rule(1), ()),)
    await chat.type("I would not touch that", to_bot=False, reply_to=alert)
    await chat.type("eth", to_bot=False, reply_to=alert)
    await chat.type("what do you mean", to_bot=False, reply_to=alert - 1)
    await chat.tap("Snooze 1 hr")
    await chat.tap("Rule #1")
    await chat.happen("group_joined", "the bot is thrown out, and let in again")


async def a_channel(chat: Chat) -> None:
    news = -1001234567890
    channels = FakeChannels({news: "Crypto News", -1002: "Not Mine"}, {(11, news)})
    chat.channels = channels
    chat.conversation = Conversation(chat.desk, CATALOGUE, channels)
    await chat.type("/channel")
    await chat.type("/channel @NotMine")
    channels.linked.add((11, news))
    await chat.happen("channel_joined", "Ada lets the bot post in Crypto News", subject=news)
    await chat.tap("Set up alerts for Crypto News")
    await chat.type("/watch BTC 1%")
    await chat.tap("Fast 2%")
    await chat.type("/rules")
    await chat.type("/channel")
    await chat.tap("This chat")
    await chat.type("/rules")
    await chat.tap("Normal 1%")
    await chat.type("/watch ETH 2%")
    await chat.type("/channel @CryptoNews")
    await chat.tap("Copy one of my rules here")
    await chat.tap("#2 ETH within 2%")
    await chat.tap("Only there")
    await chat.type("/rules")
    channels.posters.clear()
    await chat.type("/unwatch all")
    await chat.type("/rules")
    view = chat.desk.markets["BTCUSDT"]
    event = replace(sample_event(view, view.clusters[0], now_ms=NOON_MS), rule_id=1, threshold_pct=1.0)
    alert = alert_message(event, Contract("BTC", 0.1), texts=chat.texts, sent_ms=NOON_MS, photo=PNG, photo_name="BTC")
    chat.lines.append("* in the channel")
    chat.show(for_strangers(alert, chat.texts, bot_name="LiqwatchBot"))


async def inline_mode(chat: Chat) -> None:
    for sent, typed in ((False, "zrx"), (True, "zrx"), (False, ""), (False, "btc 7d"), (False, "btv"), (False, "qqq")):
        known = SentPictures(sent)
        clock = VirtualClock(NOON_MS)
        shop = Shop(chat.desk, CATALOGUE, known, FakeMessenger(clock), clock)
        offers = await offers_for(shop, await scene_of(shop, Asked("1", 11, typed, "en")), typed)
        chat.lines.append(f"> @LiqwatchBot {typed}" + (" (its picture was sent somewhere before)" if sent else ""))
        for offer in offers.found:
            chat.lines.append(f"[{offer.title}]" + (" ▣" if offer.file_id else ""))
            if typed:
                chat.lines.extend(f"  {line}".rstrip() for line in bare(offer.text).split("\n"))
        chat.lines.extend(f"[{chat.texts.label(reason)}]" for reason in [offers.nothing or "inline.more"])


class SentPictures:
    """A server that has every picture, or none."""

    def __init__(self, sent: bool) -> None:
        self.sent = sent

    def picture_id(self, name: str) -> str | None:
        return "AgAC" if self.sent else None


SCRIPTS: tuple[Script, ...] = (
    a_group,
    a_channel,
    inline_mode,
)
