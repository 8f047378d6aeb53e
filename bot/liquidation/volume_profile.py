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

import numpy as np

from bot.liquidation.grid import CELL, cells_of, edges
from bot.liquidation.types import Floats, History, Ints

VALUE_SHARE = 0.7
PROMINENCE = 0.2
"""Of the point of control's volume: what stands out less is a ripple on a hill."""
KERNEL_REACH = 3.5  # in standard deviations
ROWS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Traded:
    """What bars traded, and where: their first and last cells, and the notional that they put into each, (n,) each."""

    low: Ints
    high: Ints
    each: Floats

    @classmethod
    def of(cls, history: History) -> "Traded":
        """A bar's volume is spread evenly from its low to its high: what it traded where is not known."""
        low, high = cells_of(history.low), cells_of(history.high)
        return cls(low, high, history.volume * history.close / (high - low + 1))

    def rows(self, first: int, end: int) -> "Traded":
        """The bars from row `first` up to, not including, row `end`."""
        return Traded(self.low[first:end], self.high[first:end], self.each[first:end])


@dataclass(frozen=True, slots=True)
class VolumeProfile:
    """`volume` (n,) is the smoothed traded notional of the grid's cells from `first` on, in quote currency.

    `nodes` are the prices of the high-volume nodes, ascending, the point of control among them.
    """

    first: int
    volume: Floats
    nodes: tuple[float, ...]

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


def profile_of(traded: Traded, *, blur: float) -> VolumeProfile | None:
    """The profile of bars, smoothed with a standard deviation of `blur` in log price; None where nothing was traded."""
    first = int(traded.low.min())
    count = int(traded.high.max()) - first + 1
    begun = np.bincount(traded.low - first, traded.each, minlength=count + 1)
    ended = np.bincount(traded.high - first + 1, traded.each, minlength=count + 1)
    # What is added and taken away again leaves a rounding error behind.
    spread = np.maximum((begun - ended).cumsum()[:count], 0.0)
    if not spread.any():
        return None
    volume = _smoothed(spread, blur)
    nodes = _nodes(volume, least=PROMINENCE * float(volume.max()))
    return VolumeProfile(first, volume, _middles(first, count, nodes))


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
    rising = padded[1:] > padded[:-1]
    steps = np.flatnonzero(padded[1:] != padded[:-1])
    up = rising[steps]
    top, bottom = up[:-1] & ~up[1:], ~up[:-1] & up[1:]
    tops, heights = steps[:-1][top].tolist(), volume[steps[:-1][top]].tolist()
    valleys = volume[steps[:-1][bottom]].tolist()
    return [cell for cell, each in zip(tops, _prominences(heights, valleys), strict=True) if each >= least]


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
        lowest = min(lowest, valley)
        if other > height:
            return lowest
    return 0.0
