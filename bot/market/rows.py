"""Rows of an answer into arrays: what is missing or impossible is dropped and counted, never guessed.

Venues differ in names and order; what a sound row is does not.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bot.market.bad_rows import BadRows
from bot.market.exchange import ExchangeUnavailableError
from bot.market.types import BAR_MS, Bars, Ints, OpenInterest, Tick

UNPUBLISHED = None
"""A column that a venue does not have: NaN in the arrays, and no fault."""


class BarRow(NamedTuple):
    """One bar as read; NaN where a number was expected and none came."""

    open_ms: int | None
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float | None = UNPUBLISHED
    taker_buy_volume: float | None = UNPUBLISHED


def bars_of(rows: Iterable[BarRow | None], *, now_ms: int, bad: BadRows) -> Bars:
    """The closed bars out of `rows`, which come oldest first (None: a row too short to read).

    A bar still open at `now_ms`, by the venue's clock, is left out without a complaint.
    """
    times: list[int] = []
    values: list[tuple[float, ...]] = []
    for row in rows:
        if row is None:
            bad.drop("bars", "short row")
            continue
        if row.open_ms is None or row.open_ms % BAR_MS:
            bad.drop("bars", "no time on the 5-minute grid")
            continue
        if row.open_ms + BAR_MS > now_ms:
            continue
        fault = _bar_fault(row)
        if fault is None and times and row.open_ms <= times[-1]:
            fault = "out of order"
        if fault is not None:
            bad.drop("bars", fault)
            continue
        times.append(row.open_ms)
        values.append(tuple(math.nan if value is UNPUBLISHED else value for value in row[1:]))
    columns = np.array(values, dtype=np.float64).reshape(len(values), len(BarRow._fields) - 1).T
    return Bars(np.array(times, dtype=np.int64), *(np.ascontiguousarray(column) for column in columns))


def _bar_fault(row: BarRow) -> str | None:
    """Why a bar cannot be true, or None. NaN fails every comparison, so each test is written as what must hold."""
    if not (row.open > 0 and row.high > 0 and row.low > 0 and row.close > 0):
        return "a price that is not a positive number"
    if not row.high >= row.low:
        return "high below low"
    if not (row.low <= row.open <= row.high and row.low <= row.close <= row.high):
        return "open or close outside high and low"
    if not all(value is UNPUBLISHED or value >= 0 for value in row[5:]):
        return "a volume that is not a number"
    if row.taker_buy_volume is not UNPUBLISHED and not row.taker_buy_volume <= row.volume * (1 + 1e-9):
        return "taker volume above the whole"
    return None


def samples_of(rows: Iterable[tuple[int | None, float]], *, bad: BadRows) -> OpenInterest:
    """Open interest out of (time ms, coins), oldest first."""
    times: list[int] = []
    coins: list[float] = []
    for time_ms, amount in rows:
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


def tick_of(exchange: str, rows: Iterable[tuple[object, int | None, float]], *, bad: BadRows) -> Tick:
    """A tick out of (symbol, time ms, price)."""
    symbols: list[str] = []
    times: list[int] = []
    prices: list[float] = []
    for symbol, time_ms, price in rows:
        if not isinstance(symbol, str):
            bad.drop("mark prices", "no symbol")
        elif time_ms is None or not price > 0:
            bad.drop("mark prices", "no time or no positive price")
        else:
            symbols.append(symbol)
            times.append(time_ms)
            prices.append(price)
    return Tick(exchange, tuple(symbols), np.array(times, dtype=np.int64), np.array(prices, dtype=np.float64))


def join_bars(pages: Sequence[Bars], *, start_ms: int, end_ms: int) -> Bars:
    """Pages as one, in order, each open time once (the later page wins), start_ms <= open_ms < end_ms; gaps stay."""
    columns = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
    none = [np.empty(0, dtype=np.float64)]
    open_ms = np.concatenate([np.empty(0, dtype=np.int64), *(page.open_ms for page in pages)])
    keep = last_of_each(open_ms)
    keep = keep[(open_ms[keep] >= start_ms) & (open_ms[keep] < end_ms)]
    return Bars(
        open_ms[keep], *(np.concatenate([*none, *(getattr(page, name) for page in pages)])[keep] for name in columns)
    )


def join_open_interest(pages: Sequence[OpenInterest], *, start_ms: int, end_ms: int) -> OpenInterest:
    """Pages as one, in order, each time once (the later page wins), start_ms < time_ms <= end_ms."""
    time_ms = np.concatenate([np.empty(0, dtype=np.int64), *(page.time_ms for page in pages)])
    coins = np.concatenate([np.empty(0, dtype=np.float64), *(page.coins for page in pages)])
    keep = last_of_each(time_ms)
    keep = keep[(time_ms[keep] > start_ms) & (time_ms[keep] <= end_ms)]
    return OpenInterest(time_ms[keep], coins[keep])


def rows_of(payload: object, what: str, venue: str) -> list[object]:
    """The payload as a list of rows. Raises ExchangeUnavailableError where it is none."""
    if not isinstance(payload, list):
        raise wrong_shape(venue, what, "a list")
    return payload


def wrong_shape(venue: str, what: str, expected: str) -> ExchangeUnavailableError:
    """The error of an answer that is not `expected`."""
    return ExchangeUnavailableError(f"{venue} answered {what} in a shape this program does not know (not {expected}).")


def last_of_each(times: Ints) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Indices that sort `times` ascending, with the last occurrence of each value."""
    _, from_the_end = np.unique(times[::-1], return_index=True)
    return len(times) - 1 - from_the_end
