"""Markets: maps, tables, levels of one's own, what was and what might be."""

from bot.alerts.hit_rate import HitRate
from bot.alerts.types import Market
from bot.liquidation.values import replace
from bot.telegram.desk import (
    HistoryView,
    StatsView,
    StreamView,
)
from tests.fakes.chat import Chat
from tests.fakes.desk import NOON_MS
from tests.unit.telegram.conversations import Script


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


SCRIPTS: tuple[Script, ...] = (
    pictures_and_tables,
    looking_back,
    own_levels,
    cascades,
    pulses,
    scans,
    proven_or_not,
    no_map_now,
    several_exchanges,
)
