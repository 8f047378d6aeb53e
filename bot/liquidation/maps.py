"""Maps of many moments as one struct of arrays: what is worked out over all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.types import Floats, Ints, LiquidationMap, MapLimit, OpenInterestSource


@dataclass(frozen=True, slots=True)
class Maps:
    """Maps of n moments with m bins each, the fields as those of `LiquidationMap`.

    `edges` (n, m + 1) bound the contiguous ascending bins; `long_usd`, `short_usd` (n, m); the others (n,).
    """

    time_ms: Ints
    price: Floats
    edges: Floats
    long_usd: Floats
    short_usd: Floats
    long_total_usd: Floats
    short_total_usd: Floats
    open_interest: tuple[OpenInterestSource, ...]
    limits: tuple[tuple[MapLimit, ...], ...]

    def __len__(self) -> int:
        return len(self.time_ms)

    @classmethod
    def of(cls, maps: Sequence[LiquidationMap]) -> "Maps":
        """Single maps (at least one) of equally many bins, together."""
        return cls(
            time_ms=np.array([one.time_ms for one in maps]),
            price=np.array([one.price for one in maps]),
            edges=np.array([np.concatenate((one.low, one.high[-1:])) for one in maps]),
            long_usd=np.array([one.long_usd for one in maps]),
            short_usd=np.array([one.short_usd for one in maps]),
            long_total_usd=np.array([one.long_total_usd for one in maps]),
            short_total_usd=np.array([one.short_total_usd for one in maps]),
            open_interest=tuple(one.open_interest for one in maps),
            limits=tuple(one.limits for one in maps),
        )

    def at(self, moment: int) -> LiquidationMap:
        """The map of one moment; its arrays are views."""
        return LiquidationMap(
            time_ms=int(self.time_ms[moment]),
            price=float(self.price[moment]),
            low=self.edges[moment, :-1],
            high=self.edges[moment, 1:],
            long_usd=self.long_usd[moment],
            short_usd=self.short_usd[moment],
            long_total_usd=float(self.long_total_usd[moment]),
            short_total_usd=float(self.short_total_usd[moment]),
            open_interest=self.open_interest[moment],
            limits=self.limits[moment],
        )


def leading(held: NDArray[np.bool_]) -> Ints:
    """How many are true in each row (n, m >= 1) in which the true ones come first, (n,): the sum at a tenth of its
    cost.
    """
    counts: Ints = np.where(held[:, -1], held.shape[1], held.argmin(axis=1))
    return counts
