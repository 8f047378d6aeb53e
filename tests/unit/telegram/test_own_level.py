"""A rule for one's own liquidation price, typed in a way that no position or no map can have."""

import pytest

from bot.alerts.types import Kind, Where
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from tests.fakes.chat import Chat


@pytest.mark.parametrize(
    ("line", "said", "side"),
    [
        (
            "BTC exposure long 97000",
            "A long with the liquidation price 97,000 is liquidated already: BTC is at 96,620.5, and a long's "
            "lies below price. Is it a short?",
            Side.SHORT,
        ),
        (
            "BTC exposure short 95000",
            "A short with the liquidation price 95,000 is liquidated already: BTC is at 96,620.5, and a short's "
            "lies above price. Is it a long?",
            Side.LONG,
        ),
    ],
)
async def test_a_liquidation_price_on_the_wrong_side_is_refused_and_the_right_one_offered(
    line: str, said: str, side: Side
) -> None:
    chat = Chat()
    await chat.type(f"/watch {line}")
    assert chat.said == said
    assert not await chat.desk.rules(chat.chat_id)
    await chat.tap("Yes, watch")
    assert [view.rule.side for view in await chat.desk.rules(chat.chat_id)] == [side]


async def test_at_the_price_itself_neither_side_is_left() -> None:
    chat = Chat()
    await chat.type("/watch BTC exposure long 96620.5")
    assert chat.said.endswith("a long's lies below price.")
    assert not chat.last.buttons


async def test_a_liquidation_price_beyond_the_map_is_kept_and_told_when_it_can_speak() -> None:
    chat = Chat()
    await chat.type("/watch BTC exposure long 60000")
    assert "Price is 38% away from it. The map reaches" in chat.said
    assert "whether it becomes crowded there I can tell once price is nearer" in chat.said
    assert len(await chat.desk.rules(chat.chat_id)) == 1


async def test_an_edit_to_the_wrong_side_changes_nothing() -> None:
    chat = Chat()
    await chat.type("/watch BTC exposure long 95000")
    await chat.type("/edit 1 99000")
    assert "is liquidated already" in chat.said
    assert [view.rule.level for view in await chat.desk.rules(chat.chat_id)] == [95_000.0]


async def test_an_entry_that_nobody_typed_is_the_price_as_the_contract_is_priced() -> None:
    chat = Chat()
    chat.desk.markets["BTCUSDT"] = replace(chat.desk.markets["BTCUSDT"], price=96_620.512_345)
    await chat.type("/position BTC long 5x")
    assert chat.said.startswith("BTC long 5× at 96,620.5: liquidated at")
    await chat.type("/position BTC long 5x at 96620.12")
    assert chat.said.startswith("BTC long 5× at 96,620.12: liquidated at")


async def test_what_is_so_already_is_said_when_the_rule_is_made() -> None:
    chat = Chat()
    await chat.type("/watch BTC exposure long 90000")
    assert "Price is 6.9% away from it now." in chat.said
    await chat.type("/watch BTC exposure long 94900")
    assert "So it is already: price is 1.8% away." in chat.said
    assert "It is crowded there already." in chat.said


async def test_a_break_of_the_nearest_cluster_is_watched_by_one_tap() -> None:
    chat = Chat()
    await chat.type("/levels BTC")
    await chat.tap("↓ Break of 94,680")
    await chat.type("/levels BTC")
    await chat.tap("↑ Stop hunt 97,910")
    down, up = [view.rule for view in await chat.desk.rules(chat.chat_id)]
    assert (down.kind, down.side, down.where) == (Kind.BREAKOUT, Side.LONG, Where(price_low=94_680.0))
    assert (up.kind, up.side, up.where) == (Kind.STOP_HUNT, Side.SHORT, Where(price_high=97_910.0))
    assert {down.min_strength, up.min_strength} == {1}


@pytest.mark.parametrize(
    "args", ["breakout|short|x", "breakout|up|97910", "flip|short|97910", "breakout|short|nan", ""]
)
async def test_a_key_of_a_break_that_says_nothing_makes_no_rule(args: str) -> None:
    chat = Chat()
    await chat.tap_data(f"lw|binance:BTCUSDT|{args}")
    assert not await chat.desk.rules(chat.chat_id)


async def test_without_clusters_there_is_nothing_to_break() -> None:
    chat = Chat()
    await chat.type("/levels ARB")
    assert not any("Break" in button.text for row in chat.last.buttons for button in row)
