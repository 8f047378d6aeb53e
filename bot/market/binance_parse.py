"""Binance USDT-M answers into Liqwatch's types: what is missing or impossible is dropped, never guessed.

Every parser takes decoded JSON. A wrong shape raises ExchangeUnavailableError; a wrong row is counted in BadRows.
Fields that are not read may come, go and change.
"""

import math
from collections.abc import Mapping

from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.crowd_rows import depth_of, ratios_of, share_of
from bot.market.rows import BarRow, bars_of, rows_of, samples_of, tick_of, wrong_shape
from bot.market.types import Bars, Depth, Instrument, LongShortRatios, OpenInterest, Tick

EXCHANGE = "binance"
VENUE = "Binance"

# A perpetual's deliveryDate lies in the year 2100; once a delisting is announced it is the real date.
NEVER_DELIVERED_MS = 4_102_444_800_000

_BAR_COLUMNS = (1, 2, 3, 4, 5, 7, 9)  # open high low close volume quote-volume taker-buy-volume


def parse_instruments(payload: object, bad: BadRows) -> tuple[Instrument, ...]:
    """The trading USDT perpetuals of /fapi/v1/exchangeInfo; quarterlies, TradFi and settling ones are left out."""
    if not isinstance(payload, dict) or not isinstance(payload.get("symbols"), list):
        raise wrong_shape(VENUE, "exchangeInfo", "an object with a list of symbols")
    instruments: dict[str, Instrument] = {}
    for row in payload["symbols"]:
        if not isinstance(row, dict):
            bad.drop("instruments", "not an object")
            continue
        if (row.get("contractType"), row.get("quoteAsset"), row.get("status")) != ("PERPETUAL", "USDT", "TRADING"):
            continue
        instrument = _instrument(row, bad)
        if instrument is not None:
            instruments[instrument.symbol] = instrument
    return tuple(instruments.values())


def _instrument(row: Mapping[str, object], bad: BadRows) -> Instrument | None:
    symbol, base = row.get("symbol"), row.get("baseAsset")
    if not isinstance(symbol, str) or not symbol or not isinstance(base, str) or not base:
        bad.drop("instruments", "no symbol or base")
        return None
    tick_size = _tick_size(row.get("filters"))
    if not tick_size > 0:
        bad.drop("instruments", "no tick size")
        return None
    delivery_ms = milliseconds(row.get("deliveryDate"))
    return Instrument(
        exchange=EXCHANGE,
        symbol=symbol,
        native=symbol,
        base=base,
        quote="USDT",
        tick_size=tick_size,
        onboard_ms=milliseconds(row.get("onboardDate")),
        delist_ms=delivery_ms if delivery_ms is not None and delivery_ms < NEVER_DELIVERED_MS else None,
    )


def _tick_size(filters: object) -> float:
    # pricePrecision is not the tick: BTC has 2 decimals and a tick of 0.10. Filters come in no fixed order.
    for entry in filters if isinstance(filters, list) else ():
        if isinstance(entry, dict) and entry.get("filterType") == "PRICE_FILTER":
            return number(entry.get("tickSize"))
    return float("nan")


def parse_bars(payload: object, *, now_ms: int, bad: BadRows) -> Bars:
    """The closed bars of one page of /fapi/v1/klines: rows of 12, oldest first; the bar still open is left out."""
    return bars_of(map(_bar, rows_of(payload, "klines", VENUE)), now_ms=now_ms, bad=bad)


def _bar(row: object) -> BarRow | None:
    if not isinstance(row, list) or len(row) < 11:
        return None
    return BarRow(milliseconds(row[0]), *(number(row[column]) for column in _BAR_COLUMNS))


def open_time(row: object) -> int | None:
    """The open time of a row of klines, ms UTC, whatever else is wrong with it."""
    return milliseconds(row[0]) if isinstance(row, list) and row else None


def parse_open_interest_history(payload: object, bad: BadRows) -> OpenInterest:
    """Rows of /futures/data/openInterestHist: coins, once per contract; the time is the end of the period."""
    return samples_of(map(_sample, rows_of(payload, "openInterestHist", VENUE)), bad=bad)


def _sample(row: object) -> tuple[int | None, float]:
    if not isinstance(row, dict):
        return None, math.nan
    return milliseconds(row.get("timestamp")), number(row.get("sumOpenInterest"))


def parse_open_interest_now(payload: object, bad: BadRows) -> OpenInterest:
    """/fapi/v1/openInterest as one row; zero (a contract that settles) or nonsense gives no row."""
    if not isinstance(payload, dict):
        raise wrong_shape(VENUE, "openInterest", "an object")
    row = {"timestamp": payload.get("time"), "sumOpenInterest": payload.get("openInterest")}
    return parse_open_interest_history([row], bad)


def parse_mark_prices(payload: object, bad: BadRows) -> Tick:
    """/fapi/v1/premiumIndex of all symbols (or of one, which comes without a list)."""
    rows = rows_of([payload] if isinstance(payload, dict) else payload, "premiumIndex", VENUE)
    return tick_of(EXCHANGE, map(_mark_price, rows), bad=bad)


def _mark_price(row: object) -> tuple[object, int | None, float]:
    if not isinstance(row, dict):
        return None, None, math.nan
    return row.get("symbol"), milliseconds(row.get("time")), number(row.get("markPrice"))


def parse_volumes(payload: object, bad: BadRows) -> dict[str, float]:
    """Quote volume (USDT) of the last 24 h by symbol, from /fapi/v1/ticker/24hr."""
    volumes: dict[str, float] = {}
    for row in rows_of([payload] if isinstance(payload, dict) else payload, "ticker/24hr", VENUE):
        symbol = row.get("symbol") if isinstance(row, dict) else None
        volume = number(row.get("quoteVolume")) if isinstance(row, dict) else float("nan")
        if isinstance(symbol, str) and volume >= 0:
            volumes[symbol] = volume
        else:
            bad.drop("volumes", "no symbol or no number")
    return volumes


def parse_ratios(payload: object, bad: BadRows) -> LongShortRatios:
    """Rows of the three long/short ratios of /futures/data, oldest first; the time is the end of the period."""
    return ratios_of(map(_ratio, rows_of(payload, "long/short ratios", VENUE)), bad=bad)


def _ratio(row: object) -> tuple[int | None, float]:
    if not isinstance(row, dict):
        return None, math.nan
    share = share_of(number(row.get("longAccount")), number(row.get("shortAccount")))
    return milliseconds(row.get("timestamp")), share


def parse_depth(payload: object, *, levels: int, bad: BadRows) -> Depth:
    """/fapi/v1/depth: pairs of price and coins; the time is that of the matching engine."""
    if not isinstance(payload, dict):
        raise wrong_shape(VENUE, "depth", "an object with bids and asks")
    bids, asks = (map(_level, rows_of(payload.get(side), "depth", VENUE)) for side in ("bids", "asks"))
    return depth_of(payload.get("T"), bids, asks, venue=VENUE, levels=levels, bad=bad)


def _level(row: object) -> tuple[float, float]:
    if not isinstance(row, list) or len(row) < 2:
        return math.nan, math.nan
    return number(row[0]), number(row[1])


def parse_server_time(payload: object) -> int:
    """The server's clock, ms UTC, from /fapi/v1/time."""
    time_ms = milliseconds(payload.get("serverTime")) if isinstance(payload, dict) else None
    if time_ms is None:
        raise wrong_shape(VENUE, "time", "an object with serverTime")
    return time_ms
