"""Binance's answers: every fixture the client claims to read, and rows that cannot be true."""

import json
from typing import Any

import numpy as np
import pytest

from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.binance_parse import (
    parse_bars,
    parse_instruments,
    parse_mark_prices,
    parse_open_interest_history,
    parse_open_interest_now,
    parse_server_time,
    parse_volumes,
)
from bot.market.exchange import ExchangeUnavailableError
from bot.market.rows import join_bars, join_open_interest
from bot.market.types import BAR_MS
from tests.shared import SHARED, needs_shared

FIXTURES = SHARED / "fixtures" / "binance"
LATER_MS = 1_900_000_000_000
T0 = 1_766_188_800_000  # 2025-12-20T00:00:00Z


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def with_unknown_fields(payload: Any) -> Any:
    """The same answer as a later version of the API might give it: every object has grown a field."""
    if isinstance(payload, dict):
        return {key: with_unknown_fields(value) for key, value in payload.items()} | {"newIn2027": {"a": [1]}}
    return [with_unknown_fields(value) for value in payload] if isinstance(payload, list) else payload


def kline(open_ms: int = T0, **change: object) -> list[object]:
    row = {"o": "10", "h": "12", "l": "9", "c": "11", "v": "100", "q": "1050", "b": "60"} | change
    end_ms = open_ms + BAR_MS - 1
    return [open_ms, row["o"], row["h"], row["l"], row["c"], row["v"], end_ms, row["q"], 5, row["b"], "630", "0"]


EXCHANGE_INFO = [
    ("live2026/fapi_v1_exchangeInfo_5symbols.json", {"BTCUSDT": 0.1}),
    ("jkorf/Endpoints__UsdFutures__ExchangeData__GetExchangeInfo.json", {"BLZUSDT": 0.0001}),
    ("nautilus/http_futures_market_exchange_info.json", {"BTCUSDT": 0.1}),
    ("sdk_spec/rest_exchange_information.json", {"BLZUSDT": 0.0001}),
]


@needs_shared
@pytest.mark.parametrize(("name", "ticks"), EXCHANGE_INFO)
def test_exchange_info_gives_trading_usdt_perpetuals_with_their_tick(name: str, ticks: dict[str, float]) -> None:
    bad = BadRows("Binance")
    payload = fixture(name)
    found = {one.symbol: one for one in parse_instruments(payload, bad)}
    for symbol, tick in ticks.items():
        assert found[symbol].tick_size == tick
        assert found[symbol].delist_ms is None
        assert found[symbol].symbol == found[symbol].base + "USDT"
    wanted = {
        row["symbol"]
        for row in payload["symbols"]
        if row["contractType"] == "PERPETUAL" and row["quoteAsset"] == "USDT" and row["status"] == "TRADING"
    }
    assert set(found) == wanted
    assert bad.counts == {}
    assert parse_instruments(with_unknown_fields(payload), bad) == tuple(found.values())


KLINES = [
    "jkorf/Endpoints__UsdFutures__ExchangeData__GetKlines.json",
    "nautilus/http_futures_market_klines.json",
]


@needs_shared
@pytest.mark.parametrize("name", KLINES)
def test_klines_give_bars(name: str) -> None:
    bars = parse_bars(fixture(name), now_ms=LATER_MS, bad=BadRows("Binance"))
    assert bars.open_ms.tolist() == [1_499_040_000_000]
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (0.0163479, 0.8, 0.015758, 0.015771)
    assert bars.volume[0] == pytest.approx(148976.11427815)
    assert bars.quote_volume[0] == pytest.approx(2434.19055334)
    assert bars.taker_buy_volume[0] == pytest.approx(1756.87402397)


@needs_shared
def test_the_kline_of_the_official_example_is_cut_short_and_dropped() -> None:
    bad = BadRows("Binance")
    assert len(parse_bars(fixture("sdk_spec/rest_kline_candlestick_data.json"), now_ms=LATER_MS, bad=bad)) == 0
    assert bad.counts == {"bars: short row": 1}


OPEN_INTEREST_HISTORY = [
    ("live2026/futures_data_openInterestHist_BTCUSDT_5m.json", 30, 93290.605),
    ("jkorf/Endpoints__UsdFutures__ExchangeData__GetOpenInterestHistory.json", 2, 20403.637),
    ("nautilus/http_futures_market_open_interest_historical.json", 2, 20403.637),
    ("sdk_spec/rest_open_interest_statistics.json", 1, 20403.12345678),
]


