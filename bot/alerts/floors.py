"""Which clusters are big enough for a rule, and on its side."""

from bot.alerts.types import Rule
from bot.liquidation.types import Cluster

DEFAULT_MIN_STRENGTH = 60
"""The floor of a rule that names neither size nor strength."""


def floors(rule: Rule) -> tuple[float, float]:
    """(minimum strength, minimum USD) of a rule, with the default where it names neither."""
    if rule.min_strength is None and rule.min_usd is None:
        return float(DEFAULT_MIN_STRENGTH), 0.0
    return float(rule.min_strength or 0), rule.min_usd or 0.0


def meets_floor(rule: Rule, cluster: Cluster) -> bool:
    """Whether the cluster is on the rule's side and reaches its floors."""
    min_strength, min_usd = floors(rule)
    return (
        (rule.side is None or rule.side is cluster.side) and cluster.strength >= min_strength and cluster.usd >= min_usd
    )
