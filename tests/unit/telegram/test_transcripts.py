"""Whole conversations in two languages, kept as text in tests/golden/conversations and read by people.

After a change of words: `REWRITE_GOLDEN=1 pytest tests/unit/telegram/test_transcripts.py`, then read the difference.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.alerts.hit_rate import HitRate
from bot.alerts.outcomes import Ending, follow
from bot.alerts.reasons import Reason
from bot.alerts.silence import Silence
from bot.alerts.types import Kind, LogEntry, Market, Phase, Severity
from bot.telegram.alerts_text import Contract, alert_message, sample_event
from bot.telegram.conversation import Conversation
from bot.telegram.desk import (
    BroadcastView,
    HistoryView,
    PassedView,
    QuietView,
    StatsView,
    StreamView,
    ToldView,
    WhyView,
)
from bot.telegram.inbound import Asked
from bot.telegram.inline import Shop, offers_for, scene_of
from bot.telegram.limits import bare
from bot.telegram.receipts_text import receipt_message
from bot.telegram.strangers import for_strangers
from tests.fakes.channels import FakeChannels
from tests.fakes.chat import CATALOGUE, Chat, SameTaps
from tests.fakes.clock import VirtualClock
from tests.fakes.desk import NOON_MS, PNG, FakeDesk
from tests.fakes.messenger import FakeMessenger
from tests.fakes.operator import FakeOperator
from tests.fakes.several_desk import SeveralDesk

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "conversations"
SECOND = "ru"
"""The second language: it has four plural forms, and cases."""

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


async def onboarding(chat: Chat) -> None:
    chat.desk.newcomer = True
    await chat.type("/start")
    await chat.tap("BTC")
    await chat.tap("Normal 1%")
    await chat.tap("Fast 2%")
    await chat.tap("Delete")
    await chat.tap("Undo")
    await chat.tap("My rules")
    await chat.type("/start")


async def deep_link(chat: Chat) -> None:
    chat.desk.newcomer = True
    await chat.type("/start w_ZRXUSDT")
    await chat.tap("Calm 1.5%")
    for link in ("w_NOSUCH", "m_binance_BTCUSDT", "w_okx_ZRXUSDT", "ref_4711", "w_"):
        await chat.type(f"/start {link}")


async def one_line_watches(chat: Chat) -> None:
    for line in (
        "/watch BTC 1%",
        "/watch BTC 1%",
        "/watch ZRX-USDT-SWAP 2,5 %",
        "/watch BTC short 2% 10M",
        "/watch BTC grow 30% 4h",
        "/watch SOL",
        "/watch 我踏马来了 5%",
        "/watch ARB 3%",
        "eth 0.5%",
    ):
        await chat.type(line)
    await chat.tap("Yes, watch")


async def a_day_with_rules(chat: Chat) -> None:
    for line in ("/watch BTC 0.5%", "/watch BTC grow 30% 4h 10M", "/watch ZRX 2%", "/watch SOL long 4% strength 75"):
        await chat.type(line)
    chat.lines.clear()
    chat.desk.phases[3] = (Phase.FIRED, 0)
    chat.desk.phases[4] = (Phase.RECOVERING, NOON_MS + 12 * MINUTE_MS)
    await chat.type("/rules")
    await chat.tap("#1 BTC within 0.5%")
    await chat.tap("Until tomorrow")
    await chat.tap("‹ My rules")
    await chat.tap("#3 ZRX within 2%")
    await chat.tap("Delete")
    await chat.tap("Undo")
    await chat.tap("#1 BTC within 0.5%")
    await chat.tap("Wake up")
    await chat.tap("‹ My rules")
    chat.desk.pause(2, "breaker")
    chat.desk.unavailable["SOLUSDT"] = "exchange_down"
    chat.desk.silence = QuietView(None, muted_until_ms=NOON_MS + HOUR_MS)
    await chat.tap("Refresh")
    chat.desk.silence = QuietView(None)
    await chat.tap("#2 BTC grows 30% in 4\xa0hr, $10M+")
    await chat.tap("Wake up")
    await chat.tap("‹ My rules")
    await chat.type("/unwatch")
    await chat.tap("#2 BTC grows 30% in 4\xa0hr, $10M+")
    await chat.type("/unwatch BTC")
    await chat.type("/unwatch 3")
    await chat.type("/unwatch all")
    await chat.tap("Yes, delete it")
    await chat.tap("Undo")


async def a_rule_changed(chat: Chat) -> None:
    for line in ("/watch BTC 1%", "/watch ETH 60% in 4h 20M", "/watch SOL cascade", "/watch digest daily"):
        await chat.type(line)
    chat.lines.clear()
    await chat.type("/rules")
    await chat.tap("#1 BTC within 1%")
    for name, value in (
        ("Distance: 1%", "2%"),
        ("Side: both", "shorts"),
        ("At least: strength 60", "$10M"),
        ("Tell: each time", "every 30\xa0min"),
        ("Ends: never", "3\xa0days"),
    ):
        await chat.tap(name)
        await chat.tap(value)
    await chat.tap("Label: none")
    await chat.tap("Custom")
    for line in (
        '/edit 1 "my long"',
        "#1 1,7 % both no end",
        "/watch #1 once",
        "/edit 1 1.7%",
        "/edit 1 900%",
        "/edit 1 soon",
        "/edit BTC 2%",
        "/edit 99 2%",
        "/edit 2 70%",
        "/edit 3",
        "/edit 4 weekly",
        "/edit 4 2%",
        "/edit",
    ):
        await chat.type(line)
    await chat.tap("#2 ETH 70% odds in 4\xa0hr, $20M+")
    await chat.tap("Copy to a market")
    await chat.tap("SOL")
    chat.desk.name = "LiqwatchBot"
    await chat.type("#5")
    await chat.tap("Pause")
    await chat.tap("Wake up")


async def new_watches(chat: Chat) -> None:
    await chat.type("/watch")
    await chat.tap("ZRX")
    for kind in (
        "Price near a cluster",
        "A cluster grows",
        "A new cluster",
        "Breakout",
        "Cascade",
        "The heavier side flips",
        "Concentration",
        "My liquidation price",
    ):
        await chat.tap(kind)
        await chat.tap("Other alerts of it" if kind == "Price near a cluster" else "‹ Back")
    await chat.tap("A cluster is swept")
    await chat.tap("Calm 90+")


async def pictures_and_tables(chat: Chat) -> None:
    await chat.type("btc")
    await chat.tap("7d")
    await chat.tap("Refresh")
    await chat.tap("Table")
    await chat.tap("Watch BTC")
    await chat.type("/map ZRX 12h")
    await chat.type("/clusters ZRX")
    await chat.type("/clusters 1000PEPE")
    await chat.type("/map ETH")
    await chat.type("/clusters ETH")
    await chat.type("/map ARB")
    await chat.type("/clusters ARB")
    chat.desk.pictures = False
    await chat.type("/map SOL")


async def looking_back(chat: Chat) -> None:
    await chat.type("/heatmap")
    await chat.tap("BTC")
    await chat.tap("12h")
    await chat.tap("Refresh")
    await chat.type("/heatmap btc 7d")
    await chat.tap("History")
    await chat.tap("1d")
    await chat.tap("Map")
    await chat.tap("By leverage")
    await chat.tap("12h")
    await chat.tap("By cluster")
    await chat.type("/history")
    await chat.tap("ZRX")
    await chat.type("/history sol 12h")
    await chat.type("/history ARB")
    await chat.type("/history btx")
    await chat.type("/heatmap BTC 9d")
    await chat.type("/heatmap BTC kraken")
    chat.desk.unavailable["ETHUSDT"] = "loading"
    await chat.type("/history ETH")
    await chat.type("/heatmap ETH")
    del chat.desk.unavailable["ETHUSDT"]
    await chat.tap("Try again")
    chat.desk.pictures = False
    await chat.type("/heatmap SOL")


async def own_levels(chat: Chat) -> None:
    await chat.type("/position BTC long 40x at 97,000 size 2,000")
    await chat.tap("Watch this price")
    await chat.type("/position btc short 100x size 0,24 btc")
    await chat.type("/position BTC long 3x")
    await chat.type("/position BTC long 1x cross size 1000 margin 5000")
    await chat.type("/position SOL long 20x 182.4 margin 50")
    await chat.type("/position")
    await chat.type("/position BTC long")
    await chat.type("/position BTC long 5x soon")
    await chat.type("/position BTC long 200x")
    await chat.type("/position BTC long 5x at 9,700")
    await chat.type("/position BTC long 20x size 100 margin 0.1")
    await chat.type("/position BTD long 5x at 97,000")
    await chat.tap("BTC")
    await chat.type("/stop BTC long entry 97,000 stop 94,900")
    await chat.type("/stop BTC long 95,200")
    await chat.type("/stop BTC short 99,500")
    await chat.type("/stop BTC long 93,900")
    await chat.type("/stop BTC long 99,000")
    await chat.type("/stop BTC long")
    await chat.type("/levels BTC")
    await chat.tap("↑ Break of 97,910")
    await chat.type("/levels ZRX")
    await chat.tap("↓ Stop hunt 0.2241")
    await chat.type("/levels ARB")
    await chat.type("/levels")
    chat.desk.without_tiers.add("ETHUSDT")
    await chat.type("/position ETH long 5x")
    chat.desk.unavailable["BTCUSDT"] = "exchange_down"
    await chat.type("/stop BTC long 95,200")


async def cascades(chat: Chat) -> None:
    await chat.type("/cascade BTC")
    await chat.type("/cascade ETH")
    await chat.type("/cascade ZRX")
    await chat.type("cascade SOL")
    await chat.type("/cascade ARB")
    await chat.type("/cascade")
    await chat.tap("1000PEPE")
    await chat.type("/cascade BTD")
    chat.desk.bookless.add("ETHUSDT")
    await chat.type("/cascade ETH")
    chat.desk.unavailable["BTCUSDT"] = "exchange_down"
    await chat.type("/cascade BTC")


async def pulses(chat: Chat) -> None:
    await chat.type("/pulse")
    await chat.tap("BTC")
    for line in ("/watch BTC 1%", "/watch ETH 2%", "/watch BTC swept", "/watch digest daily"):
        await chat.type(line)
    await chat.type("/pulse")
    await chat.tap("Refresh")
    await chat.tap("ETH")
    await chat.tap("Refresh")
    await chat.tap("Map")
    await chat.type("/watch ZRX 2%")
    chat.desk.tables.young.add("ZRXUSDT")
    await chat.type("/pulse zrx")
    chat.desk.unavailable["ZRXUSDT"] = "exchange_down"
    await chat.type("/pulse")
    await chat.type("/pulse zrx")
    chat.desk.pictures = False
    await chat.tap("Try again")
    await chat.type("/pulse")
    await chat.type("/pulse btx")
    chat.desk.unavailable.update({"BTCUSDT": "exchange_down", "ETHUSDT": "no_data"})
    await chat.type("/pulse")
    await chat.tap("Refresh")


async def scans(chat: Chat) -> None:
    await chat.type("/scan")
    await chat.tap("Growing")
    await chat.tap("One-sided")
    await chat.tap("Load")
    await chat.tap("+ ZRX")
    await chat.type("/scan one-sided")
    await chat.type("/scan fastest")
    await chat.tap("Nearest")
    believable = dict(chat.desk.markets)
    for number in range(12):
        market = Market("binance", f"C{number}USDT")
        chat.desk.markets[market.symbol] = replace(believable["ETHUSDT"], market=market, base=f"C{number}")
    chat.desk.tables.wanted = 100
    await chat.tap("Refresh")
    await chat.tap("More ›")
    await chat.tap("‹ Back")
    chat.desk.markets = {"ARBUSDT": believable["ARBUSDT"]}
    chat.desk.tables.wanted = 0
    for order in ("", "growing", "absorption"):
        await chat.type(f"/scan {order}")
    chat.desk.markets.clear()
    chat.desk.tables.wanted = 40
    await chat.type("/scan one-sided")
    chat.desk.markets = believable
    chat.desk.pictures = False
    await chat.type("/scan")


async def proven_or_not(chat: Chat) -> None:
    await chat.type("/status")
    await chat.tap("Refresh")
    await chat.type("/clusters SOL")
    await chat.type("/watch SOL 4%")
    await chat.tap("Show a sample alert")
    (binance,) = chat.desk.state.exchanges
    troubled = StreamView(age_ms=9_000, late_ms=None, reconnects=3, gaps=1, dropped=20, unread=2)
    holes = HistoryView(whole=3, wanted=100, missing=12, dropped=1)
    deaf = replace(
        binance,
        hears=False,
        last_print_ms=None,
        requests=None,
        stream=troubled,
        silent_until_ms=NOON_MS + 120_000,
        history=holes,
    )
    chat.desk.state = replace(chat.desk.state, exchanges=(deaf,), skills=chat.desk.state.skills[3:])
    await chat.type("/status")
    new = (
        replace(deaf, exchange="simulated", hears=True, age_ms=None, bar_ms=None),
        replace(deaf, exchange="okx", hears=None, stream=None, silent_until_ms=None, history=None),
    )
    chat.desk.state = replace(chat.desk.state, exchanges=new, skills=(), simulated=True)
    await chat.type("/status")


async def mistakes(chat: Chat) -> None:
    for line in (
        "/watch BTV 1%",
        "/watch BTC 900%",
        "/watch BTC -1%",
        "/watch BTC abc",
        "/watch BTC 1% 2%",
        "/watch BTC grow 3%",
        "/watch BTC grow 30% 3d",
        "/watch BTC 1% strength 300",
        "/watch BTC 1% strength",
        "/watch BTC 1% 10Q",
        "/map BTC 2y",
        "/map XYZ",
        "/clusters BTV",
        "/unwatch 99",
        "/unwatch SOL",
        "/wacth BTC",
        "hello there",
        "BTC to the moon",
        "<b>&",
        "/watch 1% BTC",
        "/watch short BTC",
        "/map 7d BTC",
        "/clusters 7d",
        "/why 4711",
        "/edit 4711 2%",
        "#4711",
        "/quiet 99",
        "/unwatch BTV",
        "/start w_BTV",
        "x" * 400,
        "/watch <script> 1%",
        "   ",
    ):
        await chat.type(line)
    await chat.type(None)
    await chat.tap_data("v|from|last|month")
    await chat.tap_data("xe|4711")
    await chat.tap_data("p|4711")
    await chat.tap_data("pe|4711|2%")
    await chat.tap_data("pz|4711|8")
    await chat.type("/watch BTC 1%")
    await chat.tap_data("pe|1|nonsense")
    await chat.tap_data("pp|1|nonsense")
    await chat.tap_data("wj|BTCUSDT|nonsense")
    await chat.tap_data("q|nonsense|99")
    await chat.tap_data("m|binance:DELISTEDUSDT")


async def no_map_now(chat: Chat) -> None:
    chat.desk.unavailable["BTCUSDT"] = "exchange_down"
    await chat.type("/map BTC")
    await chat.tap("Try again")
    await chat.type("/watch BTC 1%")
    await chat.tap("Change")
    chat.desk.unavailable["ZRXUSDT"] = "no_data"
    await chat.type("/watch ZRX 2%")
    del chat.desk.unavailable["ZRXUSDT"]
    await chat.tap("Try again")
    chat.desk.unavailable["ZRXUSDT"] = "no_data"
    await chat.type("/clusters ZRX")


async def too_many_rules(chat: Chat) -> None:
    chat.desk.limit = 2
    await chat.type("/watch BTC 1%")
    await chat.type("/watch ETH 1%")
    await chat.type("/watch SOL 1%")
    await chat.tap("#1 BTC within 1%")


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


async def alerts(chat: Chat) -> None:
    await chat.type("/watch BTC 1%")
    await chat.type("/watch ZRX 2%")
    view = chat.desk.markets["BTCUSDT"]
    near = min(view.clusters, key=lambda each: abs(each.distance_pct))
    event = replace(sample_event(view, near, now_ms=NOON_MS), rule_id=1, severity=Severity.WARNING, threshold_pct=1.0)
    contract = Contract("BTC", 0.1)
    alert = chat.show(
        alert_message(event, contract, texts=chat.texts, sent_ms=NOON_MS + 1_000, photo=PNG, photo_name="BTC at 12:00")
    )
    await chat.tap("Snooze 1 hr")
    await chat.tap("Wake up")
    chat.desk.told[alert] = (ToldView(event, "BTC", 0.1, chat.desk.rule(1), ()),)
    chat.desk.now += 20 * MINUTE_MS
    chat.desk.markets["BTCUSDT"] = replace(view, price=97_010.0)
    await chat.tap("Refresh")
    chat.desk.markets["BTCUSDT"] = replace(view, clusters=())
    await chat.tap("Refresh")
    del chat.desk.told[alert]
    await chat.tap("Refresh")
    chat.desk.now, chat.desk.markets["BTCUSDT"] = NOON_MS, view
    await chat.tap("Rule #1")
    await chat.tap("Delete")
    await chat.tap("Undo")
    await chat.tap_key(
        alert, next(button for button in chat.keys(alert) if button.text == chat.texts.label("button.map"))
    )
    grew = replace(event, kind=Kind.GROWTH, value_pct=34.2, threshold_pct=30.0, window_ms=240 * MINUTE_MS)
    chat.show(alert_message(grew, contract, texts=chat.texts, sent_ms=NOON_MS + 150_000, repeat=True))
    zrx = chat.desk.markets["ZRXUSDT"]
    volume = replace(sample_event(zrx, zrx.clusters[0], now_ms=NOON_MS), rule_id=2, threshold_pct=2.0)
    simulated = Contract("ZRX", 0.0001, simulated=True)
    chat.show(alert_message(volume, simulated, texts=chat.texts, sent_ms=NOON_MS + 1_000))


async def what_came_of_it(chat: Chat) -> None:
    await chat.type("/stats")
    await chat.type("/watch BTC 1%")
    await chat.type("/watch SOL grow 30% 4h")
    view = chat.desk.markets["BTCUSDT"]
    near = min(view.clusters, key=lambda each: abs(each.distance_pct))
    event = replace(sample_event(view, near, now_ms=NOON_MS), rule_id=1, touch=((1, 0.3), (4, 0.55), (24, 0.9)))
    contract = Contract("BTC", 0.1)
    told = follow(event)
    assert told is not None
    over = replace(told, ending=Ending.EXPIRED, ended_ms=told.until_ms, settled_ms=told.until_ms)
    reached = replace(over, reach=told.near, touched_ms=NOON_MS + 35 * MINUTE_MS)
    swept = replace(reached, reach=told.far, ending=Ending.SWEPT, ended_ms=NOON_MS + 95 * MINUTE_MS, printed_usd=1.2e6)
    chat.show(receipt_message(over, contract, texts=chat.texts))
    chat.show(receipt_message(reached, contract, texts=chat.texts, repeat=True))
    chat.show(receipt_message(swept, contract, texts=chat.texts))
    expected = replace(swept, expected_usd=0.9e6, expected_high_usd=2.3e6, chance=None)
    chat.show(receipt_message(expected, contract, texts=chat.texts))
    faded = replace(told, ending=Ending.FADED, ended_ms=NOON_MS + 80 * MINUTE_MS, printed_usd=0.0)
    chat.show(receipt_message(faded, Contract("BTC", 0.1, simulated=True), texts=chat.texts))
    good, bad = HitRate(42, 3, 35, 18, 16.4, 8.2), HitRate(25, 0, 24, 3, 9.1, 5.1)
    rules = {view.rule.id: view.rule for view in await chat.desk.rules(chat.chat_id)}
    chat.desk.record = StatsView(
        30,
        good + bad,
        ((Kind.PROXIMITY, good), (Kind.GROWTH, bad)),
        (
            (1, rules[1], good),
            (2, rules[2], bad),
            (9, None, HitRate(2, 0, 0)),
            (7, None, HitRate(1, 0, 1, 1, 0.4, 0.24)),
        ),
    )
    await chat.type("/stats")
    await chat.tap("Refresh")


async def quiet_and_mute(chat: Chat) -> None:
    for line in (
        "/quiet",
        "/quiet 23-7",
        "/quiet 23-7 Europe/Berlin",
        "/quiet 10:30pm-6:15am",
        "/quiet 23-7 UTC+2 critical passes",
        "/quiet 23-7 Narnia",
        "/quiet 7-7 UTC",
        "/quiet tonight",
    ):
        await chat.type(line)
    chat.desk.silence = replace(
        chat.desk.silence,
        quiet_until_ms=NOON_MS + 5 * HOUR_MS,
        held=7,
        held_since_ms=NOON_MS - 2 * HOUR_MS,
        held_until_ms=NOON_MS + 5 * HOUR_MS,
    )
    await chat.type("/quiet")
    await chat.tap("Critical waits too")
    await chat.tap("No quiet hours")
    chat.desk.silence = QuietView(None)
    await chat.type("/mute 8h")
    await chat.tap("End the mute")
    await chat.tap("Mute 1\xa0hr")
    await chat.type("/mute off")
    for line in ("/mute for ever", "/mute 31d", "/mute 0m"):
        await chat.type(line)


async def why(chat: Chat) -> None:
    await chat.type("/watch BTC 0.5%")
    await chat.type("/watch SOL 1%")
    chat.lines.clear()
    await chat.type("/why")
    await chat.type("/why BTC")
    await chat.type("/why rule 2")
    for line in ("/why ETH", "/why 99", "/why BTV"):
        await chat.type(line)
    explain_btc(chat)
    await chat.type("/why #1")
    await chat.type("/why")
    await chat.type("/why", reply_to=4_711)
    view = chat.desk.markets["BTCUSDT"]
    near = min(view.clusters, key=lambda each: abs(each.distance_pct))
    event = replace(sample_event(view, near, now_ms=NOON_MS), rule_id=1, severity=Severity.WARNING, threshold_pct=1.0)
    chat.show(alert_message(event, Contract("BTC", 0.1), texts=chat.texts, sent_ms=NOON_MS))
    rule = chat.desk.whys[1].rule
    chat.desk.told[max(chat.screen)] = (ToldView(event, "BTC", 0.1, rule, tuple(reversed(chat.desk.log))),)
    await chat.tap("Why?")


def explain_btc(chat: Chat) -> None:
    """A day in which much was kept back, and every reason of now."""
    view = chat.desk.markets["BTCUSDT"]
    weak, passed = (replace(each.cluster, strength=48) for each in view.clusters[:2])

    def entry(minutes: int, reason: Reason, until: int = 0) -> LogEntry:
        at_ms = NOON_MS - minutes * MINUTE_MS
        until_ms = NOON_MS + until * MINUTE_MS
        return LogEntry(at_ms, reason, view.market, 7, 1, "S1", 1, 0.4, view.price, until_ms, key="k")

    chat.desk.log = (
        entry(5, Reason.HELD_BUDGET, 40),
        entry(50, Reason.HELD_QUIET, -30),
        entry(90, Reason.GROUPED),
        entry(200, Reason.TOLD),
    )
    silences = (
        Silence(Reason.SNOOZED, until_ms=NOON_MS + 9 * MINUTE_MS),
        Silence(Reason.STALE, since_ms=NOON_MS - 30 * MINUTE_MS),
        Silence(Reason.COOLING, view.clusters[1].cluster, 0.4, since_ms=NOON_MS - HOUR_MS, until_ms=NOON_MS + HOUR_MS),
        Silence(Reason.TOO_WEAK, weak, 0.31, measured=48.0, asked=60.0),
        Silence(Reason.TOO_SMALL, passed, 0.2, measured=4e6, asked=1e7),
    )
    gone = PassedView(passed, NOON_MS - 100 * MINUTE_MS, Silence(Reason.TOO_WEAK, passed, measured=48.0, asked=60.0))
    chat.desk.whys[1] = WhyView(
        rule=chat.desk.rule(1),
        base="BTC",
        tick_size=0.1,
        now=silences,
        log=chat.desk.log,
        passed=(gone,),
        stale=((NOON_MS - 30 * MINUTE_MS, None), (NOON_MS - 300 * MINUTE_MS, NOON_MS - 273 * MINUTE_MS)),
    )
    chat.desk.silence = QuietView(None, held=1, held_since_ms=NOON_MS - 300_000, held_until_ms=NOON_MS + 2_400_000)


async def admin(chat: Chat) -> None:
    await chat.type("/admin")
    operator = FakeOperator()
    chat.desk.operators[11] = operator
    await chat.type("/admin")
    await chat.tap("Requeue #1207")
    await chat.tap("Requeue #1188")
    operator.state = replace(operator.state, waiting=0)
    await chat.tap("Refresh")
    await chat.type("/admin allow 5551")
    await chat.type("/admin deny -1001234567890")
    await chat.type("/admin deny 11")
    await chat.type("/admin allow everybody")
    await chat.type("/admin help")
    await chat.type("/admin broadcast")
    await chat.type(
        "/admin broadcast The bot moves to a new machine on Sunday at 10:00 UTC.\nAlerts pause for ten minutes."
    )
    await chat.tap("Cancel")
    await chat.type("/admin broadcast The bot moves to a new machine on Sunday at 10:00 UTC.")
    await chat.tap("Send to 41 chats")
    assert operator.state.broadcast is not None
    operator.state = replace(operator.state, broadcast=replace(operator.state.broadcast, told=17, waiting=24))
    await chat.tap("Refresh")
    await chat.tap("Stop the broadcast")
    done = BroadcastView(3, "The bot moves to a new machine on Sunday at 10:00 UTC.", "queued", 41, told=40)
    operator.state = replace(operator.state, broadcast=done, allowlist=True, let_in=12)
    await chat.type("/admin")


async def several_exchanges(chat: Chat) -> None:
    await chat.type("/map BTC")
    await chat.tap("OKX")
    await chat.tap("All")
    await chat.type("/clusters BTC bybit")
    await chat.type("/map BTC gate")
    await chat.type("/watch all BTC 1%")
    await chat.type("/watch okx BTC short 2%")
    await chat.type("/rules")
    await chat.tap("#2 BTC on OKX within 2%, shorts")
    await chat.tap("Exchange: OKX")
    await chat.tap("Bybit")
    rules = [view.rule for view in await chat.desk.rules(chat.chat_id)]
    rate = HitRate(alerts=2)
    chat.desk.record = StatsView(30, rate + rate, (), tuple((rule.id, rule, rate) for rule in rules))
    await chat.type("/stats")
    await chat.type("/why BTC")


async def help_and_menus(chat: Chat) -> None:
    await chat.type("/help")
    for topic in ("Alerts", "Maps", "Your levels", "This chat"):
        await chat.tap(topic)
    await chat.tap("Add a rule")
    await chat.type("/map")
    await chat.type("/clusters")
    await chat.type("/rules")
    await chat.type("/unwatch")
    await chat.type("/unwatch all")


async def every_setting(chat: Chat) -> None:
    await chat.type("/settings")
    await chat.tap("Time zone")
    await chat.tap("Berlin 13:00")
    await chat.tap("‹ Settings")
    await chat.tap("Sound")
    await chat.tap("Critical only")
    await chat.tap("Digest time")
    await chat.tap("21:00")
    await chat.tap("Pictures")
    await chat.tap("Light")
    await chat.tap("Map range")
    await chat.tap("7d")
    await chat.tap("Sizes")
    await chat.tap("In percent")
    await chat.tap("Exchange")
    await chat.tap("OKX")
    await chat.tap("Quiet hours")
    await chat.tap("‹ Settings")
    await chat.type("/quiet 23-7")
    await chat.type("/watch BTC 1%")
    await chat.type("/watch digest daily")
    await chat.type("/map BTC")
    await chat.type("/mute 2h")
    await chat.type("/settings")


async def settings_in_one_line(chat: Chat) -> None:
    for line in (
        "/settings zone istanbul",
        "/settings zone 北京",
        "/settings zone UTC-3:30",
        "/settings zone new yrok",
        "/settings zone brasil",
        "/settings zone Narnia",
        "/settings zone",
        "/settings theme light",
        "/settings theme neon",
        "/settings language english",
        "/settings sound none",
        "/settings digest 9:00",
        "/settings range 12h",
        "/settings sizes in percent",
        "/settings quiet 22-6",
        "/settings volume 11",
    ):
        await chat.type(line)
    await chat.tap_data("ss|theme|neon", max(chat.screen))
    await chat.tap_data("ss|volume|11", max(chat.screen))
    await chat.tap_data("sg|volume", max(chat.screen))
    await chat.tap_data("sz|Atlantis/Poseidonis", max(chat.screen))
    chat.kind, chat.may_change = "supergroup", False
    await chat.type("/settings")
    await chat.tap("Pictures")
    await chat.tap("Dark")
    await chat.type("/settings theme dark")


async def own_data(chat: Chat) -> None:
    await chat.type("/privacy")
    await chat.type("/about")
    await chat.type("/watch BTC 1%")
    await chat.type("/mydata")
    await chat.type("/forgetme")
    await chat.tap("Keep")
    await chat.type("/forgetme")
    await chat.tap("Delete everything")
    await chat.type("/rules")
    chat.kind, chat.may_change = "supergroup", False
    await chat.type("/forgetme")
    await chat.type("/mydata")
    await chat.tap_data("fy", max(chat.screen))


Script = Callable[[Chat], Awaitable[None]]
SCRIPTS: tuple[Script, ...] = (
    onboarding,
    deep_link,
    one_line_watches,
    a_day_with_rules,
    a_rule_changed,
    new_watches,
    pictures_and_tables,
    looking_back,
    own_levels,
    cascades,
    pulses,
    scans,
    proven_or_not,
    mistakes,
    no_map_now,
    too_many_rules,
    a_group,
    every_setting,
    settings_in_one_line,
    own_data,
    a_channel,
    inline_mode,
    alerts,
    what_came_of_it,
    quiet_and_mute,
    why,
    admin,
    several_exchanges,
    help_and_menus,
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
async def test_a_conversation_reads_as_kept(script: Script) -> None:
    first = Chat(desk=desk_for(script))
    await script(first)
    check(first, GOLDEN / f"{script.__name__}.txt")
    again = SameTaps(desk=desk_for(script), language=SECOND, taps=tuple(first.tapped))
    await script(again)
    check(again, GOLDEN / SECOND / f"{script.__name__}.txt")


def desk_for(script: Script) -> FakeDesk:
    return SeveralDesk() if script in (several_exchanges, every_setting) else FakeDesk()


def check(chat: Chat, path: Path) -> None:
    if os.environ.get("REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(chat.transcript, encoding="utf-8")
    assert chat.transcript == path.read_text(encoding="utf-8")


def test_no_kept_conversation_is_left_over() -> None:
    for folder in (GOLDEN, GOLDEN / SECOND):
        assert {path.stem for path in folder.glob("*.txt")} == {script.__name__ for script in SCRIPTS}
