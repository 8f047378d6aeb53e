"""A coin on several exchanges, on a phone: all together first, each one tap away, and who is missing is said."""

import pytest

from bot.liquidation.combining import COMBINED, LeftOut
from bot.liquidation.types import MapLimit
from bot.liquidation.values import replace
from bot.telegram.limits import CALLBACK_BYTES, bare
from bot.telegram.venues import combined_words, source_words, title_words
from tests.fakes.chat import CATALOGUE, Chat
from tests.fakes.desk import CHINESE, NOON_MS
from tests.fakes.several_desk import BTC, SeveralDesk, parts_of

TEXTS = CATALOGUE.texts("en")
ESTIMATE = (
    "Estimate from Binance 61%, Bybit 28%, OKX 10% of the open interest, 40\xa0sec old. Left out: Hyperliquid (stale)."
)


def chat() -> Chat:
    return Chat(desk=SeveralDesk())


def data_of(phone: Chat, label: str) -> str:
    newest = max(phone.screen)
    return next(button.data or "" for button in phone.keys(newest) if button.text == label)


@pytest.mark.parametrize("typed", ["/map BTC", "BTC", "/map all BTC", "/map BTC 7d", "/map combined:BTCUSDT"])
async def test_a_map_is_of_all_exchanges_and_says_which(typed: str) -> None:
    phone = chat()
    await phone.type(typed)
    assert ESTIMATE in bare(phone.said)
    assert "· All ·" in [button.text for button in phone.keys(1)]


@pytest.mark.parametrize("typed", ["/map BTC okx", "/map okx:BTC", "/map okx BTC 7d", "/map BTC 7d okx", "BTC okx"])
async def test_an_exchange_that_is_named_is_shown_alone(typed: str) -> None:
    phone = chat()
    await phone.type(typed)
    assert "Estimate from OKX data" in bare(phone.said)
    assert [button.text for button in phone.keys(1)][-5:] == ["All", "Binance", "Bybit", "· OKX ·", "Hyperliquid"]


async def test_buttons_go_from_all_to_one_and_back_in_the_same_range() -> None:
    phone = chat()
    await phone.type("/map BTC 7d")
    await phone.tap("Bybit")
    assert "Estimate from Bybit data" in bare(phone.said)
    assert "· 7d ·" in [button.text for button in phone.keys(1)]
    await phone.tap("All")
    assert ESTIMATE in bare(phone.said)
    assert len(phone.screen) == 1, "in place"


async def test_a_coin_that_the_named_exchange_does_not_list_is_offered_where_it_is() -> None:
    phone = chat()
    await phone.type("/watch okx ZRX 2%")
    assert bare(phone.said) == "OKX does not list ZRX, another exchange does. Shall I watch it there?"
    await phone.tap("Watch ZRX")
    assert bare(phone.said).startswith("Watching ZRX: price within 2%")


async def test_rules_of_one_coin_are_told_apart_by_their_exchange() -> None:
    phone = chat()
    for line in ("BTC 1%", "okx BTC 1%", "all BTC 1%"):
        await phone.type(f"/watch {line}")
    await phone.type("/unwatch")
    labels = [button.text for button in phone.keys(max(phone.screen))]
    assert labels == ["#1 BTC within 1%", "#2 BTC on OKX within 1%", "#3 BTC on all exchanges within 1%"]
    await phone.tap(labels[1])
    assert bare(phone.said) == "Deleted: BTC on OKX within 1%."


async def test_an_old_button_works_after_a_restart() -> None:
    phone = chat()
    await phone.type("/map BTC")
    data = data_of(phone, "Hyperliquid")
    reborn = chat()
    reborn.show(phone.screen[1])
    await reborn.tap_data(data)
    assert "Estimate from Hyperliquid data" in bare(reborn.said)


async def test_every_button_fits_with_the_longest_names() -> None:
    phone = chat()
    for typed in (f"/map {CHINESE}", f"/clusters {CHINESE}", f"/map {CHINESE} okx"):
        await phone.type(typed)
        keys = phone.keys(max(phone.screen))
        assert {"Binance", "Bybit"} <= {button.text for button in keys}
        assert all(len((button.data or "").encode()) <= CALLBACK_BYTES for button in keys)


async def test_a_table_is_of_all_exchanges_too() -> None:
    phone = chat()
    await phone.type("/clusters BTC")
    assert ESTIMATE in bare(phone.said)
    await phone.tap("OKX")
    assert "Estimate from OKX data" in bare(phone.said)
    await phone.type("/clusters bybit:BTC")
    assert "Estimate from Bybit data" in bare(phone.said)


async def test_a_coin_on_one_exchange_has_no_choice() -> None:
    phone = chat()
    await phone.type("/map ZRX")
    assert "Estimate from Binance data" in bare(phone.said)
    assert "All" not in "".join(button.text for button in phone.keys(1))