@needs_shared
@pytest.mark.parametrize(("name", "rows", "first"), OPEN_INTEREST_HISTORY)
def test_open_interest_history_is_in_coins_whether_times_are_numbers_or_text(
    name: str, rows: int, first: float
) -> None:
    bad = BadRows("Binance")
    history = parse_open_interest_history(with_unknown_fields(fixture(name)), bad)
    assert len(history) == rows
    assert history.coins[0] == first
    assert (np.diff(history.time_ms) > 0).all()
    assert bad.counts == {}


OPEN_INTEREST_NOW = [
    ("live2026/fapi_v1_openInterest_ETHUSDT.json", 1789677920144, 2293434.547),
    ("jkorf/Endpoints__UsdFutures__ExchangeData__GetOpenInterest.json", 1589437530011, 10659.509),
    ("nautilus/http_futures_market_open_interest.json", 1589437530011, 10659.509),
    ("sdk_spec/rest_open_interest.json", 1589437530011, 10659.509),
]


@needs_shared
@pytest.mark.parametrize(("name", "time_ms", "coins"), OPEN_INTEREST_NOW)
def test_open_interest_now_is_one_row(name: str, time_ms: int, coins: float) -> None:
    now = parse_open_interest_now(with_unknown_fields(fixture(name)), BadRows("Binance"))
    assert (now.time_ms.tolist(), now.coins.tolist()) == ([time_ms], [coins])


MARK_PRICES = [
    ("live2026/fapi_v1_premiumIndex_ETHUSDT.json", "ETHUSDT", 2450.46949612),
    ("jkorf/Endpoints__UsdFutures__ExchangeData__GetMarkPrice.json", "BTCUSDT", 11793.63104562),
    ("nautilus/http_futures_market_premium_index.json", "BTCUSDT", 11793.63104562),
    ("sdk_spec/rest_mark_price.json", "BTCUSDT", 11793.63104562),
]


@needs_shared
@pytest.mark.parametrize(("name", "symbol", "price"), MARK_PRICES)
def test_mark_prices_read_one_symbol_or_a_list(name: str, symbol: str, price: float) -> None:
    one = with_unknown_fields(fixture(name))
    for payload in (one, [one]):
        tick = parse_mark_prices(payload, BadRows("Binance"))
        assert (tick.exchange, tick.symbols, tick.price.tolist()) == ("binance", (symbol,), [price])


TICKERS = [
    ("live2026/fapi_v1_ticker_24hr_ETHUSDT.json", {"ETHUSDT": 6337810216.17}),
    ("jkorf/Endpoints__UsdFutures__ExchangeData__GetTicker.json", {"BTCUSDT": 15.3}),
    ("nautilus/http_futures_market_ticker_24hr.json", {"BTCUSDT": 15.3}),
    ("sdk_spec/rest_ticker24hr_price_change_statistics.json", {"BTCUSDT": 15.3}),
]


@needs_shared
@pytest.mark.parametrize(("name", "volumes"), TICKERS)
def test_volumes_are_quote_volume_of_24_hours(name: str, volumes: dict[str, float]) -> None:
    assert parse_volumes(with_unknown_fields(fixture(name)), BadRows("Binance")) == volumes


@needs_shared
@pytest.mark.parametrize(
    "name", ["jkorf/Endpoints__UsdFutures__ExchangeData__GetServerTime.json", "sdk_spec/rest_check_server_time.json"]
)
def test_server_time_is_read(name: str) -> None:
    assert parse_server_time(fixture(name)) == 1499827319559


def instrument_row(**change: object) -> dict[str, object]:
    return {
        "symbol": "ZRXUSDT",
        "baseAsset": "ZRX",
        "quoteAsset": "USDT",
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "deliveryDate": 4133404800000,
        "onboardDate": 1593619200000,
        "pricePrecision": 6,
        "filters": [{"filterType": "LOT_SIZE", "stepSize": "1"}, {"filterType": "PRICE_FILTER", "tickSize": "0.0001"}],
    } | change


