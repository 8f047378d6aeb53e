"""The line typed after /watch, as people type it, and back."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.alerts import lexicon as lex
from bot.alerts.grammar import (
    EXCHANGES,
    NORMAL_PCT,
    ErrorCode,
    ParseError,
    format_watch,
    parse_watch,
)
from bot.alerts.rule_builder import GOES_WITH
from bot.alerts.typed import fold, number_of
from bot.alerts.types import EVERYWHERE, Kind, Market, Repeat, Rule, Unit, Where
from bot.liquidation.types import Side
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, START

NOW = START + 10 * HOUR + 90_000
"""Monday, 1 December 2025, 10:01:30 UTC."""

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
    found = parse_watch(line, resolve, now_ms=NOW)
    assert not isinstance(found, ParseError), f"{line}: {found}"
    (rule,) = found
    return rule


def refuse(line: str) -> ParseError:
    found = parse_watch(line, resolve, now_ms=NOW)
    assert isinstance(found, ParseError), f"{line}: {found}"
    return found


# A line as typed, and the same rule in the one form that the program writes.
LINES = [
    # terms before the symbol
    ("1% BTC", "BTCUSDT 1%"),
    ("short 10M BTC 2%", "BTCUSDT short 2% 10M"),
    ("2% okx ETH once", "okx ETHUSDT 2% once"),
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
    ("BTC grow", "BTCUSDT grow 10% 4h"),
    # straight after growth a small m is minutes; a capital M, or one after the window, is money
    ("BTC grow 30% 30m 10m", "BTCUSDT grow 30% 30min 10M"),
    ("BTC grow 30% 30M", "BTCUSDT grow 30% 4h 30M"),
    # average true ranges, and odds of a touch within a time
    ("BTC 1.5atr", "BTCUSDT 1.5atr"),
    ("BTC within 1,5 ATR 10M", "BTCUSDT 1.5atr 10M"),
    ("BTC 60% in 4h 20M", "BTCUSDT 60% in 4h 20M"),
    ("BTC 60% chance in 4h", "BTCUSDT 60% in 4h"),
    ("BTC 60 % probability within 30m", "BTCUSDT 60% in 30min"),
    ("BTC odds 60% in 90 min", "BTCUSDT 60% in 90min"),
    ("BTC odds 60%", "BTCUSDT 60% in 24h"),
    # every other kind in a word
    ("BTC new 20M", "BTCUSDT new 20M"),
    ("BTC new cluster over 20M", "BTCUSDT new 20M"),
    ("BTC swept", "BTCUSDT swept"),
    ("BTC sweeps 50M long", "BTCUSDT long swept 50M"),
    ("BTC breakout", "BTCUSDT breakout 15min"),
    ("BTC breakout 30m short", "BTCUSDT short breakout 30min"),
    ("BTC breakdown", "BTCUSDT long breakout 15min"),
    ("BTC breakdown 30m long 10M", "BTCUSDT long breakout 30min 10M"),
    ("BTC hunt", "BTCUSDT hunt 1h"),
    ("BTC stop hunt 30m 10m", "BTCUSDT hunt 30min 10M"),
    ("BTC cascade", "BTCUSDT cascade 99% 100k"),
    ("BTC long cascade 99.5% 1M", "BTCUSDT long cascade 99.5% 1M"),
    ("BTC flip", "BTCUSDT flip 10%"),
    ("BTC imbalance 20%", "BTCUSDT flip 20%"),
    ("BTC shift", "BTCUSDT concentration 99%"),
    ("BTC concentration 95%", "BTCUSDT concentration 95%"),
    ("BTC exposure long 85000", "BTCUSDT long exposure 85000 3%"),
    ("BTC short liq at 98.5k within 1.5%", "BTCUSDT short exposure 98500 1.5%"),
    ("digest", "digest daily"),
    ("digest weekly", "digest weekly"),
    # only where something else stands
    ("BTC 1% confluence", "BTCUSDT 1% confluence"),
    ("BTC short grow 20% with confluence 10M", "BTCUSDT short grow 20% 4h 10M confluence"),
    ("confluence BTC swept", "BTCUSDT swept confluence"),
    # where
    ("BTC 1% between 90k and 100k", "BTCUSDT 1% between 90000 and 100000"),
    ("BTC 1% 90000-100,000", "BTCUSDT 1% between 90000 and 100000"),
    ("BTC grow above 90k", "BTCUSDT grow 10% 4h above 90000"),
    ("BTC new below 90k", "BTCUSDT new below 90000"),
    ("BTC grow 1-5%", "BTCUSDT grow 10% 4h beyond 1% within 5%"),
    ("BTC grow within 5%", "BTCUSDT grow 10% 4h within 5%"),
    ("BTC 1-5%", "BTCUSDT 5% beyond 1%"),
    ("BTC within 2%", "BTCUSDT 2%"),
    ("BTC 2% odds 30% in 4h", "BTCUSDT 2% odds 30% in 4h"),
    ("BTC new odds 30%", "BTCUSDT new odds 30% in 24h"),
    # how often
    ("BTC 2% 10M once", "BTCUSDT 2% 10M once"),
    ("BTC 2% every 30m", "BTCUSDT 2% every 30min"),
    ("BTC 2% every 2 hours", "BTCUSDT 2% every 2h"),
    ("BTC 2% every hour 10m", "BTCUSDT 2% 10M every 1h"),
    # until when: a day means its end, a time its next coming
    ("BTC 2% for 3d", "BTCUSDT 2% until 2025-12-04T10:02Z"),
    ("BTC 2% for 90 min", "BTCUSDT 2% until 2025-12-01T11:32Z"),
    ("BTC 2% until friday", "BTCUSDT 2% until 2025-12-06T00:00Z"),
    ("BTC 2% until monday", "BTCUSDT 2% until 2025-12-02T00:00Z"),
    ("BTC 2% until tomorrow 14:05", "BTCUSDT 2% until 2025-12-02T14:05Z"),
    ("BTC 2% until 09:00", "BTCUSDT 2% until 2025-12-02T09:00Z"),
    ("BTC 2% until 27 dec", "BTCUSDT 2% until 2025-12-28T00:00Z"),
    ("BTC 2% until jan 3 12:00", "BTCUSDT 2% until 2026-01-03T12:00Z"),
    ("BTC 2% until 2025-12-24", "BTCUSDT 2% until 2025-12-25T00:00Z"),
    ("BTC 2% until 2025-12-24T18:30 10M", "BTCUSDT 2% 10M until 2025-12-24T18:30Z"),
    # a label, wherever it stands
    ('BTC 2% "my swing long"', 'BTCUSDT 2% "my swing long"'),
    ("BTC “short  squeeze” 2% once", 'BTCUSDT 2% once "short squeeze"'),
    ('digest weekly for 4 weeks "mail"', 'digest weekly until 2025-12-29T10:02Z "mail"'),
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
    ("BTC 1% 4h", 4, ErrorCode.ODDS_RANGE, {"value": 1.0, "low": 5.0, "high": 95.0, "word": "1%"}),
    ("BTC in 4h", 7, ErrorCode.NOT_UNDERSTOOD, {"word": "4h"}),
    ("BTC 60% in 2d", 11, ErrorCode.WINDOW_RANGE, {"value": 2880.0}),
    ("BTC breakout 1m", 13, ErrorCode.TIME_RANGE, {"value": 1.0, "low": 5, "high": 120}),
    ("BTC hunt 1d", 9, ErrorCode.TIME_RANGE, {"value": 1440.0, "high": 240}),
    # what does not go with a kind
    ("BTC swept 5%", 10, ErrorCode.NOT_FOR_KIND, {"word": "5%", "kind": "swept"}),
    ("BTC cascade strength 80", 21, ErrorCode.NOT_FOR_KIND, {"word": "80", "kind": "cascade"}),
    ("BTC flip above 90k", 9, ErrorCode.NOT_FOR_KIND, {"word": "above", "kind": "flip"}),
    ("BTC new every 30m", 8, ErrorCode.NOT_FOR_KIND, {"word": "every"}),
    ("BTC grow 1.5atr", 9, ErrorCode.NOT_FOR_KIND, {"word": "1.5atr", "kind": "growth"}),
    ("digest 10M", 7, ErrorCode.NOT_FOR_KIND, {"word": "10M", "kind": "digest"}),
    ("BTC exposure 85000", 4, ErrorCode.SIDE_MISSING, {"word": "exposure"}),
    ("BTC exposure long", 4, ErrorCode.LEVEL_MISSING, {"word": "exposure"}),
    # kinds' own ranges
    ("BTC 0.05atr", 4, ErrorCode.ATR_RANGE, {"value": 0.05, "low": 0.1, "high": 20.0}),
    ("BTC cascade 50%", 12, ErrorCode.MARGIN_RANGE, {"value": 50.0, "low": 90.0, "high": 99.9}),
    ("BTC flip 99%", 9, ErrorCode.MARGIN_RANGE, {"high": 90.0}),
    # filters
    ("BTC 1% above", 7, ErrorCode.BAD_PRICE, {"word": "above"}),
    ("BTC 1% above the sky", 13, ErrorCode.BAD_PRICE, {"word": "the"}),
    ("BTC 1% between 100k and 90k", 7, ErrorCode.BAD_PRICE, {"word": "between"}),
    ("BTC grow within 50%", 16, ErrorCode.PERCENT_RANGE, {"word": "50%", "high": 20.0}),
    ("BTC 2% within 3%", 14, ErrorCode.TWICE, {"word": "3%"}),
    ("BTC 1.5atr 2%", 11, ErrorCode.TWICE, {"word": "2%"}),
    # repeat and expiry
    ("BTC 2% once every 1h", 12, ErrorCode.TWICE, {"word": "every"}),
    ("BTC 2% every 1m", 7, ErrorCode.TIME_RANGE, {"value": 1.0, "low": 5, "high": 1440}),
    ("BTC 2% every often", 13, ErrorCode.BAD_TIME, {"word": "often"}),
    ("BTC 2% for ever", 11, ErrorCode.BAD_TIME, {"word": "ever"}),
    ("BTC 2% for 5m", 7, ErrorCode.EXPIRY_RANGE, {"value": 5.0, "low": 10}),
    ("BTC 2% until yesterday", 13, ErrorCode.BAD_TIME, {"word": "yesterday"}),
    ("BTC 2% until 2020-01-01", 7, ErrorCode.EXPIRY_RANGE, {"word": "until"}),
    ("BTC 2% until 2031-01-01", 7, ErrorCode.EXPIRY_RANGE, {"word": "until"}),
    ("BTC 2% for 3d until friday", 14, ErrorCode.TWICE, {"word": "until"}),
    # labels
    ('BTC 2% "open', 7, ErrorCode.LABEL_OPEN, {"word": '"open', "understood": "BTC 2%"}),
    ('BTC 2% "' + "x" * 41 + '"', 7, ErrorCode.LABEL_LONG, {"high": 40}),
    ('BTC "a" 2% "b"', 11, ErrorCode.TWICE, {"word": '"b"'}),
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


def maybe(strategy: st.SearchStrategy[Any], allowed: bool) -> st.SearchStrategy[Any]:
    return st.none() | strategy if allowed else st.none()


THRESHOLDS = {
    Kind.GROWTH: lex.GROWTH_PCT,
    Kind.CASCADE: lex.CASCADE_PCT,
    Kind.FLIP: lex.FLIP_PCT,
    Kind.CONCENTRATION: lex.BAND_PCT,
    Kind.EXPOSURE: lex.EXPOSURE_PCT,
}
NEAR = {Unit.PERCENT: lex.PROXIMITY_PCT, Unit.ATR: lex.ATR, Unit.ODDS: lex.ODDS_PCT}
WINDOWS = {Kind.GROWTH: lex.WINDOW_MINUTES, Kind.BREAKOUT: lex.HOLD_MINUTES, Kind.STOP_HUNT: lex.RETURN_MINUTES}
LABELS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"“”„«»') | st.just(" "), max_size=40)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule of any kind, with any of the filters that go with it."""
    expires_ms = draw(st.just(0) | st.integers(11, 500_000).map(lambda m: (NOW // MINUTE + m) * MINUTE))
    label = draw(st.none() | LABELS.map(lambda text: " ".join(text.split()) or None))
    kind = draw(st.sampled_from([*GOES_WITH, Kind.DIGEST]))
    if kind is Kind.DIGEST:
        days = draw(st.sampled_from([1, 7]))
        return Rule(0, 0, EVERYWHERE, kind, 0.0, days * 24 * HOUR, expires_ms=expires_ms, label=label)
    takes = GOES_WITH[kind]
    unit = draw(st.sampled_from(Unit)) if kind is Kind.PROXIMITY else Unit.PERCENT
    bounds = NEAR[unit] if kind is Kind.PROXIMITY else THRESHOLDS.get(kind)
    minutes = lex.WINDOW_MINUTES if unit is Unit.ODDS else WINDOWS.get(kind)
    prices = sorted(draw(st.lists(some(*lex.PRICE), min_size=2, max_size=2)))
    odds = draw(maybe(some(*lex.ODDS_PCT), "odds" in takes and unit is not Unit.ODDS))
    repeat = draw(st.sampled_from(Repeat if "every" in takes else [Repeat.EPISODE, Repeat.ONCE]))
    usd = draw(maybe(some(*lex.SIZE_USD), "size" in takes))
    return Rule(
        id=0,
        chat=0,
        market=draw(st.builds(Market, st.sampled_from(EXCHANGES), st.sampled_from(sorted(KNOWN.values())))),
        kind=kind,
        threshold_pct=draw(some(*bounds)) if bounds else 0.0,
        window_ms=draw(st.integers(*minutes)) * MINUTE if minutes else 0,
        side=draw(st.sampled_from([*Side] if kind is Kind.EXPOSURE else [None, *(Side if "side" in takes else ())])),
        min_usd=100e3 if usd is None and kind is Kind.CASCADE else usd,
        min_strength=draw(maybe(st.integers(1, 100), "strength" in takes)),
        unit=unit,
        where=Where(
            price_low=draw(maybe(st.just(prices[0]), "above" in takes)),
            price_high=draw(maybe(st.just(prices[1]), "below" in takes)),
            near_pct=draw(maybe(some(*lex.AWAY_PCT), "beyond" in takes)),
            far_pct=draw(maybe(some(*lex.AWAY_PCT), "within" in takes and (kind, unit) not in NEARNESS)),
            odds_pct=odds,
            odds_ms=0 if odds is None else draw(st.integers(*lex.WINDOW_MINUTES)) * MINUTE,
            confluence=draw(st.booleans()) if "confluence" in takes else False,
        ),
        level=draw(some(*lex.PRICE)) if kind is Kind.EXPOSURE else None,
        repeat=repeat,
        repeat_ms=draw(st.integers(*lex.EVERY_MINUTES)) * MINUTE if repeat is Repeat.EVERY else 0,
        expires_ms=expires_ms,
        label=label,
    )


NEARNESS = {(Kind.PROXIMITY, Unit.PERCENT), (Kind.EXPOSURE, Unit.PERCENT)}
"""Where "within" is the rule's own distance and not a filter beside it."""


@given(rules())
@example(Rule(0, 0, BTC, Kind.PROXIMITY, 0.1 + 0.2, min_usd=1234567.891))
def test_a_rule_written_as_a_line_is_the_same_rule(rule: Rule) -> None:
    assert parse(format_watch(rule)) == rule


WORDS = (
    "BTC + 30 % 4h 10m strength long 2% $ , . - ２％ atr odds grow new swept hunt cascade flip exposure 85000 within "
    'confluence with beyond between and 1-5% once every for 3d until friday 27 nov 14:05 digest weekly " “x”'
)
pieces = st.lists(st.sampled_from(WORDS.split()))


@given(st.text(max_size=40) | pieces.map(" ".join))
def test_nothing_typed_raises(line: str) -> None:
    found = parse_watch(line, resolve, now_ms=NOW)
    if isinstance(found, ParseError):
        assert 0 <= found.position <= len(line)
        word = str(found.values.get("word", ""))
        assert line[found.position :].startswith(word)
    else:
        assert parse(format_watch(found[0])) == found[0]


@pytest.mark.parametrize("kind", [Kind.EXPIRY, Kind.GROWTH])
def test_what_no_line_asks_for_is_refused(kind: Kind) -> None:
    with pytest.raises(ValueError, match="asks for"):
        format_watch(Rule(1, 1, EVERYWHERE if kind is Kind.GROWTH else BTC, kind, 1.0))


def test_a_day_ends_where_the_reader_lives() -> None:
    found = parse_watch("BTC 2% until friday", resolve, now_ms=NOW, offset_ms=3 * HOUR)
    assert not isinstance(found, ParseError)
    assert found[0].expires_ms == START + 5 * 24 * HOUR - 3 * HOUR
