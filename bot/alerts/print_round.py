"""Liquidations of one market as they come, before the rules that wait for cascades."""

from collections.abc import Sequence

from bot.alerts import cascade
from bot.alerts.cascade import MINUTE_MS, Minutes
from bot.alerts.judge import Measure
from bot.alerts.market_book import MarketBook
from bot.alerts.readings import Liquidation
from bot.alerts.types import Kind, Phase
from bot.alerts.verdicts import Verdicts
from bot.liquidation.types import Side
from bot.liquidation.values import replace

LATE_MS = 3_000
"""A minute is counted so long after its end: liquidations come that late."""


CASCADES = frozenset(cascade.matter(side) for side in Side)
_TOLD = (Phase.FIRED, Phase.RECOVERING)


def judge_prints(
    book: MarketBook, news: Sequence[Liquidation], verdicts: Verdicts, *, heard_ms: int, price: float | None
) -> Minutes:
    """The market's minutes after this news, heard until `heard_ms`.

    One liquidation after the other, so that a cascade is dated by the one that made it one; then the minute as it
    stands, at the last known `price`, for cascades that are over.
    """
    minutes = book.pulse.minutes
    for one in news:
        minutes = minutes.with_one(one)
        _judge(book, minutes, one.side, verdicts, time_ms=one.time_ms, price=one.price)
    minutes = minutes.at((heard_ms - LATE_MS) // MINUTE_MS)
    if price is not None:
        for side in Side:
            if book.states_of(cascade.matter(side)):
                _judge(book, minutes, side, verdicts, time_ms=heard_ms, price=price)
    return minutes


def awaits_look(book: MarketBook, *, heard_ms: int) -> bool:
    """Whether silence says something: a minute is over that is not counted yet, or a cascade may be."""
    return (_runs(book) and book.pulse.minutes.minute < (heard_ms - LATE_MS) // MINUTE_MS) or _lasts(book)


def may_await_look(book: MarketBook) -> bool:
    """Whether silence will say something sooner or later, if nothing else happens."""
    return _runs(book) or _lasts(book)


def _runs(book: MarketBook) -> bool:
    """Whether there are liquidations in a minute that is not counted yet."""
    return book.pulse.minutes.long_usd > 0.0 or book.pulse.minutes.short_usd > 0.0


def _lasts(book: MarketBook) -> bool:
    """Whether a cascade has been told of and rules have not armed again."""
    return any(state.phase in _TOLD for name in CASCADES for state in book.states_of(name).values())


def _judge(book: MarketBook, minutes: Minutes, side: Side, verdicts: Verdicts, *, time_ms: int, price: float) -> None:
    column = Measure(Kind.CASCADE)
    measured = cascade.measure(minutes, side, time_ms=time_ms, price=price)
    if column not in book.columns() or measured.metric is None or book.reading is None:
        return
    watch = book.watch(column, measured.track_id, seen_ms=time_ms)
    watch.loosen()
    for at in watch.candidates(measured.metric, measured.body, time_ms, unseen_ms=0):
        rule = watch.column.rules[at]
        usual = (cascade.USUAL_USD, minutes.usual_usd(rule.threshold_pct))
        told = replace(measured, figures=(*measured.figures, usual))
        verdicts.judge(book, watch.column.judge, rule, told, unseen_ms=0, event_ms=time_ms)
