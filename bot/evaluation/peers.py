"""What the map is held against: estimators like those of its peers, plain orderings, and the best that is possible.

Each gives coins (2, REACH), longs and shorts, standing 1, 2, ... cells beyond the last close. Only ranks and shares
are scored, so totals need not agree.
"""

from collections.abc import Sequence

import numpy as np

from bot.evaluation.known_markets import KnownMarket, Phase
from bot.liquidation.bars import Path, entry_pairs, path_of
from bot.liquidation.book import REACH
from bot.liquidation.grid import CELL
from bot.liquidation.kernel import liquidation_distance
from bot.liquidation.standing import Cohorts, lots_of, sign_of, standing
from bot.liquidation.types import Floats, History, Side

SIDES = (Side.LONG, Side.SHORT)
PEER_LEVERAGE = ((10.0, 0.3), (25.0, 0.3), (50.0, 0.2), (100.0, 0.2))
PEER_MAINTENANCE = 0.005
LEAST_KEPT = 0.05


def nearest_first(market: KnownMarket) -> Floats:
    """The nearer the more: an ordering that needs no data."""
    return np.tile(1.0 / np.arange(1.0, REACH + 1.0), (2, 1))


def peer_without_path(market: KnownMarket) -> Floats:
    """Rises of open interest on the side of the bar's colour, at guessed leverages, wherever price went since."""
    history, path = market.history, _path(market.history)
    rises, _ = _changes(history)
    up = history.close >= history.open
    entries = entry_pairs(path, 0, len(history))
    coins = np.zeros((2, REACH))
    for row, side in enumerate(SIDES):
        mine = np.where(up if side is Side.LONG else ~up, rises, 0.0)
        sign = sign_of(side)
        beyond = sign * entries.cell - sign * int(path.close[-1]) - 1
        weight = mine[entries.bar] * entries.share
        for distance, share in _guessed(side):
            at = beyond + distance
            inside = (at >= 0) & (at < REACH)
            coins[row] += share * np.bincount(at[inside], weight[inside], REACH)
    return coins


def peer_with_path(market: KnownMarket) -> Floats:
    """The same guesses for both sides, swept by price, falls of open interest closing all in proportion."""
    rises, falls = _changes(market.history)
    before = np.concatenate((market.history.open_interest[:1], market.history.open_interest[:-1]))
    kept = np.maximum(LEAST_KEPT, 1.0 - falls / before)
    coins = []
    for side in SIDES:
        guessed = _guessed(side)
        kernel = np.zeros(max(cells for cells, _ in guessed) + 1)
        for cells, share in guessed:
            kernel[cells] += share
        coins.append(_standing(market.history, rises, kept, kernel, side))
    return np.array(coins)


def oracle(market: KnownMarket) -> Floats:
    """The bound of any such map: the coins truly opened, at the distances truly chosen, closing in proportion."""
    interest = market.history.open_interest
    before = np.concatenate((interest[:1], interest[:-1]))
    coins = np.zeros((2, REACH))
    for row, side in enumerate(SIDES):
        opened = market.opened[row]
        kept = np.maximum(LEAST_KEPT, 1.0 - np.maximum(before + opened - interest, 0.0) / before)
        for phase, end in zip(market.phases, _ends(market.phases, len(interest)), strict=True):
            bars = np.arange(len(interest))
            mine = np.where((bars >= phase.first) & (bars < end), opened, 0.0)
            stock = float(interest[0]) if phase.first == 0 else 0.0
            coins[row] += _standing(market.history, mine, kept, phase.kernels[row], side, stock=stock)
    return coins


def _ends(phases: Sequence[Phase], bars: int) -> list[int]:
    return [*(phase.first for phase in phases[1:]), bars]


def _standing(
    history: History, opened: Floats, kept: Floats, kernel: Floats, side: Side, *, stock: float | None = None
) -> Floats:
    """What stands of coins `opened` (n,) in bars that kept the share `kept` (n,) of all before them; (REACH,)."""
    fading = np.cumsum(np.log(kept)[::-1])[::-1]
    left = np.ones(len(kept))
    left[:-1] = np.exp(fading[1:])
    held = float(history.open_interest[0]) if stock is None else stock
    cohorts = Cohorts(_path(history), (opened * left)[None], np.array([held * left[0]]), 0 if held > 0 else -1)
    found: Floats = standing(cohorts, lots_of(cohorts), kernel, side, REACH)[0]
    return found


def _path(history: History) -> Path:
    return path_of(history.high, history.low, history.close, history.volume, history.quote_volume)


def _changes(history: History) -> tuple[Floats, Floats]:
    change = np.diff(history.open_interest, prepend=history.open_interest[:1])
    return np.maximum(change, 0.0), np.maximum(-change, 0.0)


def _guessed(side: Side) -> list[tuple[int, float]]:
    """Cells from entry, and shares."""
    found = []
    for leverage, share in PEER_LEVERAGE:
        distance = liquidation_distance(side, leverage, PEER_MAINTENANCE)
        away = -np.log1p(-distance) if side is Side.LONG else np.log1p(distance)
        found.append((int(away / CELL), share))
    return found
