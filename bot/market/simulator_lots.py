"""The holders of a simulated market: who stands open on one side, and what becomes of them as price moves.

Prices inside are signed: times +1 for longs, -1 for shorts. A holder's trigger is then always hit from above, and
both sides share every line. Liquidation prices come from the venue's rule itself, written here anew: this file is
the truth that the estimator is measured by, and shares nothing with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.margin import RiskTier
from bot.market.simulator_parameters import BARS_PER_HOUR, LeverageMix, SimulationParameters
from bot.market.types import Floats, Ints

ENTRY, LIQUIDATION, TRIGGER, COINS, CLOSE_AT, TOP_UPS = range(6)
SIZE, LEVERAGE, MARGIN, HOLD, STOP, PAYS, WHEN = range(7)
BLOCK: Final = 16_384
TOP_UP_LIMIT: Final = 3
TOP_UP_AT: Final = 0.8
TOP_UP_STRETCH: Final = 1.5
LEAST_SHARE_OF_ENTRY: Final = 0.05
MOST_LONG_MARGIN: Final = 0.95
MOST_SHORT_MARGIN: Final = 3.0


@dataclass(frozen=True, slots=True)
class Closed:
    """Lots that a sweep closed; shapes (n,). `price` is the trigger, `row` the lot's place."""

    row: Ints
    price: Floats
    coins: Floats
    liquidated: NDArray[np.bool_]

    @property
    def liquidated_coins(self) -> float:
        return float(self.coins[self.liquidated].sum())

    @property
    def total(self) -> float:
        return float(self.coins.sum())


class Margin:
    """A venue's maintenance rule: a position is closed once its margin is the maintenance of any of the tiers.

    With ascending rates and amounts that meet, maintenance is the largest over the tiers, so the first tier reached
    decides: no search for the right one.
    """

    def __init__(self, tiers: Sequence[RiskTier]) -> None:
        self._rate = np.array([tier.maintenance_margin_rate for tier in tiers])[:, None]
        self._amount = np.array([tier.maintenance_amount for tier in tiers])[:, None]
        self._floor = np.array([tier.notional_floor for tier in tiers[1:]])
        self._leverage = np.array([tier.max_leverage for tier in tiers])

    def leverage_cap(self, notional: Floats) -> Floats:
        """The highest leverage that these notionals may have. Shape (n,)."""
        found: Floats = self._leverage[np.searchsorted(self._floor, notional)]
        return found

    def signed_liquidation(self, *, sign: int, entry: Floats, coins: Floats, margin: Floats) -> Floats:
        """Signed prices at which lots with this margin (quote currency) are closed. Shape (n,).

        From  margin + sign * coins * (price - entry) = coins * price * rate - amount,  for each tier.
        """
        per_coin = margin / coins - sign * entry + self._amount / coins
        found: Floats = (sign * per_coin / (self._rate - sign)).max(axis=0)
        return found


class Newcomers:
    """An endless supply of traders about to open, drawn by the parameters of one side."""

    def __init__(self, parameters: SimulationParameters, leverage: LeverageMix, stream: np.random.Generator) -> None:
        self._parameters = parameters
        self._leverage = np.array([value for value, _ in leverage])
        weight = np.array([share for _, share in leverage])
        self._cumulative = np.cumsum(weight / weight.sum())
        speeds = np.array([share for share, _ in parameters.holding])
        self._speeds = np.cumsum(speeds / speeds.sum())
        self._hold_bars = np.array([hours for _, hours in parameters.holding]) * BARS_PER_HOUR
        self._stream = stream
        self._block = self._draw()
        self._used = 0

    def take(self, n: int) -> Floats:
        """The next `n` traders, a column each: shape (7, n)."""
        if self._used + n > self._block.shape[1]:
            fresh = [self._block[:, self._used :]]
            while sum(part.shape[1] for part in fresh) < n:
                fresh.append(self._draw())
            self._block, self._used = np.concatenate(fresh, axis=1), 0
        self._used += n
        return self._block[:, self._used - n : self._used]

    def _draw(self) -> Floats:
        """A block of traders: SIZE about 1, LEVERAGE, MARGIN over initial margin, HOLD in bars of usual activity,
        STOP as a share of the way to liquidation (1: none), PAYS how often they top up, WHEN within the bar (0 to 1).
        """
        p, stream = self._parameters, self._stream
        uniform = stream.random((7, BLOCK))
        normal = stream.standard_normal((2, BLOCK))
        exponential = stream.standard_exponential((2, BLOCK))
        block = np.empty((7, BLOCK))
        block[SIZE] = np.exp(p.lot_sigma * normal[0])
        block[LEVERAGE] = self._leverage[
            np.searchsorted(self._cumulative, uniform[0]).clip(max=len(self._leverage) - 1)
        ]
        block[HOLD] = (
            exponential[0] * self._hold_bars[np.searchsorted(self._speeds, uniform[1]).clip(max=len(self._speeds) - 1)]
        )
        cross = uniform[2] < p.cross_share
        added = np.where(uniform[3] < p.added_margin, 1 + 0.6 * exponential[1], 1.0)
        wallet = np.maximum(1.0, 2.5 * np.exp(0.7 * normal[1]))
        block[MARGIN] = np.where(cross, wallet, added)
        pays = cross & (uniform[4] < p.top_up_share)
        block[PAYS] = np.where(pays, np.ceil(uniform[3] * TOP_UP_LIMIT), 0.0)
        block[STOP] = np.where((uniform[5] < p.stop_share) & ~pays, 0.3 + 0.65 * uniform[4], 1.0)
        block[WHEN] = uniform[6]
        return block


