"""Volume by price: where a market has traded most, and where it comes back to.

The Market Profile of J. P. Steidlmayer (*Steidlmayer on Markets*, 1989; J. F. Dalton, *Mind over Markets*, 1990), with
traded volume in the place of time. Its words: the *point of control* is the price of most volume; the *value area*
holds 70 % of it and is grown from there, each time by the busier of the two neighbouring pairs of rows; a *high-volume
node* is a local maximum. A maximum counts where it stands out: by its topographic prominence, its height above the
higher of the valleys that part it from higher ground.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from bot.liquidation.grid import CELL, cells_of, edges
from bot.liquidation.types import Floats, History

VALUE_SHARE = 0.7
PROMINENCE = 0.2
"""Of the point of control's volume: what stands out less is a ripple on a hill."""
KERNEL_REACH = 3.5  # in standard deviations
ROWS_AT_ONCE = 2


@dataclass(frozen=True)
class VolumeProfile:
    """`volume` (n,) is the smoothed traded notional of the grid's cells from `first` on, in quote currency."""

    first: int
    volume: Floats

    @cached_property
    def nodes(self) -> tuple[float, ...]:
        """The prices of the high-volume nodes, ascending, the point of control among them."""
        nodes = _nodes(self.volume, least=PROMINENCE * float(self.volume.max()))
        return _middles(self.first, len(self.volume), nodes)

    def nodes_near(self, price: float, within: float) -> list[float]:
        """Those of the nodes that are at most so far from a price, in log price: most prices have no maximum near."""
        cell, reach = math.floor(math.log(price) / CELL) - self.first, math.ceil(within / CELL) + 1
        begin, end = max(0, cell - reach), min(len(self.volume), cell + reach + 1)
        if begin >= end:
            return []
        before = 0.0 if begin == 0 else self.volume.item(begin - 1)
        ground = self.volume[begin : end + 1].tolist()
        if end == len(self.volume):
            ground.append(0.0)
        for here, after in pairwise(ground):
            if before < here >= after:
                return [node for node in self.nodes if abs(math.log(node / price)) <= within]
            before = here
        return []

    @property
    def point_of_control(self) -> float:
        """The middle of its cell."""
        (price,) = _middles(self.first, len(self.volume), [int(self.volume.argmax())])
        return price

    @property
    def value_area(self) -> tuple[float, float]:
        """The lowest and the highest price of the value area."""
        bottom, top = _value_area(self.volume.tolist(), int(self.volume.argmax()))
        bounds = edges(self.first, len(self.volume))
        return float(bounds[bottom]), float(bounds[top + 1])


def profile_of(history: History, *, blur: float) -> VolumeProfile | None:
    """The profile of a history, smoothed with a standard deviation of `blur` in log price; None where nothing was
    traded.
    """
    return VolumeProfiles(history).known(0, len(history), blur=blur)


class VolumeProfiles:
    """The profiles of one history as they were known after any of its bars. Asked in order, it takes each bar once."""

    def __init__(self, history: History) -> None:
        low, high = cells_of(history.low), cells_of(history.high)
        # A bar's volume is spread evenly from its low to its high: what it traded where is not known.
        self._each = history.volume * history.close / (high - low + 1)
        self._lowest = int(low.min())
        self._low, self._after = low - self._lowest, high - self._lowest + 1
        self._begun, self._ended = np.zeros((2, int(self._after.max()) + 1))
        self._begins, self._ends = len(self._begun), 0
        self._first = self._next = 0

    def known(self, first: int, end: int, *, blur: float) -> VolumeProfile | None:
        """What the bars from row `first` up to, not including, row `end` tell: the same as `profile_of` them alone."""
        self._take(first, end)
        cells = slice(self._begins, self._ends)
        # What is added and taken away again leaves a rounding error behind.
        volume = _smoothed(np.maximum((self._begun[cells] - self._ended[cells]).cumsum(), 0.0), blur)
        return VolumeProfile(self._lowest + self._begins, volume) if volume.any() else None

    def _take(self, first: int, end: int) -> None:
        """Have what begins and ends to be traded in each cell be that of these bars, added in their order."""
        if first != self._first or end < self._next:
            self._begun[:] = self._ended[:] = 0.0
            self._begins, self._ends, self._first, self._next = len(self._begun), 0, first, first
        if self._next < end:
            late = slice(self._next, end)
            low, after, each = self._low[late], self._after[late], self._each[late]
            np.add.at(self._begun, low, each)
            np.add.at(self._ended, after, each)
            self._begins, self._ends = min(self._begins, int(low.min())), max(self._ends, int(after.max()))
            self._next = end


def _middles(first: int, count: int, cells: Sequence[int]) -> tuple[float, ...]:
    """The middle prices of some of a profile's cells."""
    bounds = edges(first, count)
    return tuple(math.sqrt(bounds[cell] * bounds[cell + 1]) for cell in cells)


def _smoothed(traded: Floats, blur: float) -> Floats:
    reach = math.ceil(KERNEL_REACH * blur / CELL)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * CELL / blur) ** 2)
    smooth: Floats = np.convolve(traded, kernel / kernel.sum())[reach : reach + len(traded)]
    return smooth


def _value_area(volume: list[float], control: int) -> tuple[int, int]:
    """The first and the last cell of the value area."""
    bottom = top = control
    held, wanted = volume[control], VALUE_SHARE * sum(volume)
    while held < wanted:
        below, above = volume[max(0, bottom - ROWS_AT_ONCE) : bottom], volume[top + 1 : top + 1 + ROWS_AT_ONCE]
        if sum(above) >= sum(below) and above:
            top, held = top + len(above), held + sum(above)
        else:
            bottom, held = bottom - len(below), held + sum(below)
    return bottom, top


def _nodes(volume: Floats, *, least: float) -> list[int]:
    """The cells of the maxima whose prominence is at least so much; of a flat top the first cell."""
    padded = np.concatenate(((0.0,), volume, (0.0,)))
    steps = (padded[1:] != padded[:-1]).nonzero()[0]
    rising = padded[steps + 1] > padded[steps]
    turns = steps[:-1][rising[:-1] != rising[1:]]  # top, valley, top, ..., top
    heights = volume[turns].tolist()
    prominent = zip(turns[::2].tolist(), _prominences(heights[::2], heights[1::2]), strict=True)
    return [cell for cell, prominence in prominent if prominence >= least]


def _prominences(heights: list[float], valleys: list[float]) -> Iterator[float]:
    """How far one must go down from each maximum before ground that is higher; outside the profile nothing was traded.

    `heights` are those of the maxima in turn, `valleys` those between them.
    """
    for at, height in enumerate(heights):
        left = _valley(height, zip(heights[:at][::-1], valleys[:at][::-1], strict=True))
        right = _valley(height, zip(heights[at + 1 :], valleys[at:], strict=True))
        yield height - max(left, right)


def _valley(height: float, way: Iterable[tuple[float, float]]) -> float:
    """The lowest ground on the way to a higher maximum, past maxima with the valleys before them."""
    lowest = height
    for other, valley in way:
        if valley < lowest:
            lowest = valley
        if other > height:
            return lowest
    return 0.0
