"""One tick of an exchange before the rules that it may concern: those of markets whose price has left its band."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.alerts import exposure, swept
from bot.alerts.front import Front
from bot.alerts.judge import Measured
from bot.alerts.map_round import printed_within
from bot.alerts.market_book import MarketBook
from bot.alerts.post import Post
from bot.alerts.proximity import passed, tick_distance
from bot.alerts.tick_board import Stir


def judge_approaches(
    books: Iterable[MarketBook], fresh: Callable[[str], tuple[float, int] | None], verdicts: Verdicts
) -> None:
    """Judge the liquidation prices that rules hold, in markets that have a map; `fresh` gives a symbol's price and its
    time where the tick brought one.
    """
    for book in books:
        seen = None if book.reading is None else fresh(book.market.symbol)
        if seen is None:
            continue
        price, time_ms = seen
        for rule in book.levels().asked(price, time_ms):
            measured = exposure.approach(rule, time_ms=time_ms, price=price)
            verdicts.judge(book, exposure.EXPOSURE, rule, measured, unseen_ms=0, event_ms=time_ms)
