"""Every kind and filter typed, confirmed, listed, offered and renewed."""

import pytest

from bot.alerts.types import Kind
from bot.liquidation.values import replace
from tests.fakes.chat import Chat
from tests.fakes.desk import NOON_MS

# What is typed after /watch, and what the confirmation says.
CONFIRMED = [
    ("BTC 1.5atr", "Watching BTC: price within 1.5 ATR of a cluster, strength 60 or more."),
    ("BTC 60% in 4h 20M", "Watching BTC: 60% odds that price touches a cluster in 4\xa0hr, $20M or more."),
    ("BTC grow", "Watching BTC: a cluster growing 10% in 4\xa0hr, strength 60 or more."),
    ("BTC new 20M short", "Watching BTC: a new cluster, shorts only, $20M or more."),
    ("BTC swept", "Watching BTC: a cluster being swept, strength 60 or more."),
    ("BTC breakout", "price holding for 15\xa0min beyond a cluster that it swept, strength 60 or more."),
    (
        "BTC hunt above 90k",
        "price sweeping a cluster and coming back within 1\xa0hr, at 90,000 or above, strength 60 or more.",
    ),
    ("BTC cascade long", "more liquidated in a minute than in 99% of minutes, longs only, $100K or more."),
    ("BTC flip", "Longs are heavier now: "),
    ("BTC concentration", "What is usual is learned from the last days"),
    (
        "BTC exposure long 95000",
        "price within 3% of your liquidation price 95,000, or a crowd there.",
    ),
    ("BTC 2% once until friday", "of a cluster, strength 60 or more, once, until Jan 3 00:00 UTC."),
    ("BTC 2% every 30min", "every 30\xa0min while it holds."),
    ("digest weekly", "Ordered: a digest every 7\xa0days."),
]


@pytest.mark.parametrize(("line", "said"), CONFIRMED)
async def test_a_line_is_confirmed_in_plain_words(line: str, said: str) -> None:
    chat = Chat()
    await chat.type(f"/watch {line}")
    assert said in chat.said


async def test_a_cascade_says_whether_its_exchange_is_heard() -> None:
    chat = Chat()
    await chat.type("/watch BTC cascade")
    assert "I listen to the liquidations that Binance prints." in chat.said
    chat.desk.hears = False
    await chat.type("/watch ETH cascade")
    assert "I do not hear liquidations of Binance, so this rule stays silent until I do." in chat.said


async def test_rules_of_every_kind_stand_in_one_list() -> None:
    chat = Chat()
    for line in ("BTC 1%", 'BTC swept "big ones"', "BTC flip", "digest daily"):
        await chat.type(f"/watch {line}")
    await chat.type("/rules")
    assert "#2 “big ones”, swept:" in chat.said
    assert "#3 flip 10%: armed" in chat.said
    assert "All your markets\n" in chat.said
    assert "#4 digest every 24\xa0hr: next one Dec 29 08:00 UTC" in chat.said


async def test_a_digest_is_offered_and_ordered_by_a_tap() -> None:
    chat = Chat()
    await chat.type("digest weekly")
    assert "Shall I send a digest every 7\xa0days?" in chat.said
    await chat.tap("Yes, watch")
    assert "Ordered: a digest every 7\xa0days." in chat.said


async def test_a_digest_that_is_ordered_already_is_not_ordered_again() -> None:
    chat = Chat()
    await chat.type("/watch digest daily")
    await chat.type("/watch digest daily")
    assert chat.said.startswith("You already get a digest every 24\xa0hr.\nThe next one comes")
    assert len(await chat.desk.rules(7)) == 1


async def test_a_mistake_in_a_digest_is_answered_with_a_digest() -> None:
    chat = Chat()
    await chat.type("/watch digest hourly")
    assert chat.said == "I understood digest, but not hourly.\nFor example /watch digest daily"
    await chat.tap("A digest every day")
    assert "Ordered: a digest every 24\xa0hr." in chat.said


async def test_a_wrong_time_gets_the_example_of_its_own_word() -> None:
    chat = Chat()
    await chat.type("/watch BTC 1% every 5s")
    assert chat.said.endswith("For example /watch BTC 1% every 30min")
    await chat.type("/watch BTC 1% until never")
    assert chat.said.endswith("For example /watch BTC 1% until friday")


async def test_a_digest_is_named_without_a_market() -> None:
    chat = Chat()
    await chat.type("/watch digest daily")
    await chat.type("/unwatch")
    await chat.tap("#1 digest every 24\xa0hr")
    assert chat.said == "Deleted: digest every 24\xa0hr."


async def test_a_label_is_told_back() -> None:
    chat = Chat()
    await chat.type('/watch BTC 1% "my short"')
    assert "Watching BTC: “my short”, price within 1% of a cluster, strength 60 or more." in chat.said


async def test_a_cluster_outside_the_prices_of_a_rule_is_not_its_nearest() -> None:
    chat = Chat()
    await chat.type("/watch BTC 0.5% above 97k")
    assert "Nearest now: short cluster" in chat.said
    await chat.type("/watch BTC 0.5% above 900k")
    assert "No such cluster now." in chat.said


async def test_a_line_too_long_for_a_button_is_given_back_to_be_sent() -> None:
    chat = Chat()
    await chat.type('BTC 2% 10M strength 80 above 90000 beyond 0.5% odds 30% in 4h "a label of some length"')
    assert "To watch that, send /watch BTCUSDT 2% 10M strength 80 above 90000 beyond 0.5% odds 30% in 4h" in chat.said


async def test_an_ended_rule_is_renewed_by_one_tap_on_a_message_of_any_age() -> None:
    chat = Chat()
    await chat.type("/watch BTC 1% for 1d")
    (view,) = await chat.desk.rules(7)
    chat.desk.pause(view.rule.id, "expired")
    chat.desk.now = NOON_MS + 48 * 3_600_000
    await chat.type("/rules")
    assert "paused: its time is over, Wake renews it" in chat.said
    await chat.tap_data(f"e|{view.rule.id}|1440")
    assert "Renewed: BTC within 1%, until Dec 31 12:00 UTC." in chat.transcript
    (view,) = await chat.desk.rules(7)
    assert (view.rule.expires_ms, view.rule.paused_reason) == (chat.desk.now + 86_400_000, None)
    await chat.tap_data(f"e|{view.rule.id}|0")
    (view,) = await chat.desk.rules(7)
    assert view.rule == replace(view.rule, kind=Kind.PROXIMITY, expires_ms=0)
    await chat.tap_data("e|99|0")
    assert "belongs to another chat" in chat.said


OCTOBER_24_2025_MS = 1_761_307_200_000
"""12:00 UTC on the Friday before clocks go back in Berlin."""


@pytest.mark.parametrize(
    ("line", "then"),
    [
        ("BTC 1% until saturday", "Oct 26 00:00"),
        # the Sunday that ends is an hour longer
        ("BTC 1% until sunday", "Oct 27 00:00"),
        ("BTC 1% until 27 oct 9:30", "Oct 27 09:30"),
    ],
)
async def test_a_day_is_that_of_the_chats_clock_also_beyond_a_change_of_clocks(line: str, then: str) -> None:
    chat = Chat()
    chat.desk.now = OCTOBER_24_2025_MS
    await chat.type("/settings zone Europe/Berlin")
    await chat.type(f"/watch {line}")
    assert f"until {then}." in chat.said
    await chat.type(f"/edit 1 {line.removeprefix('BTC 1% ')}")
    assert f"until {then}" in chat.said
