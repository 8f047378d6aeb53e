"""One tick of an exchange before the rules that it may concern: those of markets whose price has left its band."""

from bot.alerts import exposure, swept
from bot.alerts.front import Front
from bot.alerts.judge import Measured
from bot.alerts.map_round import printed_within
from bot.alerts.market_book import MarketBook
from bot.alerts.post import Post
from bot.alerts.proximity import passed, tick_distance
from bot.alerts.tick_board import Stir
from bot.alerts.types import Kind, Track
from bot.alerts.verdicts import Verdicts
from bot.liquidation.values import replace


class TickRound:
    """Judges stirred markets, track by track. `woken` counts what had to be looked at: a track, and what is measured.

    A price older than `max_age_ms` before the next one leaves a gap between them that nobody has seen.
    """

    def __init__(self, verdicts: Verdicts, *, max_age_ms: int) -> None:
        self.woken = 0
        self._verdicts = verdicts
        self._max_age_ms = max_age_ms

    def judge(self, front: Front, stir: Stir) -> tuple[Post, ...]:
        """Judge one market; the posts that the tick was data for.

        Price beyond a body's far edge has spent it: that is a hit once, at the tick that jumps through, if the tick
        before was seen; after it the body is no data until the next map closes its track.
        """
        if stir.time_ms > front.valid_ms:
            return ()
        follows = stir.time_ms - stir.last_ms <= self._max_age_ms
        seen: list[Post] = []
        for track_id, post in front.posts.items():
            if passed(stir.price, post.cluster) and not (follows and not passed(stir.last_price, post.cluster)):
                continue
            seen.append(post)
            unseen_ms = max(0, stir.time_ms - max(post.seen_ms, stir.seen_ms) - self._max_age_ms)
            calm = post.low < stir.price < post.high and stir.time_ms < post.due_ms
            if not calm or (unseen_ms and post.waits):
                self._ask(front.book, front.book.tracks[track_id], post, stir, unseen_ms)
        return tuple(seen)

    def _ask(self, book: MarketBook, track: Track, post: Post, stir: Stir, unseen_ms: int) -> None:
        time_ms, price = stir.time_ms, stir.price
        distance = tick_distance(price, track.cluster)
        for measure, watch, scale in zip(post.measures, post.watches, post.scales, strict=True):
            if not scale > 0.0:
                continue
            sweeps = measure.kind is Kind.SWEPT
            metric = swept.tick_distance(price, track.cluster) if sweeps else distance / scale
            if not watch.wakes(metric, time_ms, unseen_ms=unseen_ms):
                continue
            self.woken += 1
            measured = _swept(book, track, stir, metric) if sweeps else _near(book, track, stir, metric)
            asked = watch.candidates(metric, measured.body, time_ms, unseen_ms=unseen_ms)
            self._verdicts.judge_column(book, watch.column, asked, measured, unseen_ms=unseen_ms, event_ms=time_ms)


def _near(book: MarketBook, track: Track, stir: Stir, metric: float) -> Measured:
    volatility, marks = book.surroundings
    return Measured(track, stir.time_ms, stir.price, metric, volatility=volatility, marks=marks)


def _swept(book: MarketBook, track: Track, stir: Stir, metric: float) -> Measured:
    was, figures = replace(track, cluster=track.at_best), printed_within(book.printed, track.cluster)
    return Measured(was, stir.time_ms, stir.price, metric, figures=figures, marks=book.surroundings[1])


def judge_approaches(book: MarketBook, stir: Stir, verdicts: Verdicts) -> None:
    """Judge the liquidation prices that rules hold in one market."""
    for rule in book.levels().asked(stir.price, stir.time_ms):
        measured = exposure.approach(rule, time_ms=stir.time_ms, price=stir.price)
        verdicts.judge(book, exposure.EXPOSURE, rule, measured, unseen_ms=0, event_ms=stir.time_ms)
