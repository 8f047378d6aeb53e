"""The scripted day, in parts: each a chat of its own, a step a line.

A tap names the verb that its key carries (`bot.telegram.callbacks`), which is the same in every language.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.alerts.exposure import APPROACH, CROWD
from bot.alerts.outcomes import Ending, follow
from bot.alerts.types import Kind, Severity
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.telegram.turn import ChatKind
from tests.screens.chat import CHANNEL, EDITOR, GUEST, OPERATOR, Chat
from tests.screens.happenings import missed, near, notice, of_market, receipt, tell

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
DAY_MS = 24 * HOUR_MS


async def onboarding(chat: Chat) -> None:
    await chat.type("/start")
    await chat.tap("w")
    await chat.tap("wp", nth=1)
    await chat.tap("t")
    await chat.tap("s", nth=2)
    await chat.tap("xe")
    await chat.tap("u")
    chat.note("a link on a web page: t.me/liqwatch?start=w_ZRXUSDT")
    await chat.type("/start w_ZRXUSDT")
    await chat.type("/help")
    for topic in range(4):
        await chat.tap("h", nth=topic)


async def watching(chat: Chat) -> None:
    await chat.type(
        "/watch BTC 1%",
        "/watch btc short 2,5 % 10M",
        "/watch ETH grow 30% 4h",
        "/watch ZRX 1.5atr",
        "/watch BTC 60% in 4h strength 70",
        "/watch SOL swept",
        "/watch SOL 2% confluence",
        "/watch BTC cascade 99%",
        "/watch BTC flip",
        "/watch ETH concentration",
        "/watch BTC exposure long 85000",
        '/watch BTC 1% until friday "my long"',
        "/watch digest daily",
        "/watch",
        "eth 0.5%",
    )
    await chat.tap("wt")


async def rules(chat: Chat) -> None:
    await chat.type("/rules", "/watch BTC 0.5%", "/watch BTC grow 30% 4h 10M", "/watch ZRX 2%", "/watch SOL long 4%")
    chat.clear()
    await chat.type("/rules")
    await chat.tap("p")
    await chat.tap("pp")
    await chat.tap("pe")
    await chat.tap("pp", "side")
    await chat.tap("pc")
    rule = (await chat.stage.app.watch.rules_of(chat.id))[0].id
    await chat.type("/edit", f"/edit {rule} 1.7%", "/rules")
    await chat.tap("p", nth=1)
    await chat.tap("pz", "t")
    await chat.tap("r")
    await chat.tap("p", nth=2)
    await chat.tap("q")
    await chat.tap("pn")
    await chat.type("/rules")
    await chat.tap("p")
    await chat.tap("rx")
    await chat.tap("ru")
    await chat.type("/unwatch", "/unwatch BTC", "/unwatch all")
    await chat.tap("ua")
    await chat.tap("ub")


async def menus(chat: Chat) -> None:
    await chat.type("/watch")
    await chat.tap("wk")
    for number in range(5):
        await chat.tap("wj", nth=number)
        await chat.tap("wk")
    await chat.tap("wj")
    await chat.tap("wt")


async def pictures(chat: Chat) -> None:
    await chat.type("btc")
    await chat.tap("mr", nth=1)
    await chat.tap("c")
    await chat.tap("ml")
    await chat.type("/map ZRX 12h", "/map ETH", "/clusters 1000PEPE", "/clusters SOL", "/map", "/clusters")


async def own_levels(chat: Chat) -> None:
    await chat.type("/position BTC long 40x size 2,000")
    await chat.tap("wt")
    await chat.type("/position BTC short 5x", "/position BTC long 500x", "/position BTC long 5x soon")
    await chat.type("/stop BTC long 86,000", "/stop BTC short 1", "/levels BTC", "/levels ZRX")


async def cascades(chat: Chat) -> None:
    await chat.type("/cascade BTC", "/cascade ETH", "/cascade ZRX", "/cascade")


async def many_markets(chat: Chat) -> None:
    await chat.type("/pulse")
    await chat.type("/watch BTC 1%", "/watch ETH 1%", "/watch SOL 2%", "/watch ZRX 2%", "/watch 1000PEPE 3%")
    await chat.type("/pulse", "/pulse ETH", "/scan")
    await chat.tap("sn", "growing")
    await chat.tap("sn", "absorption")


async def looking_back(chat: Chat) -> None:
    await chat.type("/heatmap BTC")
    await chat.tap("hr", "12h")
    await chat.type("/heatmap ZRX 1d", "/history BTC")
    await chat.tap("lr", "1d")
    await chat.type("/history SOL 3d", "/heatmap")


async def alerts(chat: Chat) -> None:
    await chat.type("/watch BTC 1%", "/watch ZRX 2%", "/watch ETH 1%", "/watch BTC grow 30% 4h", "/watch BTC swept")
    await chat.type("/watch BTC breakout", "/watch BTC hunt", '/watch BTC exposure long 85000 "my long"')
    await chat.type("/watch BTC cascade", "/watch BTC flip", "/watch ETH concentration")
    chat.clear()
    await tell(chat, await near(chat, Kind.PROXIMITY, away_pct=0.83, threshold_pct=1.0))
    await chat.tap("z")
    await chat.tap("y")
    await chat.tap("m")
    grown: Any = {"value_pct": 34.2, "threshold_pct": 30.0, "window_ms": 4 * HOUR_MS}
    await tell(chat, await near(chat, Kind.GROWTH, away_pct=2.4, **grown))
    await tell(chat, await near(chat, Kind.NEW_CLUSTER, "ETH", away_pct=1.9, threshold_pct=0.0))
    realised = (("realised_usd", 3.4e6),)
    loud = Severity.CRITICAL
    await tell(chat, await near(chat, Kind.SWEPT, side=Side.SHORT, away_pct=0.0, severity=loud, figures=realised))
    await tell(chat, await near(chat, Kind.BREAKOUT, side=Side.SHORT, away_pct=-2.6, window_ms=30 * MINUTE_MS))
    odds = ((1, 0.04), (4, 0.19), (24, 0.52))
    back: Any = {"window_ms": 30 * MINUTE_MS, "figures": (("after_ms", 12.0 * MINUTE_MS),)}
    await tell(chat, await near(chat, Kind.STOP_HUNT, away_pct=0.4, **back))
    await tell(chat, await near(chat, Kind.PROXIMITY, "ZRX", away_pct=1.6, threshold_pct=2.0))
    own: Any = {"threshold_pct": 3.0, "figures": (("level", 85_000.0),), "label": "my long", "track_id": APPROACH}
    await tell(chat, await of_market(chat, Kind.EXPOSURE, side=Side.LONG, value_pct=2.6, touch=odds, **own))
    own |= {"track_id": CROWD, "figures": (("level", 85_000.0), ("crowding", 83.0))}
    await tell(chat, await of_market(chat, Kind.EXPOSURE, side=Side.LONG, value_pct=83.0, touch=odds, **own))
    minute = (("minute_usd", 8.2e6), ("usual_usd", 1.1e6))
    await tell(
        chat, await of_market(chat, Kind.CASCADE, side=Side.LONG, threshold_pct=99.0, severity=loud, figures=minute)
    )
    sides = (("short_usd", 4.1e8), ("long_usd", 2.9e8))
    heavier: Any = {"side": Side.SHORT, "value_pct": 58.6, "threshold_pct": 55.0, "figures": sides}
    await tell(chat, await of_market(chat, Kind.FLIP, **heavier))
    dense = (("deviation", -2.1),)
    await tell(chat, await of_market(chat, Kind.CONCENTRATION, "ETH", threshold_pct=95.0, figures=dense))


async def together(chat: Chat) -> None:
    await chat.type("/watch BTC 1%", "/watch BTC swept", "/watch ETH 1%", "/watch ZRX 2%", "/watch SOL 2%")
    chat.clear()
    chat.note("two at once")
    swept = await near(chat, Kind.SWEPT, side=Side.SHORT, away_pct=0.0)
    await tell(chat, await near(chat, Kind.PROXIMITY, away_pct=0.9, threshold_pct=1.0), swept)
    chat.note("a sweep through the market")
    await tell(chat, *[await near(chat, Kind.PROXIMITY, base, away_pct=0.7) for base in ("BTC", "ETH", "SOL", "ZRX")])
    chat.note("held while muted")
    await chat.type("/mute 1h")
    for base in ("BTC", "ETH", "BTC", "ZRX"):
        await tell(chat, await near(chat, Kind.PROXIMITY, base, nth=1, away_pct=0.6))
        await chat.stage.later(minutes=7)
    await chat.type("/mute", "/mute off")
    await chat.stage.later(minutes=1)
    await tell(chat, await of_market(chat, Kind.DIGEST, "", severity=Severity.INFO, window_ms=DAY_MS))
    ends = (("expires_ms", chat.stage.clock.now_ms() + HOUR_MS), ("life_ms", DAY_MS))
    await tell(chat, await of_market(chat, Kind.EXPIRY, severity=Severity.INFO, figures=ends))


async def aftermath(chat: Chat) -> None:
    await chat.type("/watch BTC 1%", "/watch SOL grow 30% 4h")
    chat.clear()
    await chat.type("/stats")
    event = await near(chat, Kind.PROXIMITY, away_pct=0.9, threshold_pct=1.0)
    await tell(chat, event)
    alert, told, now_ms = chat.last, follow(event), event.time_ms
    assert told is not None
    over = replace(told, ending=Ending.EXPIRED, ended_ms=told.until_ms, settled_ms=told.until_ms)
    reached = replace(over, reach=told.near, touched_ms=now_ms + 35 * MINUTE_MS)
    swept = replace(reached, reach=told.far, ending=Ending.SWEPT, ended_ms=now_ms + 95 * MINUTE_MS, printed_usd=1.2e6)
    faded = replace(told, ending=Ending.FADED, ended_ms=now_ms + 80 * MINUTE_MS, printed_usd=0.0)
    for outcome in (over, reached, swept, faded):
        await receipt(chat, outcome, reply_to=alert)
    await chat.type("/stats", "/why", "/why BTC", "/why ETH")
    await chat.type("/why", reply_to=alert)


async def troubles(chat: Chat) -> None:
    await chat.type("/watch BTC 1%", "/watch ETH 1%")
    chat.clear()
    now_ms = chat.stage.clock.now_ms()
    silence = {"exchange": "binance", "since_ms": now_ms - 4 * MINUTE_MS}
    await notice(chat, {"notice": "stale", **silence})
    await notice(chat, {"notice": "back", "silent": True, **silence})
    chat.note("after an outage of the bot")
    old_ms = now_ms - 50 * MINUTE_MS
    bases = ("BTC", "BTC", "ETH")
    await missed(chat, *[await near(chat, Kind.PROXIMITY, base, away_pct=0.8, time_ms=old_ms) for base in bases])
    chat.note("of rules and contracts")
    rule = (await chat.stage.app.watch.rules_of(chat.id))[0].id
    await notice(chat, {"notice": "breaker", "rule": rule, "exchange": "binance", "symbol": "BTCUSDT"})
    contract = {"exchange": "binance", "symbol": "ZRXUSDT", "time_ms": now_ms + DAY_MS}
    await notice(chat, {"notice": "delisting", **contract})
    await notice(chat, {"notice": "delisted", **contract})
    await notice(chat, {"notice": "topic_gone", "chat": chat.id})


async def quiet(chat: Chat) -> None:
    await chat.type("/quiet", "/quiet 23-7", "/quiet 23-7 Europe/Berlin")
    await chat.tap("qc")
    await chat.type("/quiet 23-7 Narnia", "/quiet tonight", "/mute", "/mute 8h", "/mute for ever")
    await chat.tap("qm", "0")
    await chat.type("/status")


async def settings(chat: Chat) -> None:
    await chat.type("/settings")
    for name in ("language", "theme", "range", "units", "zone", "quiet"):
        await chat.tap("sg", name)
        await chat.tap("se")
    await chat.type("/settings zone tokio", "/settings units percent", "/settings theme light", "/map BTC")
    await chat.type("/settings colour", "/settings theme purple")


async def own_data(chat: Chat) -> None:
    await chat.type("/watch BTC 1%")
    chat.clear()
    await chat.type("/about", "/privacy", "/mydata", "/forgetme")
    await chat.tap("fn")
    await chat.type("/forgetme")
    await chat.tap("fy")


async def mistakes(chat: Chat) -> None:
    await chat.type(
        "/watch BTV 1%",
        "/watch BTC 900%",
        "/watch BTC abc",
        "/watch BTC 1% 2%",
        "/watch BTC grow 30% 3d",
        "/watch BTC 1% strength",
        "/watch BTC 1% 10Q",
        "/map BTC 2y",
        "/map XYZ",
        "/unwatch 99",
        "/wacth BTC",
        "hello there",
        "BTC to the moon",
        "/rules",
        "/why 99",
    )
    chat.note("a key of last month")
    await chat.tap_data("v|from|last|month")


async def operation(chat: Chat) -> None:
    await chat.type("/admin", "/admin allow 123", "/admin deny me", "/admin broadcast Back at 14:00 after a move.")
    await chat.tap("ab")


async def group(chat: Chat) -> None:
    await chat.let_in(chat.id, chat.kind)
    await chat.type("/watch@LiqwatchBot BTC 1%", user=GUEST)
    await chat.type("/watch@LiqwatchBot BTC 1%", "/map@LiqwatchBot BTC")
    await tell(chat, await near(chat, Kind.PROXIMITY, away_pct=0.7, threshold_pct=1.0))
    await chat.tap("z", user=GUEST)
    await chat.type("/rules")


async def channel(chat: Chat) -> None:
    await chat.type("/channel")
    chat.note("lets the bot post in Crypto News")
    await chat.let_in(CHANNEL, "channel")
    await chat.tap("cs")
    await chat.type("/watch BTC 1%", "/rules", "/channel")


async def inline(chat: Chat) -> None:
    await chat.ask_inline("btc", share=0)
    await chat.ask_inline("")
    await chat.ask_inline("zrx 7d", share=1)
    await chat.ask_inline("qqq")


async def in_channel(chat: Chat) -> None:
    await chat.type("/watch BTC 1%")
    await tell(chat, await near(chat, Kind.PROXIMITY, away_pct=0.7, threshold_pct=1.0))
    await tell(chat, await near(chat, Kind.SWEPT, side=Side.SHORT, away_pct=0.0, severity=Severity.CRITICAL))


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the day: a script, whose chat it happens in, and the theme it is drawn in."""

    play: Callable[[Chat], Awaitable[None]]
    light: bool = False
    kind: ChatKind = "private"
    user: int | None = None

    @property
    def name(self) -> str:
        return self.play.__name__


DAY = (
    Part(onboarding),
    Part(watching, light=True),
    Part(rules),
    Part(menus),
    Part(pictures, light=True),
    Part(own_levels),
    Part(cascades, light=True),
    Part(many_markets, light=True),
    Part(looking_back),
    Part(alerts),
    Part(together, light=True),
    Part(aftermath),
    Part(troubles, light=True),
    Part(quiet),
    Part(settings, light=True),
    Part(own_data, light=True),
    Part(mistakes),
    Part(operation, user=OPERATOR, light=True),
    Part(group, kind="supergroup"),
    Part(channel, user=EDITOR, light=True),
    Part(inline, kind="supergroup", light=True),
    Part(in_channel, kind="channel"),
)
