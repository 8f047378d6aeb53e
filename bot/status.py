"""What /status tells: how each exchange is heard, and what the maps were worth so far."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.alerts.types import Market
from bot.clock import Clock
from bot.market.exchange import Exchange
from bot.market.feed import FeedStatus
from bot.market.line import KeepsBooks, LineStatus
from bot.market_skill import MarketSkill
from bot.markets import Markets
from bot.skill_meter import SkillMeter
from bot.telegram.desk import ExchangeView, HistoryView, SkillView, StatusView, StreamView
from bot.telegram.findings import Finding
from bot.warming import Warmer


class StatusBoard:
    """Puts together what the rooms know of themselves. `findings` tells what is wrong, once somebody looks."""

    def __init__(
        self,
        *,
        exchanges: Mapping[str, Exchange],
        markets: Markets,
        meter: SkillMeter,
        clock: Clock,
        simulated: frozenset[str],
        warmer: Warmer | None = None,
    ) -> None:
        self._exchanges = exchanges
        self._markets = markets
        self._meter = meter
        self._clock = clock
        self._simulated = simulated
        self._warmer = warmer
        self.findings: Callable[[], Sequence[Finding]] = tuple

    def view(self, watched: Sequence[Market]) -> StatusView:
        """The state now, with the verdicts on these markets after those of whole exchanges."""
        pooled = [self._meter.pooled(name) for name in self._exchanges]
        own = [self._meter.skill(market) for market in dict.fromkeys(watched)]
        skills = [_skill(found) for found in (*pooled, *own) if found is not None]
        return StatusView(
            exchanges=tuple(self._exchange(name, exchange) for name, exchange in self._exchanges.items()),
            skills=tuple(skill for skill in skills if skill is not None),
            simulated=bool(self._simulated & self._exchanges.keys()),
        )

    def streams(self) -> Mapping[str, StreamView]:
        """How each exchange's stream does, of those that were heard."""
        views = {name: self._stream(name, exchange) for name, exchange in self._exchanges.items()}
        return {name: view for name, view in views.items() if view is not None}

    def books(self) -> Mapping[str, LineStatus]:
        """What each exchange was asked, of those that keep books."""
        return {name: one.status() for name, one in self._exchanges.items() if isinstance(one, KeepsBooks)}

    def bar_lag_s(self, watched: Iterable[Market]) -> Mapping[str, float]:
        """Seconds since the close of the last bar of the watched market furthest behind, by exchange."""
        ends: dict[str, int] = {}
        for live in filter(None, map(self._markets.get, watched)):
            name, end_ms = live.market.exchange, live.history.end_ms
            ends[name] = min(end_ms, ends.get(name, end_ms))
        return {name: max(0, self._exchanges[name].server_now_ms() - end_ms) / 1000 for name, end_ms in ends.items()}

    def _stream(self, name: str, exchange: Exchange) -> StreamView | None:
        feed = self._meter.feed_status(name)
        return None if feed is None else stream_view(feed, now_ms=self._clock.now_ms(), skew_ms=skew_ms(exchange))

    def _exchange(self, name: str, exchange: Exchange) -> ExchangeView:
        newest_ms, feed = self._markets.newest_price_ms(name), self._meter.feed_status(name)
        books = exchange.status() if isinstance(exchange, KeepsBooks) else None
        return ExchangeView(
            exchange=name,
            age_ms=None if newest_ms is None else max(0, exchange.server_now_ms() - newest_ms),
            bar_ms=self._markets.newest_bar_ms(name),
            hears=None if feed is None else feed.alive,
            last_print_ms=None if feed is None else feed.last_print_ms,
            requests=None if books is None else (books.busiest.used, books.busiest.allowed),
            stream=self._stream(name, exchange),
            window_ms=60_000 if books is None else int(books.busiest.window_s * 1000),
            silent_until_ms=None if books is None else books.banned_until_ms or books.geo_blocked_until_ms,
            history=None if self._warmer is None else self._history(name, self._warmer, books),
        )

    def _history(self, name: str, warmer: Warmer, books: LineStatus | None) -> HistoryView:
        warmth = warmer.warmth(name)
        dropped = 0 if books is None else sum(books.dropped_rows.values())
        return HistoryView(warmth.whole, warmth.wanted, self._markets.missing_bars(name), dropped)


def stream_view(feed: FeedStatus, *, now_ms: int, skew_ms: int) -> StreamView | None:
    """A feed's books as they are shown; `skew_ms` is the venue's clock minus this one's."""
    if feed.last_message_ms is None:
        return None
    return StreamView(
        age_ms=max(0, now_ms - feed.last_message_ms),
        late_ms=None if feed.lag_ms is None else max(0, feed.lag_ms + skew_ms),
        reconnects=max(0, feed.connections - 1),
        gaps=feed.gaps,
        dropped=feed.dropped,
        unread=sum(feed.dropped_rows.values()),
    )


def skew_ms(exchange: Exchange) -> int:
    """A venue's clock minus this one's; 0 where that is not known."""
    return (exchange.status().clock_skew_ms or 0) if isinstance(exchange, KeepsBooks) else 0


def _skill(found: MarketSkill) -> SkillView | None:
    """The score of the map that is shown; None where there is none yet."""
    if found.skill is None or found.score is None:
        return None
    return SkillView(
        market=found.market,
        verdict=found.score.verdict.value,
        skill=found.score.skill,
        low=found.score.low,
        high=found.score.high,
        liquidations=round(found.skill.effective_events),
        blocks=found.skill.blocks,
    )
