"""What one tick says: of a track, and of the liquidation prices that rules hold."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.alerts import exposure, proximity, swept
from bot.alerts.judge import Measure, Measured
from bot.alerts.map_round import printed_within
from bot.alerts.market_book import MarketBook
from bot.alerts.types import Kind, Track
from bot.alerts.verdicts import Verdicts


def measure_at_tick(book: MarketBook, measure: Measure, track: Track, *, time_ms: int, price: float) -> Measured:
    """What a price says of a track, in the metric of one column."""
    volatility, marks = book.surroundings
    if measure.kind is Kind.SWEPT:
        figures = printed_within(book.printed, track.cluster)
        was = replace(track, cluster=track.at_best)
        return Measured(was, time_ms, price, swept.tick_distance(price, track.cluster), figures=figures, marks=marks)
    scale = book.scale(measure)
    metric = proximity.tick_distance(price, track.cluster) / scale if scale > 0.0 else None
    return Measured(track, time_ms, price, metric, volatility=volatility, marks=marks)


def judge_approaches(
    books: Iterable[MarketBook], fresh: Callable[[str], tuple[float, int] | None], verdicts: Verdicts
) -> None:
    """Judge the markets that have a map; `fresh` gives a symbol's price and its time where the tick brought one."""
    for book in books:
        seen = None if book.reading is None else fresh(book.market.symbol)
        if seen is None:
            continue
        price, time_ms = seen
        for rule in book.levels().asked(price, time_ms):
            measured = exposure.approach(rule, time_ms=time_ms, price=price)
            verdicts.judge(book, exposure.EXPOSURE, rule, measured, unseen_ms=0, event_ms=time_ms)
