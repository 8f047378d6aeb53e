"""The line typed after /watch, as people type it, and back."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.alerts.grammar import (
    EXCHANGES,
    GROWTH_PCT,
    NORMAL_PCT,
    PROXIMITY_PCT,
    SIZE_USD,
    ErrorCode,
    ParseError,
    format_watch,
    parse_watch,
)
from bot.alerts.typed import fold, number_of
from bot.alerts.types import Kind, Market, Rule
from bot.liquidation.types import Side
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE

KNOWN = {
    "BTC": "BTCUSDT",
    "BTCUSDT": "BTCUSDT",
    "ETH": "ETHUSDT",
    "ZRX-USDT-SWAP": "ZRXUSDT",
    "1INCH": "1INCHUSDT",
    "币安人生": "币安人生USDT",
    "OKX": "OKXUSDT",
}


def resolve(text: str) -> Market | None:
    exchange, _, symbol = text.upper().rpartition(":")
    name = KNOWN.get(symbol) or (symbol if symbol in KNOWN.values() else None)
    return None if name is None else Market(exchange.lower() or "binance", name)


def parse(line: str) -> Rule:
    found = parse_watch(line, resolve)
    assert not isinstance(found, ParseError), f"{line}: {found}"
    (rule,) = found
    return rule


def refuse(line: str) -> ParseError:
    found = parse_watch(line, resolve)
    assert isinstance(found, ParseError), f"{line}: {found}"
    return found


# A line as typed, and the same rule in the one form that the program writes.
LINES = [
    # the mission's own examples
    ("BTC 1%", "BTCUSDT 1%"),
    ("ZRX-USDT-SWAP 2%", "ZRXUSDT 2%"),
    # a symbol alone: the normal sensitivity
    ("btc", "BTCUSDT 1%"),
    # percent with a space, without its sign, as a word, with a decimal comma, in full width and in Arabic digits
    ("BTC 2 %", "BTCUSDT 2%"),
    ("BTC 2", "BTCUSDT 2%"),
    ("BTC 2 percent", "BTCUSDT 2%"),
    ("BTC 2pct", "BTCUSDT 2%"),
    ("BTC 2,5%", "BTCUSDT 2.5%"),
    ("BTC 0,125%", "BTCUSDT 0.125%"),
    ("BTC .5%", "BTCUSDT 0.5%"),
    ("BTC ２％", "BTCUSDT 2%"),
    ("BTC ٢٫٥٪", "BTCUSDT 2.5%"),
    # the ends of the range are in it
    ("BTC 0.1%", "BTCUSDT 0.1%"),
    ("BTC 20%", "BTCUSDT 20%"),
    # sizes
    ("BTC 2% 10m", "BTCUSDT 2% 10M"),
    ("BTC 2% 10M", "BTCUSDT 2% 10M"),
    ("BTC 2% 250k", "BTCUSDT 2% 250k"),
    ("BTC 2% 1.5B", "BTCUSDT 2% 1.5B"),
    ("BTC 2% 1,5 bn", "BTCUSDT 2% 1.5B"),
    ("BTC 2% $10M", "BTCUSDT 2% 10M"),
    ("BTC 2% 10M$", "BTCUSDT 2% 10M"),
    ("BTC 2% 10 million usd", "BTCUSDT 2% 10M"),
    ("BTC 2% 10musdt", "BTCUSDT 2% 10M"),
    ("BTC 2% 1,500,000", "BTCUSDT 2% 1.5M"),
    ("BTC 2% 1.500.000", "BTCUSDT 2% 1.5M"),
    ("BTC 2% >= 10M", "BTCUSDT 2% 10M"),
    ("BTC 2% at least 10M", "BTCUSDT 2% 10M"),
    ("BTC 10m", "BTCUSDT 1% 10M"),
    ("BTC 10m 2%", "BTCUSDT 2% 10M"),
    # sides
    ("BTC long 2%", "BTCUSDT long 2%"),
    ("BTC 1% SHORTS 10M", "BTCUSDT short 1% 10M"),
    # strength
    ("BTC 2% strength 70", "BTCUSDT 2% strength 70"),
    ("BTC strength>=70 2%", "BTCUSDT 2% strength 70"),
    ("BTC 2% strength: 70", "BTCUSDT 2% strength 70"),
    # growth
    ("BTC grow 30% 4h", "BTCUSDT grow 30% 4h"),
    ("BTC grows by 30 % in 4 h", "BTCUSDT grow 30% 4h"),
    ("BTC +30% 90m", "BTCUSDT grow 30% 90min"),
    ("BTC grow 4h 30%", "BTCUSDT grow 30% 4h"),
    ("BTC grow 30% 1.5h", "BTCUSDT grow 30% 90min"),
    ("BTC grow 30% 1d", "BTCUSDT grow 30% 24h"),
    ("BTC grow 30% 15min", "BTCUSDT grow 30% 15min"),
    ("BTC grow", "BTCUSDT grow 30% 4h"),
    # straight after growth a small m is minutes; a capital M, or one after the window, is money
    ("BTC grow 30% 30m 10m", "BTCUSDT grow 30% 30min 10M"),
    ("BTC grow 30% 30M", "BTCUSDT grow 30% 4h 30M"),
    # exchanges
    ("binance ETH 1%", "ETHUSDT 1%"),
    ("OKX 1INCH 1%", "okx 1INCHUSDT 1%"),
    ("okx", "OKXUSDT 1%"),
    ("okx 2%", "OKXUSDT 2%"),
    # names that are not ASCII, and a quote apart
    ("币安人生 1%", "币安人生USDT 1%"),
    ("BTC USDT 1%", "BTCUSDT 1%"),
    ("  BTC\t1%\n", "BTCUSDT 1%"),
]


@pytest.mark.parametrize(("line", "same"), LINES)
def test_a_line_is_understood(line: str, same: str) -> None:
    assert format_watch(parse(line)) == same


def test_a_draft_has_no_owner_yet() -> None:
    assert parse("BTC long 2% 10M strength 50") == Rule(
        0, 0, BTC, Kind.PROXIMITY, 2.0, side=Side.LONG, min_usd=10e6, min_strength=50
    )
    assert parse("BTC grow 30% 4h") == Rule(0, 0, BTC, Kind.GROWTH, 30.0, 4 * HOUR)


def test_the_caller_chooses_what_normal_is() -> None:
    (rule,) = parse_watch("BTC", resolve, normal_pct=0.5)  # type: ignore[misc]
    assert rule.threshold_pct == 0.5
    assert parse("BTC").threshold_pct == NORMAL_PCT


# A line, where it stops being understood, why, and what the answer shows.
FAULTS = [
    ("", 0, ErrorCode.EMPTY, {}),
    ("   ", 0, ErrorCode.EMPTY, {}),
    # symbols
    ("FOO 1%", 0, ErrorCode.UNKNOWN_SYMBOL, {"word": "FOO", "understood": ""}),
    ("binance FOO 1%", 8, ErrorCode.UNKNOWN_SYMBOL, {"word": "FOO", "understood": "binance"}),
    ("1%", 0, ErrorCode.UNKNOWN_SYMBOL, {"word": "1%"}),
    # percents out of range
    ("BTC 0", 4, ErrorCode.PERCENT_RANGE, {"value": 0.0, "low": 0.1, "high": 20.0}),
    ("BTC 0.09%", 4, ErrorCode.PERCENT_RANGE, {"value": 0.09}),
    ("BTC -1%", 4, ErrorCode.PERCENT_RANGE, {"value": -1.0, "word": "-1%"}),
    ("BTC −1 %", 4, ErrorCode.PERCENT_RANGE, {"value": -1.0}),
    ("BTC 900", 4, ErrorCode.PERCENT_RANGE, {"value": 900.0, "word": "900", "understood": "BTC"}),
    ("BTC 20.001%", 4, ErrorCode.PERCENT_RANGE, {"value": 20.001}),
    ("BTC grow 4% 4h", 9, ErrorCode.GROWTH_RANGE, {"value": 4.0, "low": 5.0, "high": 500.0}),
    ("BTC grow -30%", 9, ErrorCode.GROWTH_RANGE, {"value": -30.0}),
    ("BTC " + "9" * 4000 + "%", 4, ErrorCode.PERCENT_RANGE, {"value": 1e18}),
    # windows
    ("BTC grow 30% 10m", 13, ErrorCode.WINDOW_RANGE, {"value": 10.0, "low": 15, "high": 1440}),
    ("BTC grow 30% 2d", 13, ErrorCode.WINDOW_RANGE, {"value": 2880.0}),
    ("BTC 1% 4h", 7, ErrorCode.NOT_UNDERSTOOD, {"word": "4h"}),
    # sizes
    ("BTC 2% 10mm", 7, ErrorCode.BAD_SIZE, {"word": "10mm", "understood": "BTC 2%"}),
    ("BTC 2 % 10mm", 8, ErrorCode.BAD_SIZE, {"word": "10mm", "understood": "BTC 2 %"}),
    ("BTC 2% 5", 7, ErrorCode.BAD_SIZE, {"word": "5"}),
    ("BTC 2% 999usd", 7, ErrorCode.SIZE_RANGE, {"value": 999.0, "low": 1e3, "high": 1e12}),
    ("BTC 2% -10M", 7, ErrorCode.SIZE_RANGE, {"value": -10e6}),
    # strength
    ("BTC strength", 4, ErrorCode.STRENGTH_MISSING, {"word": "strength"}),
    ("BTC strength high", 13, ErrorCode.STRENGTH_MISSING, {"word": "high"}),
    ("BTC strength 700", 13, ErrorCode.STRENGTH_RANGE, {"value": 700.0, "low": 1, "high": 100}),
    # words that mean nothing here
    ("BTC abc", 4, ErrorCode.NOT_UNDERSTOOD, {"word": "abc", "understood": "BTC"}),
    ("BTC 1% please", 7, ErrorCode.NOT_UNDERSTOOD, {"word": "please", "understood": "BTC 1%"}),
    ("BTC 2.5.1%", 4, ErrorCode.NOT_UNDERSTOOD, {"word": "2.5.1%"}),
    ("BTC %", 4, ErrorCode.NOT_UNDERSTOOD, {"word": "%"}),
    # said twice
    ("BTC 1% 2%", 7, ErrorCode.TWICE, {"word": "2%"}),
    ("BTC long 1% short", 12, ErrorCode.TWICE, {"word": "short"}),
]


@pytest.mark.parametrize(("line", "position", "code", "values"), FAULTS)
def test_a_fault_is_named_with_its_place(
    line: str, position: int, code: ErrorCode, values: dict[str, str | float]
) -> None:
    found = refuse(line)
    assert (found.position, found.code) == (position, code)
    assert {key: found.values[key] for key in values} == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2,5%", "2.5"),
        ("1,500%", "1.5"),  # in a percent a comma is a decimal one
        ("1,500k", "1500"),  # in a size, before three digits, it groups
        ("1,50k", "1.50"),
        ("1'500", "1500"),
        ("1,500.25", "1500.25"),
        ("1.500,25", "1500.25"),
        ("12.", "12"),
        ("+3", "3"),
        ("abc", None),
        ("1..2", None),
        ("1,2,3", None),
        (",", None),
    ],
)
def test_numbers_as_people_write_them(text: str, value: str | None) -> None:
    found = number_of(fold(text))
    assert (None if found is None else found.value) == (None if value is None else Decimal(value))


def some(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers as typed and any others in the range."""
    typed = st.integers(round(low * 100), round(high * 100)).map(lambda cents: cents / 100)
    return st.one_of(typed, st.floats(low, high)).filter(lambda x: low <= x <= high)


