"""Long/short ratios and order books out of an answer's rows: what cannot be true is dropped and counted."""

from collections.abc import Iterable, Sequence

import numpy as np

from bot.market.bad_rows import BadRows, milliseconds
from bot.market.exchange import ExchangeUnavailableError, NotGivenError
from bot.market.rows import last_of_each
from bot.market.types import Crowd, Depth, Floats, LongShortRatios

_ROUNDING = 0.001
"""Venues round each share to four decimals."""


def share_of(long: float, short: float) -> float:
    """The share that is long; NaN where the two shares do not make a whole."""
    return long if abs(long + short - 1) <= _ROUNDING else float("nan")


def share_of_ratio(ratio: float) -> float:
    """The share that is long where the venue tells longs over shorts."""
    return ratio / (1 + ratio) if ratio > 0 else float("nan")


def ratios_of(rows: Iterable[tuple[int | None, float]], *, bad: BadRows) -> LongShortRatios:
    """Ratios out of (time ms, long share), oldest first."""
    times: list[int] = []
    shares: list[float] = []
    for time_ms, share in rows:
        if time_ms is None:
            bad.drop("long/short ratios", "no time")
        elif not 0 < share < 1:
            bad.drop("long/short ratios", "no share, or two that do not make a whole")
        elif times and time_ms <= times[-1]:
            bad.drop("long/short ratios", "out of order")
        else:
            times.append(time_ms)
            shares.append(share)
    return LongShortRatios(np.array(times, dtype=np.int64), np.array(shares, dtype=np.float64))


def join_ratios(pages: Sequence[LongShortRatios], *, start_ms: int, end_ms: int) -> LongShortRatios:
    """Pages as one, in order, each time once (the later page wins), start_ms < time_ms <= end_ms."""
    time_ms = np.concatenate([np.empty(0, dtype=np.int64), *(page.time_ms for page in pages)])
    share = np.concatenate([np.empty(0, dtype=np.float64), *(page.long_share for page in pages)])
    keep = last_of_each(time_ms)
    keep = keep[(time_ms[keep] > start_ms) & (time_ms[keep] <= end_ms)]
    return LongShortRatios(time_ms[keep], share[keep])


def not_given(venue: str, crowd: Crowd) -> NotGivenError:
    """The error of a ratio that the venue does not publish."""
    return NotGivenError(f"{venue} publishes no long/short ratio of {crowd}.")


def depth_of(
    time: object,
    bids: Iterable[tuple[float, float]],
    asks: Iterable[tuple[float, float]],
    *,
    venue: str,
    levels: int,
    bad: BadRows,
) -> Depth:
    """A book out of (price, coins) a side, best first. Raises ExchangeUnavailableError where it is none."""
    time_ms = milliseconds(time)
    bid_price, bid_coins = _side(bids, falling=True, levels=levels, bad=bad)
    ask_price, ask_coins = _side(asks, falling=False, levels=levels, bad=bad)
    if time_ms is None:
        raise ExchangeUnavailableError(f"{venue} gave an order book without a time.")
    if len(bid_price) and len(ask_price) and bid_price[0] >= ask_price[0]:
        raise ExchangeUnavailableError(f"{venue} gave an order book whose best bid is not below its best ask.")
    return Depth(time_ms, bid_price, bid_coins, ask_price, ask_coins)


def _side(rows: Iterable[tuple[float, float]], *, falling: bool, levels: int, bad: BadRows) -> tuple[Floats, Floats]:
    prices: list[float] = []
    coins: list[float] = []
    for price, size in rows:
        if not (price > 0 and size > 0):
            bad.drop("order book", "a price or size that is not a positive number")
        elif prices and (price >= prices[-1] if falling else price <= prices[-1]):
            bad.drop("order book", "out of order")
        elif len(prices) < levels:
            prices.append(price)
            coins.append(size)
    return np.array(prices, dtype=np.float64), np.array(coins, dtype=np.float64)


def with_farther(finest: Depth, *coarser: Depth) -> Depth:
    """A book, and beyond its last orders those of the same book told in coarser steps: what is counted counts once."""
    bid_price, bid_coins = finest.bid_price, finest.bid_coins
    ask_price, ask_coins = finest.ask_price, finest.ask_coins
    for book in coarser:
        bid_price, bid_coins = _farther(bid_price, bid_coins, book.bid_price, book.bid_coins, falling=True)
        ask_price, ask_coins = _farther(ask_price, ask_coins, book.ask_price, book.ask_coins, falling=False)
    return Depth(finest.time_ms, bid_price, bid_coins, ask_price, ask_coins)


def _farther(price: Floats, coins: Floats, step: Floats, sums: Floats, *, falling: bool) -> tuple[Floats, Floats]:
    """The levels of one side, and those of the coarser one that lie beyond with what they have over the known ones."""
    known = float(coins.sum())
    over = np.diff(np.maximum(sums.cumsum(), known), prepend=known)
    edge = float(price[-1]) if len(price) else float("inf" if falling else "-inf")
    new = ((step < edge) if falling else (step > edge)) & (over > 0)
    return np.concatenate((price, step[new])), np.concatenate((coins, over[new]))
