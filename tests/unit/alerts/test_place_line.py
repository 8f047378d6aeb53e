"""The lines after /position and /stop: what is understood, and where a fault stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.faults import ErrorCode, ParseError
from bot.alerts.place_line import SIZE_UNSAID, PositionLine, StopLine, parse_position, parse_stop
from bot.alerts.types import Market
from bot.liquidation.types import Side

BTC = Market("binance", "BTCUSDT")


def resolve(text: str) -> Market | None:
    return BTC if text.upper().removeprefix("BINANCE:") in ("BTC", "BTCUSDT") else None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("BTC long 5x at 97,000", PositionLine(BTC, Side.LONG, 5.0, entry=97_000.0)),
        ("btc short x10 97k", PositionLine(BTC, Side.SHORT, 10.0, entry=97_000.0)),
        ("binance BTC 5x long", PositionLine(BTC, Side.LONG, 5.0)),
        ("BTC usdt long 5 x entry 97.000,5", PositionLine(BTC, Side.LONG, 5.0, entry=97_000.5)),
        ("BTC long leverage 12,5 at 0,24", PositionLine(BTC, Side.LONG, 12.5, entry=0.24)),
        ("BTC long 5x size 2,000 margin 500", PositionLine(BTC, Side.LONG, 5.0, size_usd=2_000.0, margin=500.0)),
        ("BTC long 5x size 0,24 btc", PositionLine(BTC, Side.LONG, 5.0, size_coins=0.24)),
        ("BTC long 5x size 0.24BTC", PositionLine(BTC, Side.LONG, 5.0, size_coins=0.24)),
        ("BTC long 5x size 2k usd", PositionLine(BTC, Side.LONG, 5.0, size_usd=2_000.0)),
        ("BTC long size 2M margin 100k", PositionLine(BTC, Side.LONG, None, size_usd=2e6, margin=1e5)),
        ("BTC short 3x with 500 usdt isolated", PositionLine(BTC, Side.SHORT, 3.0, margin=500.0)),
        ("BTC long cross size 2k margin 9k", PositionLine(BTC, Side.LONG, None, size_usd=2e3, margin=9e3, cross=True)),
    ],
)
def test_positions_are_read_in_any_order_and_spelling(line: str, expected: PositionLine) -> None:
    assert parse_position(line, resolve) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("BTC long entry 97,000 stop 95,200", StopLine(BTC, Side.LONG, 95_200.0, 97_000.0)),
        ("BTC stop 95,200 long at 97k", StopLine(BTC, Side.LONG, 95_200.0, 97_000.0)),
        ("BTC short 97k 99k", StopLine(BTC, Side.SHORT, 99_000.0, 97_000.0)),
        ("BTC short 99k", StopLine(BTC, Side.SHORT, 99_000.0)),
        ("BTC long sl 0,24", StopLine(BTC, Side.LONG, 0.24)),
    ],
)
def test_stops_are_read_with_and_without_their_entry(line: str, expected: StopLine) -> None:
    assert parse_stop(line, resolve) == expected


@pytest.mark.parametrize(
    ("line", "code", "position", "word"),
    [
        ("", ErrorCode.EMPTY, 0, ""),
        ("XYZ long 5x", ErrorCode.UNKNOWN_SYMBOL, 0, "XYZ"),
        ("BTC 5x", ErrorCode.SIDE_MISSING, 0, "BTC"),
        ("BTC long", ErrorCode.LEVERAGE_MISSING, 4, "long"),
        ("BTC long size 2,000", ErrorCode.LEVERAGE_MISSING, 4, "long"),
        ("BTC long 5x soon", ErrorCode.NOT_UNDERSTOOD, 12, "soon"),
        ("BTC long 5x at", ErrorCode.BAD_LEVEL, 12, "at"),
        ("BTC long 5x at home", ErrorCode.BAD_LEVEL, 15, "home"),
        ("BTC long 5x at -97000", ErrorCode.BAD_LEVEL, 15, "-97000"),
        ("BTC long 5x 5%", ErrorCode.BAD_LEVEL, 12, "5%"),
        ("BTC long  5x  6x", ErrorCode.TWICE, 14, "6x"),
        ("BTC long short 5x", ErrorCode.TWICE, 9, "short"),
        ("BTC long 0x", ErrorCode.BAD_LEVERAGE, 9, "0x"),
        ("BTC long leverage 5%", ErrorCode.BAD_LEVERAGE, 18, "5%"),
        ("BTC long 5x size 2 eth", ErrorCode.NOT_UNDERSTOOD, 19, "eth"),
        ("BTC long 5x size 0", ErrorCode.BAD_SIZE, 17, "0"),
        ("BTC long 5x margin", ErrorCode.BAD_SIZE, 12, "margin"),
        ("BTC long 5x cross", ErrorCode.WALLET_MISSING, 12, "cross"),
    ],
)
def test_a_position_s_faults_are_told_with_their_place(line: str, code: ErrorCode, position: int, word: str) -> None:
    read = parse_position(line, resolve)
    assert isinstance(read, ParseError)
    assert (read.code, read.position, read.values["word"]) == (code, position, word)


@pytest.mark.parametrize(
    ("line", "code", "position"),
    [
        ("BTC long", ErrorCode.STOP_MISSING, 4),
        ("BTC long entry 97k", ErrorCode.STOP_MISSING, 4),
        ("BTC long 5x 95k", ErrorCode.BAD_LEVEL, 9),
        ("BTC long 97k 95k 93k", ErrorCode.TWICE, 17),
        ("BTC 95k", ErrorCode.SIDE_MISSING, 0),
    ],
)
def test_a_stop_s_faults_are_told_with_their_place(line: str, code: ErrorCode, position: int) -> None:
    read = parse_stop(line, resolve)
    assert isinstance(read, ParseError)
    assert (read.code, read.position) == (code, position)


@pytest.mark.parametrize(
    ("line", "size", "margin", "leverage"),
    [
        ("BTC long 5x", SIZE_UNSAID, SIZE_UNSAID / 5, 5.0),
        ("BTC long 5x margin 500", 2_500.0, 500.0, 5.0),
        ("BTC long 5x size 2000", 2_000.0, 400.0, 5.0),
        ("BTC long 5x size 2000 margin 500", 2_000.0, 500.0, 5.0),
        ("BTC long size 2000 margin 500", 2_000.0, 500.0, 4.0),
        ("BTC long 5x size 2 btc", 200.0, 40.0, 5.0),
    ],
)
def test_what_a_line_leaves_out_follows_from_the_rest(line: str, size: float, margin: float, leverage: float) -> None:
    read = parse_position(line, resolve)
    assert isinstance(read, PositionLine)
    position = read.position(100.0)
    assert (position.entry, position.size_usd, position.margin, position.leverage) == (100.0, size, margin, leverage)


WORDS = (
    "BTC",
    "long",
    "short",
    "5x",
    "x5",
    "x",
    "at",
    "97,000",
    "97k",
    "size",
    "margin",
    "cross",
    "stop",
    "0,24",
    "-1",
)


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)))
def test_any_line_is_read_or_told_with_a_place_inside_it(line: str) -> None:
    for parse in (parse_position, parse_stop):
        read = parse(line, resolve)
        if isinstance(read, ParseError):
            assert 0 <= read.position <= len(line)
            word = str(read.values.get("word", ""))
            assert line[read.position : read.position + len(word)] == word
        else:
            assert read.market == BTC
