"""Bars, open interest and prints as the liquidation model takes them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.margin import RiskTier
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import History
from bot.market.types import BAR_MS, Bars, Floats, Ints, OpenInterest, Prints

FEE_IN_REQUIREMENT: Final = {"okx": 0.0005}
"""The closing fee that a venue counts into the maintenance requirement, of the notional; 0 elsewhere."""

USUAL_RATE: Final = 0.004
"""The maintenance margin of a large contract's first tier."""


def align(bars: Bars, open_interest: OpenInterest | None, *, bar_ms: int = BAR_MS) -> History:
    """The bars with the open interest at each bar's end: the sample less than half a bar from it, else NaN."""
    return History(
        bar_ms=bar_ms,
        open_ms=bars.open_ms,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        volume=bars.volume,
        quote_volume=bars.quote_volume,
        open_interest=sample_at(bars.open_ms + bar_ms, open_interest, reach_ms=bar_ms / 2),
    )


def sample_at(time_ms: Ints, open_interest: OpenInterest | None, *, reach_ms: float) -> Floats:
    """The nearest sample to each time, the earlier of two as near; NaN where none is nearer than `reach_ms`."""
    if open_interest is None or len(open_interest) == 0:
        return np.full(len(time_ms), np.nan)
    after = np.searchsorted(open_interest.time_ms, time_ms).clip(0, len(open_interest) - 1)
    before = (after - 1).clip(0)
    since = np.abs(time_ms - open_interest.time_ms[before])
    until = np.abs(open_interest.time_ms[after] - time_ms)
    nearest = np.where(since <= until, before, after)
    return np.where(np.minimum(since, until) < reach_ms, open_interest.coins[nearest], np.nan)


def liquidations_of(
    prints: Prints, rows: NDArray[np.bool_], *, tiers: Sequence[RiskTier] | None = None, fee_rate: float = 0.0
) -> LiquidationPrints:
    """The prints of these rows (n,) in USD at their trigger prices (see `trigger_prices`)."""
    price = trigger_prices(prints, tiers, fee_rate=fee_rate)[rows]
    return LiquidationPrints(prints.time_ms[rows], prints.is_long[rows], price, price * prints.coins[rows])


def trigger_prices(prints: Prints, tiers: Sequence[RiskTier] | None, *, fee_rate: float = 0.0) -> Floats:
    """Where each liquidation (n,) was set off, as near as its print tells.

    A fill lies near the trigger already. A bankruptcy price B does not: it is as if the position had been opened there
    with no margin at all, so the trigger P solves s q (P - B) = q P (m + f) - cum, that is
    P = (B - s cum/q) / (1 - s (m + f)), s being 1 for a long and -1 for a short, m and cum of the tier of q B
    (exchanges.md 3). `tiers` None: the first rate of a large contract. What is printed may be part of a position, whose
    own rate was then higher.
    """
    if prints.at_bankruptcy is None or not prints.at_bankruptcy.any():
        return prints.price
    table = [(tier.notional_floor, tier.maintenance_margin_rate, tier.maintenance_amount) for tier in tiers or ()]
    floors, rates, amounts = np.array(table or [(0.0, USUAL_RATE, 0.0)]).T
    tier = np.searchsorted(floors, prints.price * prints.coins, side="right") - 1
    side = np.where(prints.is_long, 1.0, -1.0)
    trigger = (prints.price - side * amounts[tier] / prints.coins) / (1.0 - side * (rates[tier] + fee_rate))
    return np.where(prints.at_bankruptcy, trigger, prints.price)


def liquidations_of_cover(
    prints: Prints,
    cover: Iterable[tuple[int, int]],
    *,
    exchange: str = "",
    tiers: Sequence[RiskTier] | None = None,
) -> LiquidationPrints:
    """One market's prints in USD where they were set off, those of the stretches (ms) that were listened to."""
    heard = np.zeros(len(prints), dtype=np.bool_)
    for start, end in cover:
        heard |= (prints.time_ms >= start) & (prints.time_ms < end)
    return liquidations_of(prints, heard, tiers=tiers, fee_rate=FEE_IN_REQUIREMENT.get(exchange, 0.0))


def liquidations_by_symbol(
    prints: Prints,
    symbols: Iterable[str],
    *,
    tiers: Mapping[str, Sequence[RiskTier]] | None = None,
    fee_rate: float = 0.0,
) -> dict[str, LiquidationPrints]:
    """Each contract's prints in USD; none where it was not printed."""
    names = np.array(prints.symbol, dtype=np.str_)
    known = tiers or {}
    return {
        symbol: liquidations_of(prints, names == symbol, tiers=known.get(symbol), fee_rate=fee_rate)
        for symbol in symbols
    }
