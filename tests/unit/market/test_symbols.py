"""Every spelling of a market that people and other venues use, and none that is not listed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.market.symbols import SymbolBook, edits
from bot.market.types import Instrument


def instrument(base: str, *, quote: str = "USDT", exchange: str = "binance", native: str | None = None) -> Instrument:
    return Instrument(
        exchange=exchange, symbol=base + quote, native=native or base + quote, base=base, quote=quote, tick_size=0.01
    )


BASES = (
    *("BTC", "ETH", "SOL", "XRP", "DOGE", "ZRX", "ARB", "AVAX", "WIF", "LINK", "ETC", "ETHFI", "BCH", "PERP", "SWAP"),
    *(
        "1000PEPE",
        "1000SHIB",
        "1000XEC",
        "1000X",
        "1000CAT",
        "1000000MOG",
        "1MBABYDOGE",
        "1INCH",
        "0G",
        "2Z",
        "4",
        "42",
    ),
    *("币安人生", "我踏马来了", "AVA"),
)
BOOK = SymbolBook([*map(instrument, BASES), instrument("BTC", quote="USDC")])


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("ZRXUSDT", "ZRXUSDT"),
        ("zrx", "ZRXUSDT"),
        ("  zrxusdt\n", "ZRXUSDT"),
        ("ZRX-USDT-SWAP", "ZRXUSDT"),  # OKX
        ("Binance ZRX-USDT-SWAP", "ZRXUSDT"),  # one venue's word with another's spelling
        ("ZRX/USDT:USDT", "ZRXUSDT"),  # ccxt
        ("ZRXUSDT.P", "ZRXUSDT"),  # TradingView
        ("BINANCE:ZRXUSDT.P", "ZRXUSDT"),
        ("binance: zrx", "ZRXUSDT"),
        ("ZRX_USDT", "ZRXUSDT"),  # Gate
        ("ZRX-PERP", "ZRXUSDT"),
        ("zrxusdtperp", "ZRXUSDT"),
        ("ZRX USDT perpetual", "ZRXUSDT"),
        ("$BTC", "BTCUSDT"),
        ("#btc", "BTCUSDT"),
        ("“btc”".replace("“", '"').replace("”", '"'), "BTCUSDT"),
        ("btc?", "BTCUSDT"),
        ("ＢＴＣ", "BTCUSDT"),
        ("ｂｔｃ／ｕｓｄｔ", "BTCUSDT"),
        ("b\u200btc", "BTCUSDT"),
        ("BTCUSDC", "BTCUSDC"),
        ("BTC/USDC:USDC", "BTCUSDC"),
        ("bitcoin", "BTCUSDT"),
        ("XBT", "BTCUSDT"),
        ("0x", "ZRXUSDT"),
        ("币安人生", "币安人生USDT"),
        ("我踏马来了usdt", "我踏马来了USDT"),
        ("PERP", "PERPUSDT"),
        ("perp-perp", "PERPUSDT"),
        ("SWAP", "SWAPUSDT"),
        ("PERPUSDT.P", "PERPUSDT"),
        ("1000X", "1000XUSDT"),
        ("1000XEC", "1000XECUSDT"),
        ("XEC", "1000XECUSDT"),
        ("1INCH", "1INCHUSDT"),
        ("１ｉｎｃｈ", "1INCHUSDT"),
        ("0G", "0GUSDT"),
        ("4", "4USDT"),
        ("42", "42USDT"),
        ("4USDT", "4USDT"),
        ("PEPE", "1000PEPEUSDT"),
        ("PEPE-USDT-SWAP", "1000PEPEUSDT"),
        ("kPEPE", "1000PEPEUSDT"),
        ("1000pepe", "1000PEPEUSDT"),
        ("mog", "1000000MOGUSDT"),
        ("BABYDOGE", "1MBABYDOGEUSDT"),
    ],
)
def test_a_listed_market_is_found_however_it_is_spelled(text: str, symbol: str) -> None:
    found = BOOK.resolve(text)
    assert found is not None
    assert found.symbol == symbol


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "USDT", "$", "BTCC", "ZRXX", "BTCUSD", "ZRXUSDC", "BTC-USDT-260925", "OKX:BTCUSDT.P", "FOO:BTC"),
        *("X", "INCH", "1000", "1000BTC", "KAVA", "KBTC", "2", "BABY", "1%", "\x00", "\ud800", "//--__"),
    ],
)
def test_a_name_that_is_not_listed_is_not_made_up(text: str) -> None:
    assert BOOK.resolve(text) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("BTCC", "BTCUSDT"),
        ("BCT", "BTCUSDT"),
        ("ZRXX", "ZRXUSDT"),
        ("zrxxusdt", "ZRXUSDT"),
        ("etherium", "ETHUSDT"),
        ("bitcon", "BTCUSDT"),
        ("PEPPE", "1000PEPEUSDT"),
        ("OKX:SOLL", "SOLUSDT"),
        ("1NCH", "1INCHUSDT"),
        ("币安人", "币安人生USDT"),
        ("", "BTCUSDT"),
    ],
)
def test_a_typing_error_is_near_to_what_was_meant(text: str, first: str) -> None:
    names = BOOK.nearest(text)
    assert names[0] == first
    assert len(names) == len(set(names)) == 3


def test_nearest_gives_as_many_as_asked_and_as_there_are() -> None:
    assert SymbolBook([]).nearest("BTC") == ()
    assert SymbolBook([instrument("BTC")]).nearest("ETH") == ("BTCUSDT",)
    assert len(BOOK.nearest("ETH", n=5)) == 5


def test_get_takes_the_canonical_symbol_alone() -> None:
    found = BOOK.get("ZRXUSDT")
    assert found is not None
    assert found.base == "ZRX"
    assert BOOK.get("zrx") is None
    assert BOOK.get("ZRXUSDT", "binance") is found
    assert BOOK.get("ZRXUSDT", "bybit") is None
    assert BOOK.get("zrxusdt", "binance") is None


class TestSeveralVenues:
    book = SymbolBook(
        [
            instrument("BTC"),
            instrument("1000PEPE"),
            instrument("1000NEW"),
            instrument("1000X"),
            instrument("KAVA"),
            instrument("BTC", exchange="okx", native="BTC-USDT-SWAP"),
            instrument("NEW", exchange="okx", native="NEW-USDT-SWAP"),
            instrument("X", exchange="okx", native="X-USDT-SWAP"),
            instrument("AVA", exchange="okx", native="AVA-USDT-SWAP"),
            instrument("PEPE", exchange="okx", native="PEPE-USDT-SWAP"),
            instrument("kSHIB", quote="USD", exchange="hyperliquid", native="kSHIB"),
        ]
    )

    @pytest.mark.parametrize(
        ("text", "exchange", "symbol"),
        [
            ("BTC", "binance", "BTCUSDT"),
            ("OKX:BTCUSDT.P", "okx", "BTCUSDT"),
            ("okx btc", "okx", "BTCUSDT"),
            ("BINANCE:PEPE", "binance", "1000PEPEUSDT"),
            ("PEPE", "okx", "PEPEUSDT"),
            ("OKX:1000PEPE", "okx", "PEPEUSDT"),
            ("BINANCE:NEW", "binance", "1000NEWUSDT"),  # a multiplier, for OKX lists the rest
            ("kSHIB", "hyperliquid", "kSHIBUSD"),
            ("SHIB", "hyperliquid", "kSHIBUSD"),
        ],
    )
    def test_the_venue_word_decides_the_venue(self, text: str, exchange: str, symbol: str) -> None:
        found = self.book.resolve(text)
        assert found is not None
        assert (found.exchange, found.symbol) == (exchange, symbol)

    @pytest.mark.parametrize("text", ["BINANCE:X", "BINANCE:AVA", "BYBIT:BTC", "hyperliquid BTC"])
    def test_a_venue_that_does_not_list_it_does_not_answer(self, text: str) -> None:
        assert self.book.resolve(text) is None


class TestOneContractOnManyVenues:
    """Canonical symbols beside each venue's own names; the first venue answers where none is named."""

    book = SymbolBook(
        [
            instrument("BTC"),
            instrument("1000PEPE"),
            instrument("1000SHIB", exchange="bybit", native="SHIB1000USDT"),
            instrument("BTC", exchange="hyperliquid", native="BTC"),
            instrument("1000PEPE", exchange="hyperliquid", native="kPEPE"),
            instrument("1000DOGS", exchange="hyperliquid", native="kDOGS"),
        ]
    )

    @pytest.mark.parametrize(
        ("text", "exchange", "symbol"),
        [
            ("BTC", "binance", "BTCUSDT"),
            ("bitcoin", "binance", "BTCUSDT"),
            ("hyperliquid:BTC", "hyperliquid", "BTCUSDT"),
            ("kPEPE", "binance", "1000PEPEUSDT"),
            ("PEPE", "binance", "1000PEPEUSDT"),
            ("hyperliquid kPEPE", "hyperliquid", "1000PEPEUSDT"),
            ("hyperliquid pepe", "hyperliquid", "1000PEPEUSDT"),
            ("kDOGS", "hyperliquid", "1000DOGSUSDT"),
            ("SHIB", "bybit", "1000SHIBUSDT"),
            ("SHIB1000USDT", "bybit", "1000SHIBUSDT"),
        ],
    )
    def test_each_spelling_is_found(self, text: str, exchange: str, symbol: str) -> None:
        found = self.book.resolve(text)
        assert found is not None
        assert (found.exchange, found.symbol) == (exchange, symbol)