@pytest.mark.parametrize(
    "change",
    [
        {"contractType": "TRADIFI_PERPETUAL", "symbol": "XAUUSDT", "baseAsset": "XAU"},
        {"contractType": "CURRENT_QUARTER", "symbol": "BTCUSDT_260327"},
        {"quoteAsset": "USDC", "symbol": "ZRXUSDC"},
        {"status": "SETTLING"},
        {"status": "PENDING_TRADING"},
    ],
)
def test_what_is_not_a_trading_usdt_perpetual_is_left_out_without_a_complaint(change: dict[str, object]) -> None:
    bad = BadRows("Binance")
    assert parse_instruments({"symbols": [instrument_row(**change)]}, bad) == ()
    assert bad.counts == {}


def test_names_outside_ascii_and_names_that_begin_with_digits_stay_whole() -> None:
    rows = [
        instrument_row(symbol=base + "USDT", baseAsset=base)
        for base in ("币安人生", "1000X", "1INCH", "0G", "1000PEPE")
    ]
    found = parse_instruments({"symbols": rows}, BadRows("Binance"))
    assert [one.base for one in found] == ["币安人生", "1000X", "1INCH", "0G", "1000PEPE"]


def test_a_near_delivery_date_is_an_announced_delisting() -> None:
    (one,) = parse_instruments({"symbols": [instrument_row(deliveryDate=T0)]}, BadRows("Binance"))
    assert one.delist_ms == T0
    assert one.onboard_ms == 1593619200000


@pytest.mark.parametrize(
    "row",
    [
        instrument_row(filters=[]),
        instrument_row(filters=None),
        instrument_row(filters=[{"filterType": "PRICE_FILTER", "tickSize": "NaN"}]),
        instrument_row(symbol=None),
        instrument_row(baseAsset=7),
        "ZRXUSDT",
    ],
)
def test_an_instrument_that_cannot_be_used_is_dropped_and_counted(row: object) -> None:
    bad = BadRows("Binance")
    (good,) = parse_instruments({"symbols": [row, instrument_row()]}, bad)
    assert good.symbol == "ZRXUSDT"
    assert sum(bad.counts.values()) == 1


BAD_BARS = [
    (kline(o="0"), "a price that is not a positive number"),
    (kline(c="-1"), "a price that is not a positive number"),
    (kline(h="NaN"), "a price that is not a positive number"),
    (kline(h="Infinity"), "a price that is not a positive number"),
    (kline(l=None), "a price that is not a positive number"),
    (kline(o=True), "a price that is not a positive number"),
    (kline(h="9", l="12"), "high below low"),
    (kline(c="12.5"), "open or close outside high and low"),
    (kline(v="-3"), "a volume that is not a number"),
    (kline(v="none"), "a volume that is not a number"),
    (kline(b="101"), "taker volume above the whole"),
    (kline(T0 + 1), "no time on the 5-minute grid"),
    ([], "short row"),
    ({"open": 1}, "short row"),
]


@pytest.mark.parametrize(("row", "cause"), BAD_BARS)
def test_a_bar_that_cannot_be_true_is_dropped_and_counted(row: object, cause: str) -> None:
    bad = BadRows("Binance")
    bars = parse_bars([row, kline(T0 + BAR_MS)], now_ms=LATER_MS, bad=bad)
    assert bars.open_ms.tolist() == [T0 + BAR_MS]
    assert bad.counts == {f"bars: {cause}": 1}


def test_bars_out_of_order_are_dropped() -> None:
    bad = BadRows("Binance")
    rows = [kline(T0 + BAR_MS), kline(T0), kline(T0 + BAR_MS), kline(T0 + 2 * BAR_MS)]
    assert parse_bars(rows, now_ms=LATER_MS, bad=bad).open_ms.tolist() == [T0 + BAR_MS, T0 + 2 * BAR_MS]
    assert bad.counts == {"bars: out of order": 2}


def test_a_bar_closes_with_its_last_millisecond() -> None:
    bad = BadRows("Binance")
    assert len(parse_bars([kline()], now_ms=T0 + BAR_MS - 1, bad=bad)) == 0
    assert len(parse_bars([kline()], now_ms=T0 + BAR_MS, bad=bad)) == 1
    assert bad.counts == {}


def test_a_bar_without_trades_is_a_bar() -> None:
    rows = [kline(o="10", h="10", l="10", c="10", v="0", q="0", b="0")]
    assert parse_bars(rows, now_ms=LATER_MS, bad=BadRows("Binance")).volume.tolist() == [0.0]


