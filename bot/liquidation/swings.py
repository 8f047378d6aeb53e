"""Swing highs and lows, and the support and resistance that they make where several lie together.

A swing is a turn of the zigzag: an extreme of hourly bars from which price has since come back by three average true
ranges (the filter rule of S. S. Alexander, *Price Movements in Speculative Markets*, 1961, with J. W. Wilder's range,
1978, as its size). Williams' fractals, an extreme between two bars on either side, find a turn every few bars in calm
and in storm alike; the zigzag asks each market for a move that is large for it, and its last turn is told only once it
is one: nothing is known before its time.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from bot.liquidation.types import Floats, History, Ints

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
    return Swings(history).known(0, len(history))


class Swings:
    """The turns of one history as they were known after any of its bars. Asked in order, it looks at each hour once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._hour_ms = history.open_ms // HOUR_MS * HOUR_MS
        begins = np.flatnonzero(np.diff(self._hour_ms, prepend=self._hour_ms[:1] - 1))
        self._begins: list[int] = begins.tolist()
        self._hours = _hours(
            self._hour_ms[begins],
            np.maximum.reduceat(history.high, begins),
            np.minimum.reduceat(history.low, begins),
            history.close[begins - 1],
        )
        self._zigzag: _Zigzag | None = None
        self._first = self._next = 0

    def known(self, first: int, end: int) -> tuple[Swing, ...]:
        """What the bars from row `first` up to, not including, row `end` tell: the same as `swings_of` them alone."""
        begun, running = bisect_right(self._begins, first) - 1, bisect_right(self._begins, end - 1) - 1
        if running - begun < RANGE_HOURS:
            return ()
        if self._zigzag is None or first != self._first or running < self._next:
            self._zigzag = _begun([self._part(begun, first, end), *self._hours[begun + 1 : begun + RANGE_HOURS]])
            self._first, self._next = first, begun + 1
        self._zigzag = _followed(self._zigzag, self._hours[self._next : running])
        self._next = running
        # The last hour may not be over: what it tells by now is not what it will have told.
        return _followed(self._zigzag, [self._part(running, first, end)]).found

    def _part(self, hour: int, first: int, end: int) -> "_Hour":
        """An hour, of its bars from row `first` up to `end` alone."""
        begin, after = self._begins[hour], self._begins[hour + 1 : hour + 2]
        rows = slice(max(begin, first), min([end, *after]))
        high, low = max(self._history.high[rows].tolist()), min(self._history.low[rows].tolist())
        log_high, log_low, log_before = np.log((high, low, self._history.close[begin - 1])).tolist()
        return _Hour(int(self._hour_ms[begin]), log_high, log_low, max(log_high, log_before) - min(log_low, log_before))


class _Hour(NamedTuple):
    """When it began; its extremes and its true range in log prices."""

    time_ms: int
    high: float
    low: float
    true_range: float


def _hours(time_ms: Ints, high: Floats, low: Floats, before: Floats) -> list[_Hour]:
    """Hours by their extremes and the closes before them, (n,) each."""
    high, low, before = np.log(high), np.log(low), np.log(before)
    true_range = np.maximum(high, before) - np.minimum(low, before)
    return list(map(_Hour, time_ms.tolist(), high.tolist(), low.tolist(), true_range.tolist()))


class _Zigzag(NamedTuple):
    """The zigzag through the hours so far: the turns that it `found`, the usual range of an hour, the extremes since
    the last turn, and whether it goes up; None before the first move that is large enough.
    """

    found: tuple[Swing, ...]
    spread: float
    top: _Hour
    bottom: _Hour
    rising: bool | None
    start_ms: int


def _begun(hours: Sequence[_Hour]) -> _Zigzag:
    """A zigzag that stands in the first of RANGE_HOURS hours, and knows their usual range."""
    spread = sum(hour.high - hour.low for hour in hours) / RANGE_HOURS
    return _Zigzag((), spread, hours[0], hours[0], None, hours[0].time_ms)


def _followed(zigzag: _Zigzag, hours: Iterable[_Hour]) -> _Zigzag:
    """The zigzag gone on through the next hours."""
    found, spread, top, bottom, rising, start_ms = zigzag
    for hour in hours:
        _, high, low, true_range = hour
        spread += (true_range - spread) / RANGE_HOURS
        enough = REVERSAL_RANGES * spread
        if rising is not False:
            if high >= top.high:
                top = hour
            elif top.high - low >= enough:
                found += _turn(top.time_ms, top.high, start_ms, is_high=True)
                rising, bottom = False, hour
                continue
        if rising is not True:
            if low <= bottom.low:
                bottom = hour
            elif high - bottom.low >= enough:
                found += _turn(bottom.time_ms, bottom.low, start_ms, is_high=False)
                rising, top = True, hour
    return _Zigzag(found, spread, top, bottom, rising, start_ms)


def _turn(time_ms: int, log_price: float, start_ms: int, *, is_high: bool) -> tuple[Swing, ...]:
    """The turn of an hour. What price came from before the first hour is not known: that hour is none."""
    return () if time_ms == start_ms else (Swing(time_ms, float(np.exp(log_price)), is_high),)


def shelves_of(swings: Iterable[Swing], *, width: float, least_touches: int = 1) -> tuple[Shelf, ...]:
    """The swings gathered into levels no wider than `width` in log price, ascending: those of so many touches."""
    groups: list[list[Swing]] = []
    for swing in sorted(swings, key=attrgetter("price", "time_ms")):
        if groups and log(swing.price / groups[-1][0].price) <= width:
            groups[-1].append(swing)
        else:
            groups.append([swing])
    return tuple([_shelf(group) for group in groups if len(group) >= least_touches])


def _shelf(group: Sequence[Swing]) -> Shelf:
    highs = sum([one.is_high for one in group])
    return Shelf(sum([one.price for one in group]) / len(group), highs, len(group) - highs)
