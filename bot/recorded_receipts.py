"""What came of the alerts of a replay: the live bot's own judgement, told of recorded prices and liquidations."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bot.alerts.following import Following
from bot.alerts.gate import Ruling
from bot.alerts.hit_rate import HitRate, hit_rates
from bot.alerts.machine import NEVER_MS
from bot.alerts.outcomes import Outcome, follow, followed_of, printed_usd
from bot.alerts.types import Kind, Market, Track
from bot.liquidation.score import Cover
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.values import replace
from bot.market.history import liquidations_by_symbol
from bot.market.types import Prices
from bot.recorded import Recorded

LOOKS_AHEAD = 512
"""So many prices at a time are searched for the next that something comes of."""


class Receipt(NamedTuple):
    """What came of an alert, by its dedupe key. Alerts that told of one thing at once share the `outcome` of the
    first.
    """

    alert: str
    rule_id: int
    outcome: Outcome


class RecordedReceipts:
    """Follows every alert of some markets of a recording, and keeps what came of it.

    What many alerts told of at once is followed once, as the first one's.
    """

    def __init__(self, recorded: Recorded, paths: Mapping[Market, Prices]) -> None:
        """`paths` are all prices that the markets will show."""
        self.told = 0
        self._paths = {market: _Path(prices) for market, prices in paths.items()}
        self._next_ms = dict.fromkeys(paths, NEVER_MS)
        self._following = Following()
        self._outcomes: dict[str, Outcome] = {}
        self._alike: dict[str, list[tuple[str, int]]] = {}
        self._followed: list[tuple[int, str]] = []
        self._prints: dict[Market, tuple[LiquidationPrints, Cover]] = {}
        for exchange in {market.exchange for market in paths}:
            prints = recorded.prints(exchange)
            if prints is not None:
                symbols = [market.symbol for market in paths if market.exchange == exchange]
                cover = recorded.recording.heard(exchange, prints)
                for symbol, printed in liquidations_by_symbol(prints, symbols).items():
                    self._prints[Market(exchange, symbol)] = printed, cover

    def follow(self, rulings: Iterable[Ruling], *, seen_ms: int) -> None:
        """Follow what these alerts, of one evaluation, told of, when prices up to `seen_ms` had been shown."""
        before, first, new = None, None, []
        for ruling in rulings:
            event = ruling.event
            told = followed_of(event)
            if told != before:
                before, first = told, follow(event)
                if first is not None:
                    new.append(first)
                    self._catch_up(first.market, seen_ms)
                    self._alike[first.alert] = []
            if first is not None:
                self._alike[first.alert].append((ruling.key, event.rule_id))
                self._followed.append((event.rule_id, first.alert))
        if new:
            self._keep(new)
            for market in {first.market for first in new}:
                self._look_ahead(market)

    def due(self, market: Market, ended: Sequence[Track], *, time_ms: int) -> Sequence[Receipt]:
        """The receipts that are due after a recompute which ended these tracks; all older prices had been shown."""
        if time_ms < self._next_ms[market] and not ended:
            return ()
        self._catch_up(market, time_ms - 1)
        closed = {track.id: track.closed for track in ended if track.closed is not None}
        changed = self._following.due(market, closed, time_ms=time_ms)
        self._keep(changed)
        self._look_ahead(market)
        receipts = [receipt for outcome in changed if outcome.ended_ms == time_ms for receipt in self._told_of(outcome)]
        receipts.sort(key=lambda receipt: (receipt.outcome.time_ms, receipt.alert))
        self.told += len(receipts)
        return receipts

    def by_rule(self) -> Mapping[int, HitRate]:
        return hit_rates((rule_id, self._outcomes[first]) for rule_id, first in self._followed)

    def by_kind(self) -> Mapping[Kind, HitRate]:
        outcomes = (self._outcomes[first] for _, first in self._followed)
        return hit_rates((outcome.kind, outcome) for outcome in outcomes)

    def _catch_up(self, market: Market, seen_ms: int) -> None:
        """Tell what price has done since somebody asked last: in one look for as long as nothing could come of it."""
        for until_ms in (min(seen_ms, self._next_ms[market] - 1), seen_ms):
            self._following.see_path(market, *self._paths[market].until(until_ms))

    def _look_ahead(self, market: Market) -> None:
        self._next_ms[market] = self._paths[market].leaves(*self._following.awaited(market))

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        self._following.apply(outcomes)
        self._outcomes.update((outcome.alert, outcome) for outcome in outcomes)

    def _told_of(self, ended: Outcome) -> Iterator[Receipt]:
        found = self._prints.get(ended.market)
        outcome = ended if found is None else replace(ended, printed_usd=printed_usd(ended, *found))
        return (Receipt(alert, rule_id, outcome) for alert, rule_id in self._alike[ended.alert])


class _Path:
    """A market's prices, read once."""

    def __init__(self, path: Prices) -> None:
        self._path = path
        self._time_ms: Sequence[int] = path.time_ms.data
        self._price: Sequence[float] = path.price.data
        self._at = 0

    def until(self, time_ms: int) -> tuple[Sequence[float], Sequence[int]]:
        """The prices that were not read yet, up to this moment, and their times."""
        begin, self._at = self._at, bisect_right(self._time_ms, time_ms, lo=self._at)
        return self._price[begin : self._at], self._time_ms[begin : self._at]

    def leaves(self, below: float, above: float, until_ms: int) -> int:
        """The moment up to which price stays between these two as far as one looks ahead, `until_ms` at the latest."""
        ahead = self._path.price[self._at : self._at + LOOKS_AHEAD]
        outside = np.flatnonzero((ahead <= below) | (ahead >= above))
        at = self._at + (int(outside[0]) if len(outside) else LOOKS_AHEAD)
        return min(until_ms, self._time_ms[at]) if at < len(self._time_ms) else until_ms


def hits_json(rate: HitRate) -> dict[str, object]:
    """A hit rate as the summary of a replay shows it; `rate` and `chance` are null where nothing is decided."""
    return {
        "followed": rate.alerts,
        "inside": rate.inside,
        "decided": rate.known,
        "touched": rate.touched,
        "rate": None if rate.rate is None else round(rate.rate, 4),
        "chance": None if rate.chance is None else round(rate.chance, 4),
        "against_chance": rate.against.value,
    }