def test_pages_join_in_order_without_repeats_and_gaps_stay() -> None:
    def page(*steps: int, close: str = "11") -> Any:
        rows = [kline(T0 + step * BAR_MS, c=close) for step in steps]
        return parse_bars(rows, now_ms=LATER_MS, bad=BadRows("Binance"))

    joined = join_bars([page(4, 5), page(0, 1, 4, close="10")], start_ms=T0, end_ms=T0 + 5 * BAR_MS)
    assert ((joined.open_ms - T0) // BAR_MS).tolist() == [0, 1, 4]
    assert joined.close.tolist() == [10, 10, 10]
    assert len(join_bars([], start_ms=0, end_ms=1)) == 0


def test_open_interest_rows_that_cannot_be_true_are_dropped() -> None:
    bad = BadRows("Binance")
    rows = [
        {"timestamp": T0, "sumOpenInterest": "5"},
        {"timestamp": T0, "sumOpenInterest": "6"},
        {"timestamp": T0 + 1, "sumOpenInterest": "0"},
        {"timestamp": T0 + 2, "sumOpenInterest": "-0.1"},
        {"timestamp": T0 + 3, "sumOpenInterest": "nan"},
        {"timestamp": "soon", "sumOpenInterest": "5"},
        "row",
        {"timestamp": T0 + 4, "sumOpenInterest": "7"},
    ]
    history = parse_open_interest_history(rows, bad)
    assert history.coins.tolist() == [5, 7]
    assert bad.counts == {
        "open interest: out of order": 1,
        "open interest: not a positive number": 3,
        "open interest: no time": 2,
    }
    assert len(parse_open_interest_history([], bad)) == 0


def test_open_interest_pages_join_at_the_end_of_their_period() -> None:
    bad = BadRows("Binance")
    first = parse_open_interest_history([{"timestamp": T0 + i, "sumOpenInterest": "1"} for i in (0, 1, 2)], bad)
    second = parse_open_interest_history([{"timestamp": T0 + i, "sumOpenInterest": "2"} for i in (2, 3, 4)], bad)
    joined = join_open_interest([first, second], start_ms=T0, end_ms=T0 + 3)
    assert (joined.time_ms - T0).tolist() == [1, 2, 3]
    assert joined.coins.tolist() == [1, 2, 2]
    assert len(join_open_interest([], start_ms=0, end_ms=1)) == 0


def test_mark_prices_without_price_or_time_are_dropped() -> None:
    bad = BadRows("Binance")
    rows = [
        {"symbol": "A", "markPrice": "0.00000000", "time": T0},
        {"symbol": "B", "markPrice": "1.5", "time": 0},
        {"markPrice": "1.5", "time": T0},
        {"symbol": "我踏马来了USDT", "markPrice": "1.5", "time": T0},
    ]
    assert parse_mark_prices(rows, bad).symbols == ("我踏马来了USDT",)
    assert sum(bad.counts.values()) == 3


@pytest.mark.parametrize("payload", [None, 7, "text", {"rows": []}])
def test_a_wrong_shape_is_one_clear_error(payload: object) -> None:
    bad = BadRows("Binance")
    with pytest.raises(ExchangeUnavailableError, match="shape"):
        parse_bars(payload, now_ms=LATER_MS, bad=bad)
    with pytest.raises(ExchangeUnavailableError, match="shape"):
        parse_open_interest_history(payload, bad)
    with pytest.raises(ExchangeUnavailableError, match="shape"):
        parse_instruments(payload, bad)
    with pytest.raises(ExchangeUnavailableError, match="shape"):
        parse_server_time(payload)
    if not isinstance(payload, dict):
        for parser in (parse_mark_prices, parse_volumes, parse_open_interest_now):
            with pytest.raises(ExchangeUnavailableError, match="shape"):
                parser(payload, bad)


def test_each_cause_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    bad = BadRows("Binance")
    for _ in range(3):
        parse_bars([kline(h="9", l="12"), []], now_ms=LATER_MS, bad=bad)
    assert len(caplog.records) == 2
    assert bad.counts == {"bars: high below low": 3, "bars: short row": 3}


@pytest.mark.parametrize("value", [None, True, "", "abc", "NaN", "-inf", "1e999", [1], 10**400])
def test_what_is_no_finite_number_is_nan(value: object) -> None:
    assert np.isnan(number(value))


def test_times_are_whole_positive_milliseconds() -> None:
    assert milliseconds("1583127900000") == milliseconds(1583127900000) == 1583127900000
    assert [milliseconds(value) for value in (0, -5, 1.5, "1e400", None, 10**18)] == [None] * 6
