"""A market as a place for levels of one's own: its map as far as positions reach, its odds, its exchange's rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.alerts.types import Market
from bot.liquidation.ground import Ground
from bot.liquidation.margin import RiskTier
from bot.liquidation.touch import Volatility
from bot.telegram.market_views import MarketView


@dataclass(frozen=True, slots=True)
class GroundView:
    """`view` is the market as /map shows it, `ground` the same map as far as any position reaches.

    `tiers` and `fee_rate` (what it adds to the requirement) are those of `tiers_from`, of a combined market's largest
    exchange; no tiers where none are known.
    """

    view: MarketView
    ground: Ground
    volatility: Volatility
    tiers: Sequence[RiskTier]
    tiers_from: Market
    fee_rate: float
