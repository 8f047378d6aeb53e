"""What the live bot would have read of one market of a recording, bar by bar: model, map, clusters and odds."""

from collections.abc import Iterator

import numpy as np

from bot.alerts.types import Market
from bot.liquidation import Bar, History, PositionModel
from bot.liquidation.clusters import find_zones
from bot.liquidation.maps import Maps
from bot.liquidation.strength import ShareHistory
from bot.liquidation.touch import Volatility
from bot.liquidation.types import COLUMNS
from bot.reading import Reading
from bot.recorded import Recorded
from bot.recorded_lessons import DAY_BARS, RecordedLessons


def recorded_readings(recorded: Recorded, market: Market, history: History, *, first: int) -> Iterator[Reading]:
    """The reading after each bar from row `first` on, of what had happened by then.

    `history` is the market's own. Positions and the usual size of clusters are learned on the way; as lessons come
    once a day at most, a day's maps are made at once.
    """
    lessons = RecordedLessons(recorded, market, history)
    tiers = recorded.tiers_of(market)
    seen = history.rows(0, first + 1)
    volatility = Volatility.from_closes(seen.open_ms + history.bar_ms, seen.close)
    shares = ShareHistory()
    model: PositionModel | None = None
    for begin, end in _days(first, len(history)):
        day = _bars(history.rows(begin, end))
        maps = []
        if lessons.attend(begin + 1) or model is None:
            model = PositionModel.rebuild(history.rows(0, begin + 1), tiers=tiers, parameters=lessons.parameters)
            maps.append(model.map())
        for bar in day[len(maps) :]:
            model.update(bar)
            maps.append(model.map())
        volatilities = [volatility := volatility.updated(bar.open_ms + history.bar_ms, bar.close) for bar in day]
        zones = find_zones(Maps.of(maps), day_volatility=np.array([one.day for one in volatilities]))
        for moment, (drawn, volatile) in enumerate(zip(maps, volatilities, strict=True)):
            clusters = zones.clusters(moment, shares.strength)
            shares.observe(drawn.time_ms, drawn.price, clusters)
            yield Reading(drawn, clusters, volatile, model.version)


def _days(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Rows `first` up to `end` in stretches that begin where lessons may be due."""
    starts = [first, *range((first + 1) // DAY_BARS * DAY_BARS + DAY_BARS - 1, end, DAY_BARS)]
    yield from zip(starts, [*starts[1:], end], strict=True)


def _bars(history: History) -> list[Bar]:
    rows = (getattr(history, name).tolist() for name in COLUMNS)
    return [Bar(*row) for row in zip(*rows, strict=True)]
