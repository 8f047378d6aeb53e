"""The kinds of rule there are, each judged by its own module."""

from collections.abc import Mapping

from bot.alerts.growth import GROWTH
from bot.alerts.judge import Judge
from bot.alerts.proximity import PROXIMITY
from bot.alerts.types import Kind

JUDGES: Mapping[Kind, Judge] = {Kind.PROXIMITY: PROXIMITY, Kind.GROWTH: GROWTH}
