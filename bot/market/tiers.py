"""Tables of risk tiers: checked before they are believed, completed where a venue leaves amounts out, and kept a while.

With maintenance amounts by cum_n = cum_(n-1) + floor_n (mmr_n - mmr_(n-1)) a position's requirement is continuous in
its notional (Binance, Bybit and Hyperliquid); OKX's rates step, and count for the whole position.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from bot.clock import Clock
from bot.liquidation.margin import RiskTier
from bot.market.exchange import ExchangeError

Tiers = tuple[RiskTier, ...]
T = TypeVar("T")

FRESH_MS: Final = 6 * 3_600_000
RETRY_MS: Final = 600_000

_AMOUNT_TOLERANCE_USD = 1.0
_AMOUNT_TOLERANCE = 1e-6

log = logging.getLogger(__name__)


def tiers_fault(tiers: Sequence[RiskTier], *, stepped: bool = False) -> str | None:
    """Why a table of tiers cannot be true, or None. NaN fails every comparison: each test is what must hold.

    The rates of a `stepped` table have no maintenance amounts.
    """
    floor, rate, amount, leverage = 0.0, 0.0, 0.0, float("inf")
    for tier in tiers:
        if tier.notional_floor != floor or not tier.notional_cap > floor:
            return "not contiguous"
        if not (0 < tier.maintenance_margin_rate < 1 and tier.maintenance_margin_rate >= rate):
            return "maintenance rates fall or are no fractions"
        if not 1 <= tier.max_leverage <= leverage:
            return "leverages do not fall"
        expected = 0.0 if stepped else amount + floor * (tier.maintenance_margin_rate - rate)
        if not abs(tier.maintenance_amount - expected) <= max(_AMOUNT_TOLERANCE_USD, expected * _AMOUNT_TOLERANCE):
            return "maintenance amounts do not follow from the rates"
        floor, rate = tier.notional_cap, tier.maintenance_margin_rate
        amount, leverage = tier.maintenance_amount, tier.max_leverage
    return None


def with_amounts(rungs: Sequence[tuple[float, float, float]]) -> Tiers:
    """Tiers out of rungs of (highest leverage, maintenance rate, notional cap), with the amounts that make them one."""
    tiers: list[RiskTier] = []
    floor, last_rate, amount = 0.0, 0.0, 0.0
    for leverage, rate, cap in rungs:
        amount += floor * (rate - last_rate)
        tiers.append(RiskTier(floor, cap, rate, amount, leverage))
        floor, last_rate = cap, rate
    return tuple(tiers)


class TierShelf(Generic[T]):
    """What a venue said of a contract's tiers, asked for again after six hours; where it cannot say, what it last said.

    `fetch` gives it by the venue's own name and may raise an ExchangeError.
    """

    def __init__(self, clock: Clock, fetch: Callable[[str], Awaitable[T]]) -> None:
        self._clock = clock
        self._fetch = fetch
        self._known: dict[str, T] = {}
        self._due_ms: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, native: str) -> T:
        """What is known; raises ExchangeError where nothing ever was."""
        async with self._locks.setdefault(native, asyncio.Lock()):
            if self._clock.now_ms() >= self._due_ms.get(native, 0):
                await self._refresh(native)
        return self._known[native]

    async def _refresh(self, native: str) -> None:
        wait_ms = FRESH_MS
        try:
            self._known[native] = await self._fetch(native)
        except ExchangeError as error:
            if native not in self._known:
                raise
            wait_ms = RETRY_MS
            log.warning("risk tiers of %s: %s; the last ones are used", native, error)
        self._due_ms[native] = self._clock.now_ms() + wait_ms
