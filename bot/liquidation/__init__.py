"""The science of the liquidation map: pure numpy, no I/O, no clock."""

from bot.liquidation.bars import Bar, check_history
from bot.liquidation.combining import CombinedMap, combine_maps
from bot.liquidation.kernel import distance_kernel, liquidation_distance
from bot.liquidation.margin import RiskTier, liquidation_price
from bot.liquidation.model import PositionModel, Swept
from bot.liquidation.parameters import DEFAULT, MODEL_VERSION, ModelParameters
from bot.liquidation.score import Score, listened, score_histories
from bot.liquidation.turnover import LiquidationPrints, SweepLog, Turnover, trigger_price
from bot.liquidation.types import Cluster, History, LiquidationMap, MapLimit, Side

__all__ = [
    "DEFAULT",
    "MODEL_VERSION",
    "Bar",
    "Cluster",
    "CombinedMap",
    "History",
    "LiquidationMap",
    "LiquidationPrints",
    "MapLimit",
    "ModelParameters",
    "PositionModel",
    "RiskTier",
    "Score",
    "Side",
    "SweepLog",
    "Swept",
    "Turnover",
    "check_history",
    "combine_maps",
    "distance_kernel",
    "liquidation_distance",
    "liquidation_price",
    "listened",
    "score_histories",
    "trigger_price",
]
