"""What came of the alerts of a replay: the live bot's own judgement, told of recorded prices and liquidations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.alerts.following import Following
from bot.alerts.hit_rate import HitRate, by_kind, by_rule
from bot.alerts.outcomes import Outcome, follow, printed_usd
from bot.alerts.types import Event, Kind, Market, Track
from bot.liquidation.score import Cover
from bot.liquidation.turnover import LiquidationPrints
from bot.market.history import liquidations_by_symbol
from bot.recorded import Recorded


class RecordedReceipts:
    """Follows every alert of some markets of a recording, and keeps what came of it."""

    def __init__(self, recorded: Recorded, markets: Sequence[Market]) -> None:
        self.told = 0
        self._following = Following()
        self._outcomes: dict[str, Outcome] = {}
        self._prints: dict[Market, tuple[LiquidationPrints, Cover]] = {}
        for exchange in {market.exchange for market in markets}:
            prints = recorded.recording.prints(exchange)
            if prints is not None:
                symbols = [market.symbol for market in markets if market.exchange == exchange]
                cover = recorded.recording.heard(exchange, prints)
                for symbol, printed in liquidations_by_symbol(prints, symbols).items():
                    self._prints[Market(exchange, symbol)] = printed, cover

    def see(self, market: Market, price: float, time_ms: int) -> None:
        """One price, in order of time."""
        self._following.see(market, price, time_ms)

    def follow(self, events: Iterable[Event]) -> None:
        """Follow what these alerts told of."""
        self._keep([found for event in events if (found := follow(event)) is not None])

    def due(self, market: Market, tracks: Iterable[Track], *, time_ms: int) -> Iterator[Outcome]:
        """The receipts that are due after a recompute which left these tracks."""
        closed = {track.id: track.closed for track in tracks if track.closed is not None}
        changed = self._following.due(market, closed, time_ms=time_ms)
        self._keep(changed)
        for outcome in changed:
            if outcome.ended_ms == time_ms:
                self.told += 1
                yield self._with_prints(outcome)

    def by_rule(self) -> Mapping[int, HitRate]:
        return by_rule(self._outcomes.values())

    def by_kind(self) -> Mapping[Kind, HitRate]:
        return by_kind(self._outcomes.values())

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        self._following.apply(outcomes)
        self._outcomes.update((outcome.alert, outcome) for outcome in outcomes)

    def _with_prints(self, outcome: Outcome) -> Outcome:
        found = self._prints.get(outcome.market)
        return outcome if found is None else replace(outcome, printed_usd=printed_usd(outcome, *found))


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
