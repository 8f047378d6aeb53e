"""The map with and without what can be learned, beside the peers: every row of the evaluation's table by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from bot.evaluation.known_markets import KnownMarket
from bot.evaluation.peers import nearest_first, oracle, peer_with_path, peer_without_path
from bot.liquidation.learning import Exposures, expose, learn_from
from bot.liquidation.model import PositionModel
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.score import constant_flow
from bot.liquidation.turnover import WINDOW_MS, SweepLog
from bot.liquidation.types import Floats, History
from bot.liquidation.values import replace

DISTANCE: Final = "distance only"
"""The true mean profile of other seeds: no estimator, since nobody has it."""
ORACLE: Final = "oracle"
NO_PRINTS: Final = "learned, no prints"
WEEK: Final = "learned, prints of a week"
MONTH: Final = "learned, prints of a month"
LEARNED: Final = (NO_PRINTS, WEEK, MONTH)
"""Leverage and turnover learned, by how long the venue's prints were listened to. The bot's map
is one of these: the last once it has listened for a month."""

Estimator = Callable[[KnownMarket, Exposures], Floats]


def path_only(market: KnownMarket, exposures: Exposures) -> Floats:
    """The path of price with the same flow in every bar."""
    return _model_coins(PositionModel.rebuild(constant_flow(market.history), tiers=market.tiers))


def prior(market: KnownMarket, exposures: Exposures) -> Floats:
    """The position model with nothing learned."""
    return _model_coins(PositionModel.rebuild(market.history, tiers=market.tiers))


def learned_turnover(market: KnownMarket, exposures: Exposures) -> Floats:
    """The model with turnover learned from the timing of a week's prints, leverage as assumed."""
    history = market.history
    start = int(np.searchsorted(history.open_ms, history.end_ms - WINDOW_MS))
    if start == 0:
        start = len(history) // 2
    model = PositionModel.rebuild(history.rows(0, start), tiers=market.tiers)
    log, late = SweepLog(history.bar_ms), history.rows(start, len(history))
    log.extend(model.extend(late), late.close.tolist())
    return _model_coins(model, log.learn(market.prints).weights)


def learned_from_falls(market: KnownMarket, exposures: Exposures) -> Floats:
    """Leverage learned from open interest alone: no prints are heard."""
    return _learned(market, exposures, days=0)


def learned_of_week(market: KnownMarket, exposures: Exposures) -> Floats:
    """Leverage and turnover learned from open interest and the prints of the last seven days."""
    return _learned(market, exposures, days=7)


def learned_of_month(market: KnownMarket, exposures: Exposures) -> Floats:
    """The same with the prints of 30 days."""
    return _learned(market, exposures, days=30)


def learned_from_prints(market: KnownMarket, exposures: Exposures) -> Floats:
    """The same with the prints of 30 days and no falls of open interest."""
    return _learned(market, exposures, days=30, falls=False)


def _learned(market: KnownMarket, exposures: Exposures, *, days: int, falls: bool = True) -> Floats:
    history = market.history
    first = max(int(history.open_ms[0]), history.end_ms - days * 86_400_000)
    cover = ((first, history.end_ms),) if days else ()
    told = history if falls else replace(history, open_interest=np.full(len(history), np.nan))
    parameters = learn_from(exposures, told, market.prints, cover=cover).parameters
    return _coins(history, market, parameters)


def _coins(history: History, market: KnownMarket, parameters: ModelParameters = DEFAULT) -> Floats:
    return _model_coins(PositionModel.rebuild(history, tiers=market.tiers, parameters=parameters))


def _model_coins(model: PositionModel, weights: Floats | None = None) -> Floats:
    mixing = model.mixing_weights(weights)
    return np.array([book.mix(mixing) for book in model.books])


ESTIMATORS: Final[Mapping[str, Estimator]] = MappingProxyType(
    {
        "nearest first": lambda market, _: nearest_first(market),
        "peer: net open interest, no path": lambda market, _: peer_without_path(market),
        "peer: with path, proportional": lambda market, _: peer_with_path(market),
        "path only": path_only,
        "prior": prior,
        "learned turnover only": learned_turnover,
        NO_PRINTS: learned_from_falls,
        "learned, prints alone (month)": learned_from_prints,
        WEEK: learned_of_week,
        MONTH: learned_of_month,
        ORACLE: lambda market, _: oracle(market),
    }
)


def estimates(market: KnownMarket) -> dict[str, Floats]:
    """Every estimator's coins, (2, REACH) each, by name."""
    exposures = expose(market.history, tiers=market.tiers)
    return {name: estimate(market, exposures) for name, estimate in ESTIMATORS.items()}
