"""How well a chain's end is foretold: simulated markets are driven into a cluster, and what then happens is compared.

The world takes the price to the edge of the nearest cluster of longs and leaves it there; from then on only forced
orders move it. What the chain foretells from the true positions and the true book tests its mathematics; from the
public map and the true book, the whole. The yardstick is the forecast that nothing more happens.
"""

import math
from dataclasses import dataclass

import numpy as np

from bot.liquidation.chain import LEAST_SHARE, LIKELY_SHARE, MOST_SHARE, Chain
from bot.liquidation.clusters import find_clusters
from bot.liquidation.model import PositionModel
from bot.liquidation.touch import Volatility
from bot.liquidation.types import LiquidationMap, Side
from bot.liquidation.values import replace
from bot.market.history import align
from bot.market.recording import Truth
from bot.market.simulator import standing_truth
from bot.market.simulator_parameters import PRESETS
from bot.market.simulator_play import Play

AFTERWARDS_BARS = 24
"""Two hours: a push fades by 4 % a bar, so a chain that is not over by then has ended otherwise."""


@dataclass(frozen=True, slots=True)
class CascadeScore:
    """Ends as log distances beyond the start: what came, what was foretold from the truth with all of it forced, and
    what from the map with the least, the middle and the most of it forced.
    """

    seed: int
    realised: float
    by_truth: float
    least: float
    likely: float
    most: float


def cascade_score(seed: int, *, variant: str = "base", days: int = 3) -> CascadeScore | None:
    """One market; None where its map has no cluster of longs. Raises KeyError for a variant that there is not."""
    parameters = replace(PRESETS[variant], seed=seed, days=days)
    play = Play(parameters)
    begin = play.bars - AFTERWARDS_BARS
    for bar in range(begin):
        play.step(bar)
    history, price = align(play.tape.bars(), play.tape.open_interest()), play.tape.last_mark
    public = PositionModel.rebuild(history, tiers=parameters.tiers).map(price=price)
    day_volatility = Volatility.from_closes(history.open_ms + history.bar_ms, history.close).day
    found = find_clusters(public, day_volatility=day_volatility)
    edges = [cluster.high for cluster in found if cluster.side is Side.LONG]
    if not edges:
        return None
    start, book = min(max(edges), price), play.depth()
    by_truth = _foretold(Chain(_map_of(standing_truth(play), public), (), Side.LONG, book), start, 1.0)
    by_map = Chain(public, (), Side.LONG, book)
    foretold = [_foretold(by_map, start, share) for share in (LEAST_SHARE, LIKELY_SHARE, MOST_SHARE)]
    play.hold(begin, start)
    lowest = start
    for bar in range(begin, play.bars):
        play.step(bar)
        lowest = min(lowest, play.tape.last_mark)
    return CascadeScore(seed, math.log(start / lowest), by_truth, *foretold)


def _foretold(chain: Chain, start: float, share: float) -> float:
    """How far a chain goes whose forced orders up to the start are in the market already."""
    fall = chain.fall(start, share=share, kick_usd=share * chain.standing_to(start))
    return math.inf if fall.end is None else math.log(start / fall.end)


def _map_of(truth: Truth, like: LiquidationMap) -> LiquidationMap:
    """The true positions in the bins of a map."""
    bounds = np.append(like.low, like.high[-1])
    long, short = (
        np.histogram(truth.liquidation_price[rows], bounds, weights=truth.usd[rows])[0]
        for rows in (truth.is_long, ~truth.is_long)
    )
    return replace(like, long_usd=long.astype(np.float64), short_usd=short.astype(np.float64))
