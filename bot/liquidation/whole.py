"""A map asked as a whole. Of maps that were read at once each answer is worked out for all, when the first is asked."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from msgspec import Struct

from bot.liquidation.clusters import Spans
from bot.liquidation.crowding import Crowding
from bot.liquidation.maps import Maps
from bot.liquidation.totals import entropies, standings_near
from bot.liquidation.types import Cluster, Floats, LiquidationMap


class Wholes:
    """Maps of n moments with the `spans` of their clusters; `day_volatility` (n,), NaN where it is not known."""

    def __init__(self, maps: Maps, spans: Callable[[], Spans], *, day_volatility: Floats) -> None:
        self._maps = maps
        self._spans = spans
        self._day_volatility = day_volatility
        self._levels: Floats | None = None
        self._crowdings = np.zeros((0, 0))
        self._most_crowded: list[float] = []

    @cached_property
    def _crowding(self) -> Crowding:
        return Crowding(self._maps, day_volatility=self._day_volatility)

    @cached_property
    def reach(self) -> list[tuple[float, float]]:
        """The lowest and the highest price of each map."""
        edges = self._maps.edges
        return list(zip(edges[:, 0].tolist(), edges[:, -1].tolist(), strict=True))

    @cached_property
    def evenness(self) -> list[float]:
        """The entropies of the maps."""
        return entropies(self._maps)

    @cached_property
    def standing_near(self) -> list[tuple[float, float]]:
        """What stands near to price in each map, as `totals.standing_near`."""
        return standings_near(self._maps)

    def crowdings(self, levels: Floats) -> Floats:
        """How crowded it is at prices (k,) in each map, (n, k). `levels` must not be written to afterwards: the same
        prices are answered from memory.
        """
        if levels is not self._levels:
            if self._levels is None or not np.array_equal(levels, self._levels):
                self._crowdings = self._crowding.at(levels, self._spans())
                self._most_crowded = np.fmax.reduce(self._crowdings, axis=1, initial=np.nan).tolist()
            self._levels = levels
        return self._crowdings

    def most_crowded(self, levels: Floats) -> list[float]:
        """The highest of them in each map; NaN where none is known."""
        self.crowdings(levels)
        return self._most_crowded


class Whole(Struct, frozen=True):
    """One of many maps."""

    among: Wholes
    moment: int = 0

    @classmethod
    def of(cls, drawn: LiquidationMap, clusters: Sequence[Cluster], *, day_volatility: float) -> "Whole":
        """A map by itself."""
        maps = Maps.of([drawn])
        return cls(Wholes(maps, lambda: Spans.of(clusters), day_volatility=np.array([day_volatility])))

    @property
    def reach(self) -> tuple[float, float]:
        """The prices that the map lies between."""
        return self.among.reach[self.moment]

    @property
    def evenness(self) -> float:
        """How evenly positions are spread, as `totals.entropy`."""
        return self.among.evenness[self.moment]

    @property
    def standing_near(self) -> tuple[float, float]:
        """What stands near to price, as `totals.standing_near`."""
        return self.among.standing_near[self.moment]

    def crowdings(self, levels: Floats) -> Floats:
        """How crowded it is at prices (k,), which must not be written to afterwards."""
        found: Floats = self.among.crowdings(levels)[self.moment]
        return found

    def most_crowded(self, levels: Floats) -> float:
        """The highest of them; NaN where none is known."""
        return self.among.most_crowded(levels)[self.moment]