@given(st.text() | st.text(alphabet="BINACE:ZRXUSDTP.-/_ $#kK1000PERSWAP"))
def test_any_text_is_answered_from_the_list(text: str) -> None:
    found = BOOK.resolve(text)
    assert found is None or BOOK.get(found.symbol) is found
    assert all(BOOK.get(symbol) for symbol in BOOK.nearest(text))


@given(st.sampled_from(BASES), st.sampled_from(["{}", "{}USDT", "{}/USDT:USDT", "binance:{}usdt.p", " ${}-USDT-SWAP "]))
def test_every_listed_coin_is_found_by_every_form(base: str, form: str) -> None:
    found = BOOK.resolve(form.format(base))
    assert found is not None
    assert found.base == base


@pytest.mark.parametrize(
    ("left", "right", "count"),
    [("", "", 0), ("", "abc", 3), ("BTC", "BTC", 0), ("BTC", "BCT", 1), ("KITTEN", "SITTING", 3), ("AB", "BA", 1)],
)
def test_edits_counts_a_swap_as_one(left: str, right: str, count: int) -> None:
    assert edits(left, right) == edits(right, left) == count


def test_nearest_over_a_whole_venue_is_quick_enough_for_a_chat() -> None:
    book = SymbolBook(instrument(f"C{number:03}X") for number in range(900))
    began = time.perf_counter()
    book.nearest("C123XX" * 20)
    assert time.perf_counter() - began < 0.5
