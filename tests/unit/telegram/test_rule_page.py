"""The page of a rule: every value that it offers can be taken, and what is typed for one rule reaches that one."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bot.telegram.callbacks import unpack
from bot.telegram.commands.rule_page import tomorrow_ms
from bot.telegram.desk import RuleView
from tests.fakes.chat import Chat
from tests.fakes.desk import CHINESE, NOON_MS

HOUR_MS = 3_600_000
LINES = (
    *("BTC 1%", "BTC 1.7% short 25M every 45min for 5h", "BTC 1.5atr once", "BTC 60% in 4h", "BTC grow 10% 4h"),
    *("BTC new 20M", "BTC swept strength 80", "BTC breakout 30min", "BTC hunt", "BTC cascade", "BTC flip"),
    *("BTC concentration", "BTC exposure long 85000", "digest daily"),
)


async def watching(*lines: str) -> Chat:
    chat = Chat()
    for line in lines:
        await chat.type(f"/watch {line}")
    return chat


async def the_rule(chat: Chat) -> RuleView:
    (view,) = await chat.desk.rules(chat.chat_id)
    return view


@pytest.mark.parametrize("line", LINES)
async def test_every_value_that_a_page_offers_is_taken_and_then_marked(line: str) -> None:
    chat = await watching(line)
    (number,) = chat.screen
    await chat.tap_data("p|1", number)
    for parameter in [button for button in chat.keys(number) if unpack(button.data or "").verb == "pp"]:
        await chat.tap_key(number, parameter)
        for value in [button for button in chat.keys(number) if unpack(button.data or "").verb == "pe"]:
            before = await the_rule(chat)
            await chat.tap_key(number, value)
            assert (await the_rule(chat)).rule != before.rule, f"{parameter.text}: {value.text} changes nothing"
            assert (await the_rule(chat)).rule.id == 1
            await chat.tap_key(number, parameter)
            shown = {button.text: unpack(button.data or "").verb for button in chat.keys(number)}
            assert shown.get(f"✓ {value.text}") == "p" or value.text.endswith(("hr", "days")), shown


@pytest.mark.parametrize("line", LINES)
async def test_the_line_that_a_page_gives_for_a_value_of_ones_own_is_read(line: str) -> None:
    chat = await watching(line)
    (number,) = chat.screen
    await chat.tap_data("p|1", number)
    for parameter in [button for button in chat.keys(number) if unpack(button.data or "").verb == "pp"]:
        await chat.tap_key(number, parameter)
        await chat.tap("Custom")
        (typed,) = [button.copy for button in chat.keys(number) if button.copy]
        await chat.type(typed)
        assert "Rule #1" in chat.said, f"{typed}: {chat.said}"
        assert "For example" not in chat.said


@pytest.mark.parametrize(
    ("hour", "offset_hours", "comes_hour"),
    [(12, 0, 32), (3, 0, 8), (5, 0, 32), (12, 3, 29), (22, 3, 29), (12, -5, 37)],
)
def test_until_tomorrow_is_the_next_morning_by_the_chats_clock(hour: int, offset_hours: int, comes_hour: int) -> None:
    midnight_ms = NOON_MS - 12 * HOUR_MS
    until_ms = tomorrow_ms(midnight_ms + hour * HOUR_MS, offset_ms=offset_hours * HOUR_MS)
    assert until_ms == midnight_ms + comes_hour * HOUR_MS


async def test_a_moment_is_meant_by_the_clock_that_the_chat_has_chosen() -> None:
    chat = await watching("BTC 1%")
    await chat.type("/settings zone Europe/Berlin")
    await chat.type("/edit 1 until 18:00")
    assert chat.desk.rule(1).expires_ms == NOON_MS + 5 * HOUR_MS
    assert "18:00" in chat.said
    await chat.type("eth 1% until 19:30")
    await chat.tap("Yes, watch")
    assert chat.desk.rule(2).expires_ms == NOON_MS + 390 * 60_000
    assert "19:30" in chat.said


async def test_a_rule_page_passes_on_a_link_that_opens_the_watch_of_its_market() -> None:
    chat = await watching("BTC 1%", f"{CHINESE} 3%")
    chat.desk.name = "LiqwatchBot"
    await chat.type("#1")
    (share,) = [button.url for button in chat.keys(max(chat.screen)) if button.url]
    assert share is not None
    (link,) = parse_qs(urlsplit(share).query)["url"]
    (payload,) = parse_qs(urlsplit(link).query)["start"]
    await chat.type(f"/start {payload}")
    assert "How near" in chat.said
    await chat.type("#2")
    assert not [button for button in chat.keys(max(chat.screen)) if button.url], "a link takes Latin letters only"


async def test_a_side_that_an_edit_adds_is_said_to_be_true_already() -> None:
    chat = await watching("BTC long 1%")
    await chat.type("/edit 1 both")
    assert "True already" in chat.said
    await chat.type("/edit 1 for 3d")
    assert "True already" not in chat.said


@pytest.mark.parametrize(
    "line", ["#1 2%", "№1 2%", "＃1 2%", "/edit №1 2%", "/edit 1 2%", "/watch #1 2%", "edit BTC 2%"]
)
async def test_a_rule_is_named_by_its_number_or_by_the_market_that_only_it_watches(line: str) -> None:
    chat = await watching("BTC 1%")
    await chat.type(line)
    assert (await the_rule(chat)).rule.threshold_pct == 2.0
