"""What the live bot would have read of one market of a recording, bar by bar: model, map, clusters and odds."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from bot.alerts.types import Market
from bot.liquidation import History, PositionModel
from bot.liquidation.clusters import find_zones
from bot.liquidation.maps import Maps
from bot.liquidation.strength import ShareHistory
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, MapLimit, OpenInterestSource
from bot.liquidation.whole import Whole, Wholes
from bot.reading import WINDOW
from bot.recorded import Recorded
from bot.recorded_lessons import DAY_BARS, RecordedLessons


class RecordedReading(Struct, frozen=True):
    """What was read after a bar; `whole` is the map, which few ask for."""

    time_ms: int
    price: float
    clusters: tuple[Cluster, ...]
    whole: Whole
    open_interest: OpenInterestSource
    limits: tuple[MapLimit, ...]
    volatility: Volatility
    version: str


class RecordedMaps:
    """One market's maps after each bar, of what had happened by then.

    Positions and the usual size of clusters are learned on the way; as lessons come once a day at most, a day's maps
    are made at once.
    """

    def __init__(self, recorded: Recorded, market: Market, history: History) -> None:
        """`history` is the market's own."""
        self._history = history
        self._tiers = recorded.tiers_of(market)
        self._lessons = RecordedLessons(recorded, market, history)
        self._shares = ShareHistory()
        self._model: PositionModel | None = None
        self._volatility: Volatility | None = None

    def readings(self, first: int) -> Iterator[RecordedReading]:
        """The reading after each bar from row `first` on."""
        for begin, end in _days(first, len(self._history)):
            if self._lessons.attend(begin + 1) or self._model is None:
                seen = self._history.rows(0, begin + 1)
                self._model = PositionModel.rebuild(seen, tiers=self._tiers, parameters=self._lessons.parameters)
                yield from self._read(Maps.of([self._model.map(window=WINDOW)]), self._model.version)
                begin += 1
            if begin < end:
                maps = self._model.draw(self._history.rows(begin, end), window=WINDOW)
                yield from self._read(maps, self._model.version)

    def _read(self, maps: Maps, version: str) -> Iterator[RecordedReading]:
        closes = list(zip(maps.time_ms.tolist(), maps.price.tolist(), strict=True))
        volatilities = [self._volatile(*close) for close in closes]
        day_volatility = np.array([one.day for one in volatilities])
        zones = find_zones(maps, day_volatility=day_volatility)
        wholes = Wholes(maps, zones.spans, day_volatility=day_volatility)
        strengths = self._shares.follow(maps.time_ms, zones.moment, zones.is_short, zones.distance, zones.share)
        each = zip(closes, zones.rated(strengths), maps.open_interest, maps.limits, volatilities, strict=True)
        for moment, (close, clusters, source, limits, volatility) in enumerate(each):
            yield RecordedReading(*close, clusters, Whole(wholes, moment), source, limits, volatility, version)

    def _volatile(self, time_ms: int, close: float) -> Volatility:
        if self._volatility is None:
            seen = self._history.within(None, time_ms)
            self._volatility = Volatility.from_closes(seen.open_ms + seen.bar_ms, seen.close)
        self._volatility = self._volatility.updated(time_ms, close)
        return self._volatility


def _days(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Rows `first` up to `end` in stretches that begin where lessons may be due."""
    starts = [first, *range((first + 1) // DAY_BARS * DAY_BARS + DAY_BARS - 1, end, DAY_BARS)]
    yield from zip(starts, [*starts[1:], end], strict=True)