async def test_a_watch_is_of_what_its_map_shows_and_its_rule_says_so() -> None:
    phone = chat()
    await phone.type("/map BTC")
    await phone.tap("Watch BTC")
    await phone.tap("Normal 1%")
    assert "Watching BTC on all exchanges: price within 1%" in bare(phone.said)
    (view,) = await phone.desk.rules(phone.chat_id)
    assert view.rule.market == BTC
    await phone.type("/rules")
    assert "BTC on all exchanges 96,620" in bare(phone.said)
    await phone.type("/unwatch BTC")
    assert await phone.desk.rules(phone.chat_id) == []


@pytest.mark.parametrize(
    ("typed", "exchange", "named"),
    [
        ("BTC 1%", "binance", "BTC:"),
        ("all BTC 1%", COMBINED, "BTC on all exchanges:"),
        ("combined BTC short 2%", COMBINED, "BTC on all exchanges:"),
        ("okx BTC 1%", "okx", "BTC on OKX:"),
    ],
)
async def test_a_typed_rule_watches_the_first_exchange_unless_it_names_another_or_all(
    typed: str, exchange: str, named: str
) -> None:
    phone = chat()
    await phone.type(f"/watch {typed}")
    (view,) = await phone.desk.rules(phone.chat_id)
    assert view.rule.market == (exchange, "BTCUSDT")
    assert f"Watching {named}" in bare(phone.said)


async def test_an_exchange_nobody_knows_gets_those_that_list_the_coin() -> None:
    phone = chat()
    await phone.type("/map BTC gate")
    assert "gate is neither an exchange I read BTC from nor a range" in bare(phone.said)
    await phone.tap("OKX")
    assert "Estimate from OKX data" in bare(phone.said)


async def test_a_wrong_range_is_still_a_wrong_range() -> None:
    phone = chat()
    await phone.type("/map BTC 5d")
    assert "5d is no range" in bare(phone.said)
    await phone.tap("7d")
    assert ESTIMATE in bare(phone.said)


async def test_a_symbol_offered_by_name_shows_its_map() -> None:
    phone = chat()
    await phone.type("/map")
    await phone.tap("BTC")
    assert ESTIMATE in bare(phone.said)


def test_a_picture_names_its_exchanges_their_shares_and_who_is_missing() -> None:
    btc, chinese = parts_of("BTCUSDT"), parts_of(CHINESE)
    assert title_words("BTC", btc, TEXTS) == "BTC liquidation map · 3 of 4 exchanges"
    assert title_words("BTC", chinese, TEXTS) == "BTC liquidation map · 3 exchanges"
    assert source_words(btc, TEXTS) == "Binance 61%, Bybit 28%, OKX 10%, without Hyperliquid"
    assert source_words(btc, TEXTS, why=True) == "Binance 61%, Bybit 28%, OKX 10%, without Hyperliquid (stale)"
    assert source_words(chinese, TEXTS) == "Binance 61%, Bybit 28%, OKX 10%"


async def test_what_is_known_exactly_is_told_with_its_exchange() -> None:
    phone = chat()
    desk = phone.desk
    desk.markets["BTCUSDT"] = replace(desk.markets["BTCUSDT"], known_share=0.123)
    await phone.type("/map BTC hyperliquid")
    assert (
        "Estimate from Hyperliquid data, 40\xa0sec old. 12% of Hyperliquid's open positions are known exactly."
        in bare(phone.said)
    )
    view = await desk.view(BTC)
    known = replace(view, parts=tuple(replace(part, known_share=0.5 * (part.venue == "okx")) for part in view.parts))
    said = str(combined_words(known, TEXTS, now_ms=NOON_MS))
    assert said.count("known exactly") == 1
    assert "50% of OKX's open positions are known exactly." in said


async def test_what_a_part_lacks_is_said_of_that_part() -> None:
    view = await SeveralDesk().view(BTC)
    sparse = {"okx", "bybit"}
    parts = tuple(
        replace(part, limits=(MapLimit.SPARSE_OPEN_INTEREST,) if part.venue in sparse else (MapLimit.GAPS,))
        for part in view.parts
    )
    said = str(combined_words(replace(view, parts=parts), TEXTS, now_ms=NOON_MS))
    assert "Open interest of Bybit, OKX moves only now and then. Bars of Binance are missing in places." in said
    tiny = tuple(replace(part, share=0.01) for part in parts)
    assert "now and then" not in str(combined_words(replace(view, parts=tiny), TEXTS, now_ms=NOON_MS))


def test_every_limit_has_its_words_for_a_part() -> None:
    said = {str(TEXTS.of("limit_of", limit, exchange="X")) for limit in MapLimit}
    assert len(said) == len(MapLimit)
    assert str(TEXTS("limit_of.other", exchange="X")) not in said


def test_every_reason_to_be_left_out_has_its_words() -> None:
    said = {str(TEXTS.of("left_out", reason)) for reason in LeftOut}
    assert len(said) == len(LeftOut)
    assert str(TEXTS("left_out.other")) not in said
