"""One coin under many names: the table, the test, and what only looks like a multiplier."""

import pytest

from bot.market.coins import Coin, coin_of, listed_names
from bot.market.symbols import SymbolBook
from bot.market.types import Instrument


def contract(base: str, exchange: str = "binance", native: str = "", quote: str = "USDT") -> Instrument:
    return Instrument(exchange, base + quote, native or base + quote, base, quote, 0.01)


LISTED = (
    *map(contract, ("BTC", "1000PEPE", "1000000MOG", "1MBABYDOGE", "1000X", "1INCH", "1000SATS", "1000NEW", "KAVA")),
    *(contract(base, "bybit") for base in ("BTC", "10000SATS", "1000000BABYDOGE", "1000PEPE", "100NEW")),
    *(contract(base, "okx", f"{base}-USDT-SWAP") for base in ("BTC", "PEPE", "X", "NEW", "INCH", "AVA")),
    contract("1000PEPE", "hyperliquid", "kPEPE"),
    contract("1000DOGS", "hyperliquid", "kDOGS"),
    contract("BTC", "hyperliquid", "BTC"),
)
NAMES = listed_names(LISTED)


@pytest.mark.parametrize(
    ("exchange", "base", "coin"),
    [
        ("binance", "1000PEPE", Coin("PEPE", 1e3)),
        ("okx", "PEPE", Coin("PEPE")),
        ("hyperliquid", "1000PEPE", Coin("PEPE", 1e3)),
        ("hyperliquid", "1000DOGS", Coin("DOGS", 1e3)),  # by its small k, though nobody else lists it
        ("binance", "1000000MOG", Coin("MOG", 1e6)),
        ("binance", "1MBABYDOGE", Coin("BABYDOGE", 1e6)),
        ("bybit", "1000000BABYDOGE", Coin("BABYDOGE", 1e6)),
        ("bybit", "10000SATS", Coin("SATS", 1e4)),  # Binance has the coin in thousands
        ("binance", "1000NEW", Coin("NEW", 1e3)),  # OKX lists the rest
        ("bybit", "100NEW", Coin("100NEW")),  # nobody multiplies by a hundred
        ("binance", "1000X", Coin("1000X")),  # a coin, though OKX lists X
        ("binance", "1INCH", Coin("1INCH")),
        ("binance", "KAVA", Coin("KAVA")),  # no k: AVA is another coin
        ("binance", "BTC", Coin("BTC")),
    ],
)
def test_a_contract_is_of_a_coin_and_so_many_of_it(exchange: str, base: str, coin: Coin) -> None:
    [found] = (one for one in LISTED if (one.exchange, one.base) == (exchange, base))
    assert coin_of(found, NAMES) == coin


def test_a_prefix_that_only_its_own_venue_explains_is_part_of_the_name() -> None:
    alone = (contract("1000NEW"), contract("NEW"))
    assert coin_of(alone[0], listed_names(alone)) == Coin("1000NEW")


BOOK = SymbolBook(LISTED)


@pytest.mark.parametrize("text", ["PEPE", "1000PEPE", "kPEPE", "okx PEPE", "hyperliquid:1000PEPEUSDT", "all pepe"])
def test_a_coin_is_found_everywhere_by_any_of_its_names(text: str) -> None:
    found = BOOK.resolve(text)
    assert found is not None
    everywhere = [(one.instrument.exchange, one.instrument.symbol, one.units) for one in BOOK.everywhere(found)]
    assert everywhere == [
        ("binance", "1000PEPEUSDT", 1e3),
        ("bybit", "1000PEPEUSDT", 1e3),
        ("okx", "PEPEUSDT", 1.0),
        ("hyperliquid", "1000PEPEUSDT", 1e3),
    ]


def test_a_coin_that_one_venue_lists_is_there_alone() -> None:
    for text, symbol in (("1000X", "1000XUSDT"), ("KAVA", "KAVAUSDT"), ("X", "XUSDT")):
        found = BOOK.resolve(text)
        assert found is not None
        assert [one.instrument.symbol for one in BOOK.everywhere(found)] == [symbol]
    assert BOOK.everywhere(contract("GONE")) == ()


def test_another_quote_is_another_contract() -> None:
    book = SymbolBook([contract("BTC"), contract("BTC", "bybit", quote="USDC")])
    found = book.resolve("BTC")
    assert found is not None
    assert len(book.everywhere(found)) == 1


@pytest.mark.parametrize(
    ("text", "venue", "symbol"),
    [
        ("BTC", None, "BTCUSDT"),
        ("BTC okx", "okx", "BTCUSDT"),
        ("okx:BTC", "okx", "BTCUSDT"),
        ("btc hyperliquid", "hyperliquid", "BTCUSDT"),
        ("all:BTC", "combined", "BTCUSDT"),
        ("BTC all", "combined", "BTCUSDT"),
        ("combined:1000PEPEUSDT", "combined", "1000PEPEUSDT"),
        ("BTC/USDT:USDT", None, "BTCUSDT"),
        ("BTC gate", "gate", None),
    ],
)
def test_a_venue_may_stand_before_or_after_the_symbol(text: str, venue: str | None, symbol: str | None) -> None:
    found = BOOK.resolve(text)
    assert BOOK.venue_named(text) == venue
    assert (found and found.symbol) == symbol