class Holders:
    """The open lots of one side: a table of six rows and a column a lot, the closed ones dropped now and then."""

    def __init__(self, sign: int, margin: Margin, newcomers: Newcomers) -> None:
        self.sign = sign
        self.newcomers = newcomers
        self._margin = margin
        self._table = np.empty((6, BLOCK))
        self._n = 0
        self._closed = 0

    def open(self, coins: float, *, lots: int, price: Floats, clock: float) -> tuple[int, Floats, Ints]:
        """Let `lots` newcomers share `coins`, each at a tick of `price` (ticks,).

        Returns the first new row, the coins (lots,) and the ticks (lots,) of the entries.
        """
        trader = self.newcomers.take(lots)
        tick = (trader[WHEN] * len(price)).astype(np.int64)
        share = trader[SIZE] * (coins / trader[SIZE].sum())
        entry = price[tick]
        notional = share * entry
        leverage = np.minimum(trader[LEVERAGE], self._margin.leverage_cap(notional))
        most = MOST_LONG_MARGIN if self.sign > 0 else MOST_SHORT_MARGIN
        margin = notional * np.minimum(trader[MARGIN] / leverage, most)
        first = self._room_for(lots)
        rows = self._table[:, first : first + lots]
        rows[ENTRY] = signed = self.sign * entry
        rows[LIQUIDATION] = liquidation = self._margin.signed_liquidation(
            sign=self.sign, entry=entry, coins=share, margin=margin
        )
        reach = np.where(trader[PAYS] > 0, TOP_UP_AT, trader[STOP])
        rows[TRIGGER] = np.where(reach < 1, signed + reach * (liquidation - signed), liquidation)
        rows[COINS] = share
        rows[CLOSE_AT] = clock + trader[HOLD]
        rows[TOP_UPS] = trader[PAYS]
        self._n += lots
        return first, share, tick

    def sweep(self, worst: float | Floats, *, first: int = 0) -> Closed:
        """Close every lot from row `first` on whose trigger the signed price `worst` (one, or one a lot) has passed."""
        trigger = self._table[TRIGGER]
        hit = np.flatnonzero(trigger[first : self._n] >= worst)
        reached = worst[hit] if isinstance(worst, np.ndarray) else worst
        hit += first
        while hit.size and (paying := self._table[TOP_UPS, hit] > 0).any():
            self._top_up(hit[paying])
            still = trigger[hit] >= reached
            hit = hit[still]
            reached = reached[still] if isinstance(reached, np.ndarray) else reached
        price = trigger[hit]
        liquidated = price == self._table[LIQUIDATION, hit]
        return Closed(row=hit, price=self.sign * price, coins=self._take_out(hit), liquidated=liquidated)

    def close_due(self, clock: float) -> float:
        """Close the lots whose holders have had enough by now; the coins closed."""
        return float(self._take_out(np.flatnonzero(self._table[CLOSE_AT, : self._n] <= clock)).sum())

    def close_some(self, coins: float, stream: np.random.Generator) -> float:
        """Close lots chosen by chance, the last one in part, until `coins` are closed; the coins closed."""
        left = coins
        while left > 0 and self._n > self._closed:
            drawn = stream.integers(0, self._n, 64)
            rows = drawn[np.sort(np.unique(drawn, return_index=True)[1])]
            size = self._table[COINS, rows]
            before = np.cumsum(size) - size
            self._take_out(rows[(size > 0) & (before + size <= left)])
            cut = rows[(before < left) & (before + size > left)]
            self._table[COINS, cut] -= left - before[(before < left) & (before + size > left)]
            left = max(0.0, left - float(size.sum()))
        return coins - left

    def compact(self) -> None:
        """Drop the columns of closed lots; row numbers change."""
        if self._closed * 4 > self._n:
            kept = self._table[:, : self._n]
            kept = kept[:, kept[COINS] > 0]
            self._n = kept.shape[1]
            self._table[:, : self._n] = kept
            self._closed = 0

    def standing(self) -> tuple[Floats, Floats]:
        """Liquidation prices and coins of the open lots; shapes (n,)."""
        rows = self._table[:, : self._n]
        rows = rows[:, rows[COINS] > 0]
        liquidation: Floats = self.sign * rows[LIQUIDATION]
        return liquidation, rows[COINS]

    def _top_up(self, rows: Ints) -> None:
        """Move these lots' liquidation away, and their trigger with it."""
        entry = self._table[ENTRY, rows]
        away = entry + TOP_UP_STRETCH * (self._table[LIQUIDATION, rows] - entry)
        if self.sign > 0:
            away = np.maximum(away, LEAST_SHARE_OF_ENTRY * entry)
        self._table[LIQUIDATION, rows] = away
        self._table[TOP_UPS, rows] -= 1
        again = self._table[TOP_UPS, rows] > 0
        self._table[TRIGGER, rows] = np.where(again, entry + TOP_UP_AT * (away - entry), away)

    def _take_out(self, rows: Ints) -> Floats:
        """Close these lots; the coins they held."""
        coins: Floats = self._table[COINS, rows]
        if rows.size == 0:
            return coins
        self._table[COINS, rows] = 0.0
        self._table[TRIGGER, rows] = -np.inf
        self._table[CLOSE_AT, rows] = np.inf
        self._closed += len(rows)
        return coins

    def _room_for(self, lots: int) -> int:
        """The first of `lots` free columns."""
        if self._n + lots > self._table.shape[1]:
            grown = np.empty((6, 2 * (self._n + lots)))
            grown[:, : self._n] = self._table[:, : self._n]
            self._table = grown
        return self._n
