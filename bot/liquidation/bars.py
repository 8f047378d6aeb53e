"""Bars as the position model reads them: checked, on the log-price grid, with the spread of entries over each bar."""

from dataclasses import dataclass
from math import isfinite, isnan, nan

import numpy as np

from bot.liquidation.grid import log_cells
from bot.liquidation.types import Floats, History, Ints

LEAST_DENSITY = 0.25
PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One closed bar and the open interest at its end, in the units of History; NaN where a figure is unknown."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float = nan
    open_interest: float = nan


@dataclass(frozen=True, slots=True)
class Path:
    """Bars on the grid, shape (n,) each: cells of high, low and close, and `traded`, the log price in cells (not
    rounded) around which a bar's entries gather; `span` is the bar's height in cells, at least 1."""

    high: Ints
    low: Ints
    close: Ints
    traded: Floats
    span: Floats

    def rows(self, first: int, end: int) -> "Path":
        """The bars from row `first` up to, not including, row `end`."""
        return Path(*(getattr(self, name)[first:end] for name in Path.__dataclass_fields__))


def check_history(history: History) -> None:
    """Raise ValueError, naming the first bad bar, unless `history` is as its docstring says."""
    count = len(history.open_ms)
    if count == 0:
        raise ValueError("the history holds no bar")
    if history.bar_ms <= 0:
        raise ValueError(f"bar_ms must be positive, not {history.bar_ms}")
    names = ("open_ms", "open", "high", "low", "close", "volume", "quote_volume", "open_interest")
    for name in names:
        shape = np.shape(getattr(history, name))
        if shape != (count,):
            raise ValueError(f"{name} must have the shape ({count},), not {shape}")
    _refuse(np.diff(history.open_ms, prepend=history.open_ms[0] - 1) <= 0, "is not later than the bar before it")
    for name in names[1:5]:
        price = getattr(history, name)
        _refuse(~(np.isfinite(price) & (price > 0)), f"has a {name} that is not a positive number")
    _refuse(history.high < history.low, "has its high below its low")
    body_low, body_high = np.minimum(history.open, history.close), np.maximum(history.open, history.close)
    _refuse((body_low < history.low) | (body_high > history.high), "opens or closes outside its low and high")
    _refuse(~(np.isfinite(history.volume) & (history.volume >= 0)), "has a volume that is not a number of at least 0")
    for name in ("quote_volume", "open_interest"):
        figure = getattr(history, name)
        _refuse(np.isinf(figure) | (figure < 0), f"has a negative or infinite {name}")


def _refuse(bad: np.ndarray, why: str) -> None:
    if bad.any():
        raise ValueError(f"bar {int(np.argmax(bad))} {why}")


def check_bar(bar: Bar, *, after_ms: int) -> None:
    """Raise ValueError unless `bar` could be the next row of a history whose last bar opened at `after_ms`."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    if bar.open_ms <= after_ms:
        why = "is not later than the bar before it"
    elif not all(isfinite(price) and price > 0 for price in prices):
        why = "has a price that is not a positive number"
    elif bar.high < bar.low:
        why = "has its high below its low"
    elif min(bar.open, bar.close) < bar.low or max(bar.open, bar.close) > bar.high:
        why = "opens or closes outside its low and high"
    elif not (isfinite(bar.volume) and bar.volume >= 0):
        why = "has a volume that is not a number of at least 0"
    elif not all(isnan(figure) or 0 <= figure < np.inf for figure in (bar.quote_volume, bar.open_interest)):
        why = "has a negative or infinite quote volume or open interest"
    else:
        return
    raise ValueError(f"the bar of {bar.open_ms} ms {why}")


def history_of(bar: Bar, bar_ms: int) -> History:
    """A single bar as a history."""
    figures = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.open_interest)
    return History(bar_ms, np.array([bar.open_ms]), *np.array(figures, dtype=np.float64)[:, None])


def path_of(high: Floats, low: Floats, close: Floats, volume: Floats, quote_volume: Floats) -> Path:
    """Put bars on the grid; arrays of shape (n,).

    Entries gather around the mean traded price where quote volume gives one inside the bar, else around the
    bar's typical price (high + low + 2 close) / 4.
    """
    typical = (high + low + 2.0 * close) / 4.0
    mean = quote_volume / np.where(volume > 0, volume, np.nan)
    inside = (mean >= low) & (mean <= high)
    count = len(high)
    cells = log_cells(np.concatenate((high, low, close, np.where(inside, mean, typical))))
    whole = np.floor(cells[: 3 * count]).astype(np.int64)
    return Path(
        high=whole[:count],
        low=whole[count : 2 * count],
        close=whole[2 * count :],
        traded=cells[3 * count :],
        span=np.maximum(cells[:count] - cells[count : 2 * count], 1.0),
    )


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of contiguous bars as pairs of a bar and a cell, ordered by bar: shapes (p,)."""

    bar: Ints
    cell: Ints
    share: Floats


def entry_pairs(path: Path, first: int, end: int) -> Entries:
    """The pairs of bars first <= t < end, each bar's shares as `entry_density` gives them."""
    low = path.low[first:end]
    counts = path.high[first:end] - low + 1
    starts = np.cumsum(counts) - counts
    bar = np.repeat(np.arange(end - first), counts)
    cell = np.arange(len(bar)) + (low - starts)[bar]
    distance = np.abs(cell + 0.5 - path.traded[first:end][bar])
    density = np.maximum(LEAST_DENSITY, 1.0 - distance / path.span[first:end][bar])
    share = density / np.add.reduceat(density, starts)[bar]
    return Entries(bar + first, cell, share)
