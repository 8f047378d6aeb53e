"""Binance USDT-M answers into Liqwatch's types: what is missing or impossible is dropped, never guessed.

Every parser takes decoded JSON. A wrong shape raises ExchangeUnavailableError; a wrong row is counted in BadRows.
Fields that are not read may come, go and change.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.exchange import ExchangeUnavailableError
from bot.market.types import BAR_MS, Bars, Instrument, OpenInterest, Tick

EXCHANGE = "binance"

# A perpetual's deliveryDate lies in the year 2100; once a delisting is announced it is the real date.
_NEVER_DELIVERED_MS = 4_102_444_800_000

_BAR_COLUMNS = (1, 2, 3, 4, 5, 7, 9)  # open high low close volume quote-volume taker-buy-volume


def parse_instruments(payload: object, bad: BadRows) -> tuple[Instrument, ...]:
    """The trading USDT perpetuals of /fapi/v1/exchangeInfo; quarterlies, TradFi and settling ones are left out."""
    if not isinstance(payload, dict) or not isinstance(payload.get("symbols"), list):
        raise _wrong_shape("exchangeInfo", "an object with a list of symbols")
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
        delist_ms=delivery_ms if delivery_ms is not None and delivery_ms < _NEVER_DELIVERED_MS else None,
    )


def _tick_size(filters: object) -> float:
    # pricePrecision is not the tick: BTC has 2 decimals and a tick of 0.10. Filters come in no fixed order.
    for entry in filters if isinstance(filters, list) else ():
        if isinstance(entry, dict) and entry.get("filterType") == "PRICE_FILTER":
            return number(entry.get("tickSize"))
    return float("nan")


def parse_bars(payload: object, *, now_ms: int, bad: BadRows) -> Bars:
    """The closed bars of one page of /fapi/v1/klines: rows of 12, oldest first; the bar still open is left out."""
    times: list[int] = []
    rows: list[tuple[float, ...]] = []
    for row in _rows(payload, "klines"):
        if not isinstance(row, list) or len(row) < 11:
            bad.drop("bars", "short row")
            continue
        open_ms, close_ms = milliseconds(row[0]), milliseconds(row[6])
        if open_ms is None or close_ms is None or open_ms % BAR_MS:
            bad.drop("bars", "no time on the 5-minute grid")
            continue
        if close_ms >= now_ms:
            continue
        values = tuple(number(row[column]) for column in _BAR_COLUMNS)
        fault = _bar_fault(*values)
        if fault is None and times and open_ms <= times[-1]:
            fault = "out of order"
        if fault is not None:
            bad.drop("bars", fault)
            continue
        times.append(open_ms)
        rows.append(values)
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), len(_BAR_COLUMNS)).T
    return Bars(np.array(times, dtype=np.int64), *(np.ascontiguousarray(column) for column in columns))


def open_time(row: object) -> int | None:
    """The open time of a row of klines, ms UTC, whatever else is wrong with it."""
    return milliseconds(row[0]) if isinstance(row, list) and row else None


def _bar_fault(
    first: float, high: float, low: float, last: float, volume: float, quote_volume: float, taker_buy: float
) -> str | None:
    """Why a bar cannot be true, or None. NaN fails every comparison, so each test is written as what must hold."""
    if not (first > 0 and high > 0 and low > 0 and last > 0):
        return "a price that is not a positive number"
    if not high >= low:
        return "high below low"
    if not (low <= first <= high and low <= last <= high):
        return "open or close outside high and low"
    if not (volume >= 0 and quote_volume >= 0 and taker_buy >= 0):
        return "a volume that is not a number"
    if not taker_buy <= volume * (1 + 1e-9):
        return "taker volume above the whole"
    return None


def join_bars(pages: Sequence[Bars], *, start_ms: int, end_ms: int) -> Bars:
    """Pages as one, in order, each open time once (the later page wins), start_ms <= open_ms < end_ms; gaps stay."""
    if not pages:
        return parse_bars([], now_ms=0, bad=BadRows(EXCHANGE))
    open_ms = np.concatenate([page.open_ms for page in pages])
    keep = _last_of_each(open_ms)
    keep = keep[(open_ms[keep] >= start_ms) & (open_ms[keep] < end_ms)]
    columns = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
    return Bars(open_ms[keep], *(np.concatenate([getattr(page, name) for page in pages])[keep] for name in columns))


def parse_open_interest_history(payload: object, bad: BadRows) -> OpenInterest:
    """Rows of /futures/data/openInterestHist: coins, once per contract; the time is the end of the period."""
    times: list[int] = []
    coins: list[float] = []
    for row in _rows(payload, "openInterestHist"):
        time_ms = milliseconds(row.get("timestamp")) if isinstance(row, dict) else None
        amount = number(row.get("sumOpenInterest")) if isinstance(row, dict) else float("nan")
        if time_ms is None:
            bad.drop("open interest", "no time")
        elif not amount > 0:
            bad.drop("open interest", "not a positive number")
        elif times and time_ms <= times[-1]:
            bad.drop("open interest", "out of order")
        else:
            times.append(time_ms)
            coins.append(amount)
    return OpenInterest(np.array(times, dtype=np.int64), np.array(coins, dtype=np.float64))


def join_open_interest(pages: Sequence[OpenInterest], *, start_ms: int, end_ms: int) -> OpenInterest:
    """Pages as one, in order, each time once (the later page wins), start_ms < time_ms <= end_ms."""
    time_ms = np.concatenate([np.empty(0, dtype=np.int64), *(page.time_ms for page in pages)])
    coins = np.concatenate([np.empty(0, dtype=np.float64), *(page.coins for page in pages)])
    keep = _last_of_each(time_ms)
    keep = keep[(time_ms[keep] > start_ms) & (time_ms[keep] <= end_ms)]
    return OpenInterest(time_ms[keep], coins[keep])


def parse_open_interest_now(payload: object, bad: BadRows) -> OpenInterest:
    """/fapi/v1/openInterest as one row; zero (a contract that settles) or nonsense gives no row."""
    if not isinstance(payload, dict):
        raise _wrong_shape("openInterest", "an object")
    row = {"timestamp": payload.get("time"), "sumOpenInterest": payload.get("openInterest")}
    return parse_open_interest_history([row], bad)


def parse_mark_prices(payload: object, bad: BadRows) -> Tick:
    """/fapi/v1/premiumIndex of all symbols (or of one, which comes without a list)."""
    symbols: list[str] = []
    times: list[int] = []
    prices: list[float] = []
    for row in _rows([payload] if isinstance(payload, dict) else payload, "premiumIndex"):
        if not isinstance(row, dict) or not isinstance(row.get("symbol"), str):
            bad.drop("mark prices", "no symbol")
            continue
        time_ms, price = milliseconds(row.get("time")), number(row.get("markPrice"))
        if time_ms is None or not price > 0:
            bad.drop("mark prices", "no time or no positive price")
            continue
        symbols.append(row["symbol"])
        times.append(time_ms)
        prices.append(price)
    return Tick(EXCHANGE, tuple(symbols), np.array(times, dtype=np.int64), np.array(prices, dtype=np.float64))


def parse_volumes(payload: object, bad: BadRows) -> dict[str, float]:
    """Quote volume (USDT) of the last 24 h by symbol, from /fapi/v1/ticker/24hr."""
    volumes: dict[str, float] = {}
    for row in _rows([payload] if isinstance(payload, dict) else payload, "ticker/24hr"):
        symbol = row.get("symbol") if isinstance(row, dict) else None
        volume = number(row.get("quoteVolume")) if isinstance(row, dict) else float("nan")
        if isinstance(symbol, str) and volume >= 0:
            volumes[symbol] = volume
        else:
            bad.drop("volumes", "no symbol or no number")
    return volumes


def parse_server_time(payload: object) -> int:
    """The server's clock, ms UTC, from /fapi/v1/time."""
    time_ms = milliseconds(payload.get("serverTime")) if isinstance(payload, dict) else None
    if time_ms is None:
        raise _wrong_shape("time", "an object with serverTime")
    return time_ms


def _rows(payload: object, what: str) -> Iterable[object]:
    if not isinstance(payload, list):
        raise _wrong_shape(what, "a list")
    return payload


def _wrong_shape(what: str, expected: str) -> ExchangeUnavailableError:
    return ExchangeUnavailableError(f"Binance answered {what} in a shape this program does not know (not {expected}).")


def _last_of_each(times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Indices that sort `times` ascending, with the last occurrence of each value."""
    _, from_the_end = np.unique(times[::-1], return_index=True)
    return len(times) - 1 - from_the_end
