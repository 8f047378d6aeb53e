"""What the science takes and gives: history in, a map and its clusters out."""

from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OpenInterestSource = Literal["measured", "estimated"]


class Side(StrEnum):
    """The side that would be liquidated: longs below price, shorts above."""

    LONG = "long"
    SHORT = "short"


class MapLimit(StrEnum):
    """What a map had to do without, or make do with."""

    VOLUME_MODEL = "volume_model"
    """Open interest was never known: flow and totals rest on volume alone."""
    STALE_OPEN_INTEREST = "stale_open_interest"
    """Open interest was known once, but is missing or stuck for hours now; volume carries it on."""
    SPARSE_OPEN_INTEREST = "sparse_open_interest"
    """Open interest moves less often than the bars, as with hourly samples; volume bridges it."""
    COARSE_BARS = "coarse_bars"
    """Bars are longer than five minutes."""
    GAPS = "gaps"
    """Bars are missing inside the history."""
    SHORT_HISTORY = "short_history"
    """Less than a week of bars: older positions are a guess around the first price."""


@dataclass(frozen=True, slots=True)
class History:
    """Closed bars of one contract with the open interest at each bar's end, as a struct of arrays.

    Every array has shape (n,); `open_ms` is int64, strictly ascending, a multiple of `bar_ms`; a gap is a missing
    row. Prices are in quote currency, volume and open interest in coins (one side). NaN in `open_interest`
    means unknown; NaN in `quote_volume` likewise.
    """

    bar_ms: int
    open_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote_volume: Floats
    open_interest: Floats

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def end_ms(self) -> int:
        """The close time of the last bar."""
        return int(self.open_ms[-1]) + self.bar_ms

    def rows(self, first: int, end: int) -> "History":
        """The bars from row `first` up to, not including, row `end`."""
        return History(self.bar_ms, *(getattr(self, name)[first:end] for name in COLUMNS))

    def within(self, start_ms: int | None, end_ms: int | None) -> "History":
        """The bars that open at `start_ms` or later and are closed by `end_ms`; None is no bound."""
        first = 0 if start_ms is None else int(np.searchsorted(self.open_ms, start_ms))
        end = len(self) if end_ms is None else int(np.searchsorted(self.open_ms, end_ms - self.bar_ms, side="right"))
        return self.rows(first, end)


COLUMNS = tuple(History.__dataclass_fields__)[1:]
"""The names of a history's arrays, in order."""


@dataclass(frozen=True, slots=True)
class LiquidationMap:
    """Estimated open positions by the price at which they would be liquidated.

    `low`, `high` (n,) are the edges of contiguous ascending bins in quote currency, `long_usd`, `short_usd` (n,) the
    notional that stands in each bin. `long_total_usd` and `short_total_usd` are the whole side's, beyond the
    window too: the open interest's notional where that is measured. `limits` names what the map had to do without.
    """

    time_ms: int
    price: float
    low: Floats
    high: Floats
    long_usd: Floats
    short_usd: Floats
    long_total_usd: float
    short_total_usd: float
    open_interest: OpenInterestSource
    limits: tuple[MapLimit, ...] = ()


class Feature(StrEnum):
    """What else may stand where a cluster stands (see `confluence`)."""

    VOLUME_NODE = "volume_node"
    SWING_LOW = "swing_low"
    SWING_HIGH = "swing_high"
    WALL = "wall"


class Mark(NamedTuple):
    """A feature at a cluster's near edge: its price, and how often price turned there (swings; else 1)."""

    feature: Feature
    price: float
    times: int = 1


class Cluster(Struct, frozen=True, gc=False):
    """A dense zone of the map: one body on one side of the price.

    `low`, `high`, `peak` are prices, `peak` the middle of the body's densest bin; `usd` is the notional standing in the
    body, `share` that notional over the side's total, `strength` 0 to 100. `expected_usd` and `expected_high_usd` are
    what a sweep is expected to print and the upper end of its band; None where that is not proven for this feed.
    `confluence` is what else stands at its near edge, where that was asked; it makes no other body of it.
    """

    side: Side
    low: float
    high: float
    peak: float
    usd: float
    share: float
    strength: int
    expected_usd: float | None = None
    expected_high_usd: float | None = None
    confluence: tuple[Mark, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cluster) and _body(self) == _body(other)

    def __hash__(self) -> int:
        return hash(_body(self))


_body = attrgetter(*(name for name in Cluster.__struct_fields__ if name != "confluence"))
