"""What would be set off in a market's order books, as a conversation is shown it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.alerts.types import Market
from bot.liquidation.chain import CascadeReport, Chain
from bot.liquidation.depth import Depth
from bot.liquidation.types import Cluster, Side
from bot.telegram.market_views import MarketView


@dataclass(frozen=True, slots=True)
class CascadeView:
    """The chains of both sides of a market in the `books` of its exchanges; `missing` are those without one."""

    view: MarketView
    clusters: tuple[Cluster, ...]
    books: tuple[Depth, ...]
    missing: tuple[str, ...]
    below: CascadeReport
    above: CascadeReport

    @property
    def sides(self) -> tuple[CascadeReport, CascadeReport]:
        return self.above, self.below


def cascade_of(view: MarketView, clusters: Sequence[Cluster], found: Mapping[Market, Depth]) -> CascadeView | None:
    """None where none of the market's exchanges has a book."""
    books = tuple(found[market] for market in view.joined if market in found)
    if not books:
        return None
    below, above = (Chain(view.map, clusters, side, *books).report() for side in (Side.LONG, Side.SHORT))
    missing = tuple(market.exchange for market in view.joined if market not in found)
    return CascadeView(view, tuple(clusters), books, missing, below, above)
