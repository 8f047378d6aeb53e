"""One map from several venues: the model is linear in positions, so maps that lie on one grid add up.

Each venue's positions are closed by its own mark price. So its map is laid with its own price on the quoting venue's:
its prices are multiplied by what one price is of the other, which is the units of the contracts and the basis at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, log

import numpy as np

from bot.liquidation.grid import CELL, cells_of, edges, log_cells
from bot.liquidation.types import Floats, LiquidationMap, MapLimit
from bot.liquidation.values import replace

COMBINED = "combined"
"""The name of all venues together, where one stands for a venue."""

WEIGHS = 0.05
"""From this share of the open interest on a part decides what is said of the whole: what it lacks, what is proven."""


class LeftOut(StrEnum):
    """Why a venue that lists the contract is not in a combined map."""

    STALE = "stale"
    """Its newest bar is too old."""
    NO_DATA = "no_data"
    """It has too little history for a map."""
    EXCHANGE_DOWN = "exchange_down"
    """It does not answer, and nothing of it is stored."""
    LOADING = "loading"
    """Its history is still being fetched."""
    NO_OPEN_INTEREST = "no_open_interest"
    """It tells no open interest, and others do: a map from volume alone has no size to add."""
    OTHER_PRICE = "other_price"
    """Its price is so far from the others' that the name must stand for another coin."""


@dataclass(frozen=True, slots=True)
class VenuePart:
    """One venue in a combined map. `usd` is the open interest of its map, one side, `share` that of all parts'.

    `time_ms` is when its newest bar ended, None where nothing is known of it. What is left out has no share.
    `known_share` is the part of its open interest whose liquidation prices are known exactly, `limits` what its map had
    to do without.
    """

    venue: str
    symbol: str
    time_ms: int | None = None
    usd: float = 0.0
    share: float = 0.0
    left_out: LeftOut | None = None
    known_share: float = 0.0
    limits: tuple[MapLimit, ...] = ()

    @property
    def weighs(self) -> bool:
        """Whether the part is big enough to speak for the whole."""
        return self.share >= WEIGHS


def lay_over(
    read: LiquidationMap, *, price: float, scale: float, low: float = np.inf, high: float = -np.inf
) -> LiquidationMap:
    """The map on the grid around `price`, its own prices multiplied by `scale`; as many bins, notionals unchanged.

    A bin that is shifted by a part of a cell goes to two cells, in proportion. `low` and `high` are the extremes of
    the path since the map, in the new prices: longs from `low` on and shorts up to `high` count as swept, and the
    totals lose them. Raises ValueError on a price or scale that is not a positive number.
    """
    for name, value in (("price", price), ("scale", scale)):
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {value!r}")
    count = (len(read.low) - 1) // 2
    bounds = edges(int(cells_of(price)) - count, len(read.low))
    at = log_cells(bounds)
    before = log_cells(np.append(read.low, read.high[-1:])) + log(scale) / CELL
    long_usd, short_usd = (
        np.diff(np.interp(at, before, np.append(0.0, usd.cumsum()))) for usd in (read.long_usd, read.short_usd)
    )
    swept_long, swept_short = bounds[:-1] >= min(low, price), bounds[1:] <= max(high, price)
    return replace(
        read,
        price=price,
        low=bounds[:-1],
        high=bounds[1:],
        long_usd=np.where(swept_long, 0.0, long_usd),
        short_usd=np.where(swept_short, 0.0, short_usd),
        long_total_usd=max(0.0, read.long_total_usd - float(long_usd[swept_long].sum())),
        short_total_usd=max(0.0, read.short_total_usd - float(short_usd[swept_short].sum())),
    )


@dataclass(frozen=True, slots=True)
class CombinedMap:
    """The sum of several venues' maps. `shares` is each venue's part of both sides' totals; a venue that is not in it
    has no open interest, and others have.
    """

    map: LiquidationMap
    shares: Mapping[str, float]


def combine_maps(maps: Mapping[str, LiquidationMap]) -> CombinedMap:
    """Sum maps by venue that lie on one grid (`lay_over`).

    Measured maps add up in USD, and one that is not measured stays out: its level is not known. Where none is
    measured, all add up in proportion to what their volume built, and the sum is as estimated as they are. Limits are
    those of the parts that weigh. Raises ValueError on no map, or on maps whose bins differ.
    """
    if not maps:
        raise ValueError("there is no map to combine")
    first_venue, first = next(iter(maps.items()))
    for venue, other in maps.items():
        if not (np.array_equal(other.low, first.low) and np.array_equal(other.high, first.high)):
            raise ValueError(f"the map of {venue} has other bins than that of {first_venue}")
    measured = {venue: read for venue, read in maps.items() if read.open_interest == "measured"}
    joined = measured or maps
    shares = _shares({venue: read.long_total_usd + read.short_total_usd for venue, read in joined.items()})
    limits = {limit for venue, read in joined.items() if shares[venue] >= WEIGHS for limit in read.limits}
    combined = LiquidationMap(
        time_ms=max(read.time_ms for read in joined.values()),
        price=first.price,
        low=first.low,
        high=first.high,
        long_usd=_sum(read.long_usd for read in joined.values()),
        short_usd=_sum(read.short_usd for read in joined.values()),
        long_total_usd=sum(read.long_total_usd for read in joined.values()),
        short_total_usd=sum(read.short_total_usd for read in joined.values()),
        open_interest="measured" if measured else "estimated",
        limits=tuple(limit for limit in MapLimit if limit in limits),
    )
    return CombinedMap(combined, shares)


def _sum(columns: Iterable[Floats]) -> Floats:
    added: Floats = np.sum(list(columns), axis=0)
    return added


def _shares(totals: Mapping[str, float]) -> dict[str, float]:
    """Each total over the sum; equal ones where nothing stands anywhere."""
    everything = sum(totals.values())
    return {venue: total / everything if everything > 0 else 1 / len(totals) for venue, total in totals.items()}
