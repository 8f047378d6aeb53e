"""The science of the liquidation map: pure numpy, no I/O, no clock."""

from bot.liquidation.bars import Bar, check_history
from bot.liquidation.kernel import distance_kernel, liquidation_distance
from bot.liquidation.margin import RiskTier, liquidation_price
from bot.liquidation.model import PositionModel, Swept
from bot.liquidation.parameters import DEFAULT, MODEL_VERSION, ModelParameters
from bot.liquidation.types import Cluster, History, LiquidationMap, Side

__all__ = [
    "DEFAULT",
    "MODEL_VERSION",
    "Bar",
    "Cluster",
    "History",
    "LiquidationMap",
    "ModelParameters",
    "PositionModel",
    "RiskTier",
    "Side",
    "Swept",
    "check_history",
    "distance_kernel",
    "liquidation_distance",
    "liquidation_price",
]
