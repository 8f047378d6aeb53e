"""What the live bot would have read of one market of a recording, bar by bar: model, map, clusters and odds."""

from collections.abc import Iterator

from bot.alerts.types import Market
from bot.liquidation import Bar, History, PositionModel
from bot.liquidation.strength import ShareHistory
from bot.liquidation.touch import Volatility
from bot.liquidation.types import COLUMNS
from bot.reading import Reading, read_model
from bot.recorded import Recorded
from bot.recorded_lessons import RecordedLessons


def recorded_readings(recorded: Recorded, market: Market, history: History, *, first: int) -> Iterator[Reading]:
    """The reading after each bar from row `first` on, of what had happened by then.

    `history` is the market's own. Positions and the usual size of clusters are learned on the way.
    """
    lessons = RecordedLessons(recorded, market, history)
    tiers = recorded.tiers_of(market)
    seen = history.rows(0, first + 1)
    volatility = Volatility.from_closes(seen.open_ms + history.bar_ms, seen.close)
    shares = ShareHistory()
    model: PositionModel | None = None
    for row, bar in enumerate(_bars(history.rows(first, len(history))), first):
        volatility = volatility.updated(bar.open_ms + history.bar_ms, bar.close)
        if lessons.attend(row + 1) or model is None:
            model = PositionModel.rebuild(history.rows(0, row + 1), tiers=tiers, parameters=lessons.parameters)
        else:
            model.update(bar)
        reading = read_model(model, volatility, shares=shares)
        shares.observe(reading.map.time_ms, reading.map.price, reading.clusters)
        yield reading


def _bars(history: History) -> list[Bar]:
    rows = (getattr(history, name).tolist() for name in COLUMNS)
    return [Bar(*row) for row in zip(*rows, strict=True)]