rules = st.builds(
    lambda market, kind, near, grown, minutes, side, usd, strength: Rule(
        id=0,
        chat=0,
        market=market,
        kind=kind,
        threshold_pct=near if kind is Kind.PROXIMITY else grown,
        window_ms=minutes * MINUTE if kind is Kind.GROWTH else 0,
        side=side,
        min_usd=usd,
        min_strength=strength,
    ),
    st.builds(Market, st.sampled_from(EXCHANGES), st.sampled_from(sorted(KNOWN.values()))),
    st.sampled_from([Kind.PROXIMITY, Kind.GROWTH]),
    some(*PROXIMITY_PCT),
    some(*GROWTH_PCT),
    st.integers(15, 1440),
    st.none() | st.sampled_from(Side),
    st.none() | some(*SIZE_USD),
    st.none() | st.integers(1, 100),
)


@given(rules)
@example(Rule(0, 0, BTC, Kind.PROXIMITY, 0.1 + 0.2, min_usd=1234567.891))
def test_a_rule_written_as_a_line_is_the_same_rule(rule: Rule) -> None:
    assert parse(format_watch(rule)) == rule


pieces = st.lists(
    st.sampled_from(["BTC", "grow", "+", "30", "%", "4h", "10m", "strength", "long", "2%", "$", ",", ".", "-", "２％"])
)


@given(st.text(max_size=40) | pieces.map(" ".join))
def test_nothing_typed_raises(line: str) -> None:
    found = parse_watch(line, resolve)
    if isinstance(found, ParseError):
        assert 0 <= found.position <= len(line)
        word = str(found.values.get("word", ""))
        assert line[found.position :].startswith(word)
    else:
        assert parse(format_watch(found[0])) == found[0]


def test_a_kind_without_a_line_is_refused() -> None:
    with pytest.raises(ValueError, match="new_cluster"):
        format_watch(Rule(1, 1, BTC, Kind.NEW_CLUSTER, 1.0))
