"""One map from several venues: the model is linear in positions, and all maps share one absolute grid."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bot.liquidation.types import LiquidationMap, MapLimit


@dataclass(frozen=True, slots=True)
class CombinedMap:
    """The sum of several venues' maps. `shares` is each venue's part of both sides' totals, `stale_share` the part
    of the venues whose open interest is stale."""

    map: LiquidationMap
    shares: Mapping[str, float]
    stale_share: float


def combine_maps(maps: Mapping[str, LiquidationMap]) -> CombinedMap:
    """Sum maps by venue that were read around one price in one window.

    Totals add up; the open interest is measured where every venue's is; limits are those of any venue. Raises
    ValueError on no map, or on maps whose bins differ: read them with the same `price` and `window`.
    """
    if not maps:
        raise ValueError("there is no map to combine")
    first, *others = maps.values()
    for venue, other in zip(list(maps)[1:], others, strict=True):
        if not (np.array_equal(other.low, first.low) and np.array_equal(other.high, first.high)):
            raise ValueError(f"the map of {venue} has other bins than that of {next(iter(maps))}")
    totals = {venue: read.long_total_usd + read.short_total_usd for venue, read in maps.items()}
    everything = sum(totals.values()) or 1.0
    shares = {venue: total / everything for venue, total in totals.items()}
    limits = {limit for read in maps.values() for limit in read.limits}
    combined = LiquidationMap(
        time_ms=max(read.time_ms for read in maps.values()),
        price=first.price,
        low=first.low,
        high=first.high,
        long_usd=np.sum([read.long_usd for read in maps.values()], axis=0),
        short_usd=np.sum([read.short_usd for read in maps.values()], axis=0),
        long_total_usd=sum(read.long_total_usd for read in maps.values()),
        short_total_usd=sum(read.short_total_usd for read in maps.values()),
        open_interest="measured" if all(read.open_interest == "measured" for read in maps.values()) else "estimated",
        limits=tuple(limit for limit in MapLimit if limit in limits),
    )
    stale = sum(share for venue, share in shares.items() if MapLimit.STALE_OPEN_INTEREST in maps[venue].limits)
    return CombinedMap(combined, shares, stale)
