"""The bot itself: help, settings, one's own data, and its operator."""

from bot.liquidation.values import replace
from bot.telegram.desk import (
    BroadcastView,
)
from tests.fakes.chat import Chat
from tests.fakes.operator import FakeOperator
from tests.unit.telegram.conversations import Script


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


SCRIPTS: tuple[Script, ...] = (
    help_and_menus,
    every_setting,
    settings_in_one_line,
    own_data,
    admin,
)
