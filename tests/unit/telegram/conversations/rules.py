"""Rules: how they come to be, change, sleep and go, and what a typed line may be wrong in."""

from bot.alerts.types import Phase
from bot.telegram.desk import (
    QuietView,
)
from tests.fakes.chat import Chat
from tests.fakes.desk import NOON_MS
from tests.unit.telegram.conversations import Script

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


async def too_many_rules(chat: Chat) -> None:
    chat.desk.limit = 2
    await chat.type("/watch BTC 1%")
    await chat.type("/watch ETH 1%")
    await chat.type("/watch SOL 1%")
    await chat.tap("#1 BTC within 1%")


SCRIPTS: tuple[Script, ...] = (
    onboarding,
    deep_link,
    one_line_watches,
    a_day_with_rules,
    a_rule_changed,
    new_watches,
    mistakes,
    too_many_rules,
)
