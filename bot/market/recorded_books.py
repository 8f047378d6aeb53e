"""Recorded order books: rows of a time, a side, a price and a size, all rows of one moment together."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.market.columns import FIRST_ROW_LINE, RecordingError, read_columns
from bot.market.types import Depth, Floats, Ints

DEPTH_COLUMNS: Final = ("time_ms", "side", "price", "quantity")
BID, ASK = "bid", "ask"


def read_books(path: Path) -> tuple[Depth, ...]:
    """The books of a file by ascending time, each side best first whatever the order of its rows; none without a file.

    Raises RecordingError.
    """
    if not path.exists():
        return ()
    table = read_columns(path, DEPTH_COLUMNS, text=("side",))
    times, price, coins = table.whole("time_ms"), table.number("price"), table.number("quantity")
    steps = np.diff(times, prepend=times[:1])
    table.refuse(steps < 0, lambda row: f"time_ms {times[row]} is before the line above")
    table.refuse(price <= 0, lambda row: f"price {price[row]!s} is not above zero")
    table.refuse(coins <= 0, lambda row: f"quantity {coins[row]!s} is not above zero")
    sides = np.array(table.texts["side"], dtype=np.str_)
    table.refuse((sides != BID) & (sides != ASK), lambda row: f"side is {str(sides[row])[:40]}, not {BID} or {ASK}")
    begins = [0, *np.flatnonzero(steps > 0).tolist()] if table.rows else []
    spans = [slice(begin, end) for begin, end in zip(begins, [*begins[1:], table.rows], strict=True)] if begins else []
    return tuple(_book(path, rows.start, times[rows], sides[rows] == BID, price[rows], coins[rows]) for rows in spans)


def _book(path: Path, row: int, times: Ints, bids: NDArray[np.bool_], price: Floats, coins: Floats) -> Depth:
    """The book of one moment, whose rows begin at `row`."""
    if not bids.any() or bids.all() or price[bids].max() >= price[~bids].min():
        raise RecordingError(path, "the best bid must lie below the best ask", line=row + FIRST_ROW_LINE)
    down = np.flatnonzero(bids)[np.argsort(-price[bids])]
    up = np.flatnonzero(~bids)[np.argsort(price[~bids])]
    return Depth(int(times[0]), price[down], coins[down], price[up], coins[up])


def newest_book(books: tuple[Depth, ...], now_ms: int, *, within_ms: int) -> Depth | None:
    """The last book told by `now_ms`, if that is not longer ago than `within_ms`."""
    told = [book for book in books if now_ms - within_ms <= book.time_ms <= now_ms]
    return told[-1] if told else None
