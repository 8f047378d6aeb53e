"""What the live bot would have read of one market of a recording, bar by bar: model, map, clusters and odds."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from bot.alerts.readings import MapReading
from bot.alerts.types import Market
from bot.liquidation import History, PositionModel
from bot.liquidation.clusters import find_zones
from bot.liquidation.confluence import Surroundings
from bot.liquidation.landmarks import Landmarks
from bot.liquidation.maps import Maps
from bot.liquidation.strength import ShareHistory
from bot.liquidation.totals import average_true_ranges_pct
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, Mark
from bot.liquidation.whole import Whole, Wholes
from bot.reading import WINDOW, touch_odds
from bot.recorded import Recorded
from bot.recorded_lessons import DAY_BARS, RecordedLessons


class RecordedMaps:
    """One market's maps after each bar, of what had happened by then. A reading holds the whole map only where that is
    `drawn`: where a rule weighs all of it, and not one cluster.

    Positions and the usual size of clusters are learned on the way; as lessons come once a day at most, a day's maps
    are made at once.
    """

    def __init__(self, recorded: Recorded, market: Market, history: History, *, drawn: bool) -> None:
        """`history` is the market's own."""
        self._market = market
        self._history = history
        self._drawn = drawn
        self._tiers = recorded.tiers_of(market)
        self._lessons = RecordedLessons(recorded, market, history)
        self._shares = ShareHistory()
        self._model: PositionModel | None = None
        self._volatility: Volatility | None = None
        self._atr_pct: list[float] = average_true_ranges_pct(history).tolist()
        self._landmarks = Landmarks(history, self._atr_pct)
        self._around: tuple[int, Surroundings] | None = None

    def readings(self, first: int) -> Iterator[MapReading]:
        """The reading after each bar from row `first` on."""
        for begin, end in _days(first, len(self._history)):
            if self._lessons.attend(begin + 1) or self._model is None:
                seen = self._history.rows(0, begin + 1)
                self._model = PositionModel.rebuild(seen, tiers=self._tiers, parameters=self._lessons.parameters)
                yield from self._read(begin, Maps.of([self._model.map(window=WINDOW)]), self._model.version)
                begin += 1
            if begin < end:
                maps = self._model.draw(self._history.rows(begin, end), window=WINDOW)
                yield from self._read(begin, maps, self._model.version)

    def _read(self, first: int, maps: Maps, version: str) -> Iterator[MapReading]:
        """The readings of maps after the bars from row `first` on."""
        closes = list(zip(maps.time_ms.tolist(), maps.price.tolist(), strict=True))
        volatilities = [self._volatile(*close) for close in closes]
        day_volatility = np.array([one.day for one in volatilities])
        zones = find_zones(maps, day_volatility=day_volatility)
        wholes = Wholes(maps, zones.spans, day_volatility=day_volatility)
        strengths = self._shares.follow(maps.time_ms, zones.moment, zones.is_short, zones.distance, zones.share)
        lows, highs = (of[first : first + len(maps)].tolist() for of in (self._history.low, self._history.high))
        each = zip(
            closes, lows, highs, zones.rated(strengths), maps.open_interest, maps.limits, volatilities, strict=True
        )
        for moment, ((time_ms, price), low, high, clusters, source, limits, volatility) in enumerate(each):
            bars = first + moment + 1
            yield MapReading(
                market=self._market,
                slot_ms=time_ms,
                now_ms=time_ms,
                clusters=clusters,
                price=price,
                low=low,
                high=high,
                map_ms=time_ms,
                model_version=version,
                open_interest=source,
                limits=limits,
                touch=partial(touch_odds, volatility=volatility),
                whole=Whole(wholes, moment) if self._drawn else None,
                volatility=volatility,
                atr_pct=partial(self._atr_pct.__getitem__, bars - 1),
                marks=partial(self._marks, bars, volatility),
            )

    def _marks(self, bars: int, volatility: Volatility, cluster: Cluster) -> tuple[Mark, ...]:
        """What stood at a cluster after so many bars."""
        if self._around is None or self._around[0] != bars:
            self._around = bars, Surroundings(lambda: self._landmarks, bars=bars, day_volatility=volatility.day)
        return self._around[1].marks(cluster)

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
