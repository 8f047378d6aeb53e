"""The kinds of rule there are, each judged by its own module, and what makes each of them look."""

from collections.abc import Mapping

from bot.alerts.breakout import BREAKOUT
from bot.alerts.cascade import CASCADE
from bot.alerts.cascade import matter as cascade_matter
from bot.alerts.concentration import CONCENTRATION, DENSE, SPREAD
from bot.alerts.digest import MATTER as DIGEST
from bot.alerts.expiry import MATTER as EXPIRY
from bot.alerts.exposure import APPROACH, CROWD, CROWDS, EXPOSURE
from bot.alerts.flip import FLIP
from bot.alerts.flip import matter as flip_matter
from bot.alerts.growth import GROWTH
from bot.alerts.judge import Judge
from bot.alerts.new_cluster import NEW_CLUSTER
from bot.alerts.proximity import PROXIMITY
from bot.alerts.stop_hunt import STOP_HUNT
from bot.alerts.swept import SWEPT
from bot.alerts.types import Kind
from bot.liquidation.types import Side

JUDGES: Mapping[Kind, Judge] = {
    Kind.PROXIMITY: PROXIMITY,
    Kind.GROWTH: GROWTH,
    Kind.NEW_CLUSTER: NEW_CLUSTER,
    Kind.SWEPT: SWEPT,
    Kind.BREAKOUT: BREAKOUT,
    Kind.STOP_HUNT: STOP_HUNT,
    Kind.CASCADE: CASCADE,
    Kind.FLIP: FLIP,
    Kind.CONCENTRATION: CONCENTRATION,
    Kind.EXPOSURE: EXPOSURE,
}

WATCHABLE = frozenset({*JUDGES, Kind.DIGEST})
"""What a rule may ask for."""

AT_TICKS = frozenset({Kind.PROXIMITY, Kind.SWEPT})
AT_MAPS = frozenset({Kind.GROWTH, Kind.NEW_CLUSTER})
AFTER_SWEEPS = frozenset({Kind.BREAKOUT, Kind.STOP_HUNT})
MEASURED_AT_TICKS = AT_TICKS | {Kind.EXPOSURE}
OF_CLUSTERS = AT_TICKS | AT_MAPS | AFTER_SWEEPS
"""Kinds that speak of one cluster; the others speak of a market or of a chat's rules."""

MATTERS = frozenset(
    {*(flip_matter(side) for side in Side), *(cascade_matter(side) for side in Side), DENSE, SPREAD, DIGEST, EXPIRY}
    | {APPROACH, CROWD}
)
"""What states may be of that is no cluster."""


def judge_of(kind: Kind, matter: str = "") -> Judge:
    """The judge of a kind; of exposure each matter has its own."""
    return CROWDS if matter == CROWD else JUDGES[kind]
