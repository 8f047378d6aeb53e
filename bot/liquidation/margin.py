"""Where a leveraged position is force-closed, by the venue's risk tiers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RiskTier:
    """One row of a venue's maintenance table; notionals in quote currency, rates as fractions."""

    notional_floor: float
    notional_cap: float
    maintenance_margin_rate: float
    maintenance_amount: float
    max_leverage: float
