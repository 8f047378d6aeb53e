"""A body that splits: the part that gets a name of its own has been told of as part of the whole."""

from collections.abc import Iterable, Iterator

from bot.alerts.market_book import MarketBook
from bot.alerts.tracks import covers
from bot.alerts.types import Kind, RuleState, Track
from bot.liquidation.values import replace


def inherited(book: MarketBook, tracks: Iterable[Track], *, slot_ms: int) -> Iterator[RuleState]:
    """The states that tracks born in this slot take over: those of the largest body that covered them until now.

    Proximity only: growth and news of a part are measured on the part itself. Without it one zone is told of twice
    within the hour, under two names, whenever its body falls in two.
    """
    for born in tracks:
        if born.born_ms != slot_ms:
            continue
        parents = [track for track in book.tracks.values() if covers(track.cluster, born.cluster)]
        if parents:
            parent = max(parents, key=lambda track: (track.cluster.usd, track.id))
            for state in book.states_of(parent.id).values():
                if state.fired_ms and book.rules[state.rule_id].kind is Kind.PROXIMITY:
                    yield replace(state, track_id=born.id)
