"""Bybit's answers: every fixture the client claims to read, and rows that cannot be true."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows
from bot.market.bybit_parse import (
    answered_ms,
    next_cursor,
    parse_bars,
    parse_instruments,
    parse_mark_prices,
    parse_open_interest_history,
    parse_open_interest_now,
    parse_risk_limits,
    parse_volumes,
)
from bot.market.exchange import ExchangeUnavailableError
from bot.market.types import BAR_MS, Instrument
from tests.shared import SHARED, needs_shared
from tests.unit.market.grown import grown

FIXTURES = SHARED / "fixtures" / "bybit"
LATER_MS = 1_900_000_000_000
T0 = 1_766_188_800_000


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def bad_rows() -> BadRows:
    return BadRows("Bybit")


def answer(*rows: object, **result: object) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": {"list": list(rows), **result}, "time": T0}


def contract(native: str, symbol: str | None = None) -> Instrument:
    name = symbol or native
    return Instrument("bybit", name, native, name.removesuffix("USDT"), "USDT", 0.1)


INSTRUMENTS = [
    ("jkorf/Endpoints__V5Api__ExchangeData__GetLinearInverseSymbols.json", {"BTCUSDT": (0.1, 100)}),
    ("nautilus/http_get_instruments_linear.json", {"BTCUSDT": (0.5, 100), "ETHUSDT": (0.05, 100)}),
    ("nautilus/http_get_instruments_linear_symbol_type.json", {}),
    ("jkorf/Endpoints__V5Api__ExchangeData__GetLinearInverseSymbolsPreListing.json", {}),
    ("nautilus/http_get_instruments_inverse.json", {}),
    ("docs/market__instrument__1.json", {}),
    ("docs/market__instrument__2.json", {}),
]


@needs_shared
@pytest.mark.parametrize(("name", "wanted"), INSTRUMENTS)
def test_instruments_are_the_trading_usdt_perpetuals_of_coins(
    name: str, wanted: dict[str, tuple[float, float]]
) -> None:
    bad = bad_rows()
    found = parse_instruments(fixture(name), bad)
    assert {one.symbol: (one.tick_size, one.max_leverage) for one in found} == wanted
    assert {one.native for one in found} == set(wanted)
    assert bad.counts == {}
    assert parse_instruments(grown(fixture(name)), bad) == found


KLINES = [
    ("nautilus/http_get_klines_linear.json", 0, {"bars: no time on the 5-minute grid": 1}),
    ("docs/market__kline__1.json", 3, {}),
    ("jkorf/Endpoints__V5Api__ExchangeData__GetKlines.json", 3, {}),
]


@needs_shared
@pytest.mark.parametrize(("name", "count", "dropped"), KLINES)
def test_klines_give_bars_oldest_first(name: str, count: int, dropped: dict[str, int]) -> None:
    bad = bad_rows()
    bars = parse_bars(fixture(name), now_ms=LATER_MS, bad=bad)
    assert len(bars) == count
    assert bad.counts == dropped
    if count:
        assert (np.diff(bars.open_ms) > 0).all()
        last = (bars.open[-1], bars.high[-1], bars.low[-1], bars.close[-1], bars.volume[-1], bars.quote_volume[-1])
        assert last == (17071, 17073, 17027, 17055.5, 268611, 15.74462667)
        assert np.isnan(bars.taker_buy_volume).all()


OPEN_INTEREST = [
    ("docs/market__open-interest__1.json", 5, 31971156.0),
    ("jkorf/Endpoints__V5Api__ExchangeData__GetOpenInterest.json", 2, 461134292.0 / 2),
]


@needs_shared
@pytest.mark.parametrize(("name", "count", "oldest"), OPEN_INTEREST)
def test_open_interest_history_is_one_side_oldest_first(name: str, count: int, oldest: float) -> None:
    bad = bad_rows()
    history = parse_open_interest_history(grown(fixture(name)), bad)
    assert (len(history), history.coins[0]) == (count, oldest)
    assert (np.diff(history.time_ms) > 0).all()
    assert bad.counts == {}


@needs_shared
def test_a_live_ticker_gives_mark_price_open_interest_and_volume() -> None:
    payload, bad = grown(fixture("live2026/v5_market_tickers_linear_ETHUSDT.json")), bad_rows()
    known = {"ETHUSDT": contract("ETHUSDT")}
    tick = parse_mark_prices(payload, known, otherwise_ms=0, bad=bad)
    assert (tick.symbols, tick.time_ms.tolist(), tick.price.tolist()) == (("ETHUSDT",), [1789677926362], [2450.48])
    now = parse_open_interest_now(payload, otherwise_ms=0, bad=bad)
    assert (now.time_ms.tolist(), now.coins.tolist()) == ([1789677926362], [398828.57])
    assert parse_volumes(payload, known, bad) == {"ETHUSDT": 2692158450.415}
    assert bad.counts == {}


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "docs/market__tickers__1.json",
        "docs/market__tickers__2.json",
        "docs/market__tickers__3.json",
        "jkorf/Endpoints__V5Api__ExchangeData__GetLinearInverseTickers.json",
    ],
)
def test_tickers_of_other_kinds_are_passed_over(name: str) -> None:
    payload, bad = fixture(name), bad_rows()
    assert parse_mark_prices(payload, {}, otherwise_ms=0, bad=bad).symbols == ()
    assert parse_volumes(payload, {}, bad) == {}
    assert bad.counts == {}


@needs_shared
def test_live_risk_limits_are_tiers_with_the_deduction_of_the_recursion() -> None:
    bad = bad_rows()
    tiers = parse_risk_limits(grown(fixture("live2026/v5_market_risk_limit_linear_BTCUSDT_first2.json")), bad)
    assert tiers == {"BTCUSDT": (RiskTier(0, 3e5, 0.0033, 0, 150), RiskTier(3e5, 2e6, 0.005, 510, 100))}
    assert bad.counts == {}


@needs_shared
def test_the_documented_risk_limit_in_percent_is_believed_to_be_a_fraction_because_live_ones_are() -> None:
    tiers = parse_risk_limits(fixture("jkorf/Endpoints__V5Api__ExchangeData__GetRiskLimit.json"), bad_rows())
    assert tiers["BTCUSD"][0].maintenance_margin_rate == 0.5


@needs_shared
def test_the_time_of_an_answer_is_the_venues() -> None:
    assert answered_ms(fixture("docs/market__time__1.json"), 5) == 1688639403423
    assert answered_ms({"time": None}, 5) == answered_ms([], 5) == 5


@needs_shared
def test_a_cursor_is_kept_as_it_came() -> None:
    assert next_cursor(fixture("docs/market__open-interest__1.json")) == "lastid%3D19408935%26lasttime%3D1780617600"
    assert next_cursor(answer(nextPageCursor=None)) == next_cursor(answer()) == next_cursor([]) == ""


def instrument_row(**change: object) -> dict[str, object]:
    return {
        "symbol": "ZRXUSDT",
        "baseCoin": "ZRX",
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "deliveryTime": "0",
        "launchTime": "1593619200000",
        "leverageFilter": {"maxLeverage": "25.00"},
        "priceFilter": {"tickSize": "0.0001"},
    } | change


@pytest.mark.parametrize(
    "change",
    [
        {"contractType": "LinearFutures"},
        {"quoteCoin": "USDC"},
        {"settleCoin": "USDC"},
        {"status": "PreLaunch"},
        {"status": "Settling"},
        {"symbolType": "stock"},
        {"symbolType": "commodity"},
        {"symbolType": "forex"},
    ],
)
def test_what_is_no_trading_perpetual_of_a_coin_is_left_out_without_a_complaint(change: dict[str, object]) -> None:
    bad = bad_rows()
    assert parse_instruments(answer(instrument_row(**change)), bad) == ()
    assert bad.counts == {}


def test_a_delivery_time_is_an_announced_delisting_and_innovation_is_a_coin() -> None:
    (one,) = parse_instruments(answer(instrument_row(deliveryTime=str(T0), symbolType="innovation")), bad_rows())
    assert (one.delist_ms, one.onboard_ms, one.max_leverage) == (T0, 1593619200000, 25)
    (stays,) = parse_instruments(answer(instrument_row()), bad_rows())
    assert stays.delist_ms is None


@pytest.mark.parametrize(
    ("native", "coin", "symbol"),
    [
        ("SHIB1000USDT", "SHIB1000", "1000SHIBUSDT"),
        ("1000PEPEUSDT", "1000PEPE", "1000PEPEUSDT"),
        ("1000000BABYDOGEUSDT", "1000000BABYDOGE", "1MBABYDOGEUSDT"),
        ("10000SATSUSDT", "10000SATS", "10000SATSUSDT"),
        ("币安人生USDT", "币安人生", "币安人生USDT"),
    ],
)
def test_one_contract_has_one_symbol_and_keeps_the_venues_name(native: str, coin: str, symbol: str) -> None:
    (one,) = parse_instruments(answer(instrument_row(symbol=native, baseCoin=coin)), bad_rows())
    assert (one.symbol, one.native, one.base) == (symbol, native, symbol.removesuffix("USDT"))


@pytest.mark.parametrize(
    "row",
    [
        "ZRXUSDT",
        instrument_row(symbol=7),
        instrument_row(baseCoin=""),
        instrument_row(priceFilter={"tickSize": "0"}),
        instrument_row(priceFilter=None),
    ],
)
def test_an_instrument_that_cannot_be_used_is_dropped_and_counted(row: object) -> None:
    bad = bad_rows()
    assert len(parse_instruments(answer(row, instrument_row()), bad)) == 1
    assert sum(bad.counts.values()) == 1


def test_a_missing_leverage_is_unknown_not_a_fault() -> None:
    (one,) = parse_instruments(answer(instrument_row(leverageFilter={"maxLeverage": ""})), bad_rows())
    assert one.max_leverage is None


def kline(open_ms: int = T0, **change: str) -> list[str]:
    row = {"o": "10", "h": "12", "l": "9", "c": "11", "v": "100", "q": "1050"} | change
    return [str(open_ms), *row.values()]


def test_the_open_bar_and_rows_that_cannot_be_true_are_left_out() -> None:
    bad = bad_rows()
    rows = [kline(T0 + 3 * BAR_MS), kline(T0 + 2 * BAR_MS, h="9", l="12"), kline(T0 + BAR_MS, q="NaN"), ["1"], kline()]
    assert parse_bars(answer(*rows), now_ms=T0 + 3 * BAR_MS + 1, bad=bad).open_ms.tolist() == [T0]
    assert bad.counts == {
        "bars: high below low": 1,
        "bars: a volume that is not a number": 1,
        "bars: short row": 1,
    }


def test_open_interest_without_the_single_figure_is_halved_and_nonsense_is_dropped() -> None:
    bad = bad_rows()
    rows = [
        {"openInterest": "0", "singleOpenInterest": "0", "timestamp": str(T0 + 3)},
        {"openInterest": "10", "timestamp": str(T0 + 2)},
        {"openInterest": "10", "singleOpenInterest": "4", "timestamp": str(T0 + 1)},
        {"openInterest": "ten", "timestamp": str(T0)},
        "row",
    ]
    history = parse_open_interest_history(answer(*rows), bad)
    assert history.coins.tolist() == [4, 5]
    assert bad.counts == {"open interest: not a positive number": 2, "open interest: no time": 1}


def test_a_settling_contract_has_no_open_interest_now() -> None:
    payload = answer({"symbol": "A", "openInterest": "0", "singleOpenInterest": "0"})
    assert len(parse_open_interest_now(payload, otherwise_ms=0, bad=bad_rows())) == 0
    assert len(parse_open_interest_now(answer(), otherwise_ms=0, bad=bad_rows())) == 0


def test_mark_prices_are_told_under_the_canonical_symbol_and_strangers_are_passed_over() -> None:
    bad = bad_rows()
    known = {"SHIB1000USDT": contract("SHIB1000USDT", "1000SHIBUSDT"), "AUSDT": contract("AUSDT")}
    rows = [
        {"symbol": "SHIB1000USDT", "markPrice": "0.01", "turnover24h": "5"},
        {"symbol": "AUSDT", "markPrice": "", "turnover24h": "x"},
        {"symbol": "BTCUSDT-26DEC26", "markPrice": "90000"},
        "row",
    ]
    assert parse_mark_prices(answer(*rows), known, otherwise_ms=0, bad=bad).symbols == ("1000SHIBUSDT",)
    assert parse_volumes(answer(*rows), known, bad) == {"1000SHIBUSDT": 5}
    assert bad.counts == {"mark prices: no time or no positive price": 1, "volumes: no number": 1}


def limit(cap: str, rate: str, leverage: str, deduction: str = "", symbol: str = "BTCUSDT") -> dict[str, str]:
    named = {"symbol": symbol, "riskLimitValue": cap, "maintenanceMargin": rate}
    return named | {"maxLeverage": leverage, "mmDeduction": deduction}


BAD_LIMITS = [
    ([limit("300000", "0.0033", "150"), limit("2000000", "0.005", "100", "600")], "maintenance amounts do not follow"),
    ([limit("300000", "0.0033", "150"), limit("2000000", "0.002", "100", "0")], "maintenance rates fall"),
    ([limit("300000", "0.5", "150"), limit("2000000", "1.5", "100", "0")], "maintenance rates fall"),
    ([limit("0", "0.0033", "150")], "not contiguous"),
    ([limit("NaN", "0.0033", "150")], "not contiguous"),
    ([limit("300000", "0.0033", "")], "leverages do not fall"),
]


@pytest.mark.parametrize(("rows", "cause"), BAD_LIMITS)
def test_tiers_that_contradict_themselves_are_dropped(rows: list[dict[str, str]], cause: str) -> None:
    bad = bad_rows()
    good = limit("1000", "0.02", "25", symbol="ETHUSDT")
    assert set(parse_risk_limits(answer(*rows, good, {"id": 1}), bad)) == {"ETHUSDT"}
    counts = dict(bad.counts)
    assert counts.pop("risk tiers: no symbol") == 1
    (only,) = counts
    assert only.startswith(f"risk tiers: {cause}")


def test_tiers_come_in_order_of_their_caps_whatever_the_order_of_the_rows() -> None:
    rows = [limit("2000000", "0.005", "100", "510"), limit("300000", "0.0033", "150")]
    tiers = parse_risk_limits(answer(*rows), bad_rows())["BTCUSDT"]
    assert [tier.notional_floor for tier in tiers] == [0, 300000]


PARSERS: list[Callable[[object], object]] = [
    lambda payload: parse_instruments(payload, bad_rows()),
    lambda payload: parse_bars(payload, now_ms=0, bad=bad_rows()),
    lambda payload: parse_open_interest_history(payload, bad_rows()),
    lambda payload: parse_open_interest_now(payload, otherwise_ms=0, bad=bad_rows()),
    lambda payload: parse_mark_prices(payload, {}, otherwise_ms=0, bad=bad_rows()),
    lambda payload: parse_volumes(payload, {}, bad_rows()),
    lambda payload: parse_risk_limits(payload, bad_rows()),
]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("payload", [None, 7, "text", [], {"rows": []}, {"result": []}, {"result": {"list": {}}}])
def test_a_wrong_shape_is_one_clear_error(parser: Callable[[object], object], payload: object) -> None:
    with pytest.raises(ExchangeUnavailableError, match=r"Bybit answered .* in a shape"):
        parser(payload)
