"""Swing highs and lows, and the support and resistance that they make where several lie together.

A swing is a turn of the zigzag: an extreme of hourly bars from which price has since come back by three average true
ranges (the filter rule of S. S. Alexander, *Price Movements in Speculative Markets*, 1961, with J. W. Wilder's range,
1978, as its size). Williams' fractals, an extreme between two bars on either side, find a turn every few bars in calm
and in storm alike; the zigzag asks each market for a move that is large for it, and its last turn is told only once it
is one: nothing is known before its time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from bot.liquidation.types import History

HOUR_MS = 3_600_000
RANGE_HOURS = 14
REVERSAL_RANGES = 3.0


@dataclass(frozen=True, slots=True)
class Swing:
    """A turn: the extreme `price` of the hour that began at `time_ms`, a high or a low."""

    time_ms: int
    price: float
    is_high: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """Swings that lie together: `price` is their mean, `highs` and `lows` are how often price turned there."""

    price: float
    highs: int
    lows: int

    @property
    def touches(self) -> int:
        return self.highs + self.lows


def swings_of(history: History) -> tuple[Swing, ...]:
    """The confirmed turns, in order of time, highs and lows by turns; at least a day of bars says anything."""
    hours = history.open_ms // HOUR_MS
    begins = np.flatnonzero(np.diff(hours, prepend=hours[:1] - 1))
    if len(begins) <= RANGE_HOURS:
        return ()
    times = (hours[begins] * HOUR_MS).tolist()
    high, low = np.maximum.reduceat(history.high, begins), np.minimum.reduceat(history.low, begins)
    close = history.close[np.append(begins[1:], len(history)) - 1]
    return _turns(times, np.log(high).tolist(), np.log(low).tolist(), np.log(close).tolist())


def _turns(times: Sequence[int], highs: list[float], lows: list[float], closes: list[float]) -> tuple[Swing, ...]:
    """The zigzag over hours, in log prices."""
    found: list[Swing] = []
    spread = sum(high - low for high, low in zip(highs[:RANGE_HOURS], lows[:RANGE_HOURS], strict=True)) / RANGE_HOURS
    top = bottom = 0
    rising: bool | None = None  # not known before the first move that is large enough
    for hour in range(1, len(times)):
        high, low, before = highs[hour], lows[hour], closes[hour - 1]
        spread += (max(high, before) - min(low, before) - spread) / RANGE_HOURS
        enough = REVERSAL_RANGES * spread
        if rising is not False and high >= highs[top]:
            top = hour
        elif rising is not False and highs[top] - low >= enough:
            found.append(Swing(times[top], float(np.exp(highs[top])), True))
            rising, bottom = False, hour
            continue
        if rising is not True and low <= lows[bottom]:
            bottom = hour
        elif rising is not True and high - lows[bottom] >= enough:
            found.append(Swing(times[bottom], float(np.exp(lows[bottom])), False))
            rising, top = True, hour
    # What price came from before the first hour is not known: that hour is no turn.
    return tuple(swing for swing in found if swing.time_ms != times[0])


def shelves_of(swings: Iterable[Swing], *, width: float) -> tuple[Shelf, ...]:
    """The swings gathered into levels no wider than `width` in log price, ascending: a lone swing is one as well."""
    groups: list[list[Swing]] = []
    for swing in sorted(swings, key=lambda one: (one.price, one.time_ms)):
        if groups and log(swing.price / groups[-1][0].price) <= width:
            groups[-1].append(swing)
        else:
            groups.append([swing])
    return tuple(
        Shelf(
            price=sum(one.price for one in group) / len(group),
            highs=sum(one.is_high for one in group),
            lows=sum(not one.is_high for one in group),
        )
        for group in groups
    )
