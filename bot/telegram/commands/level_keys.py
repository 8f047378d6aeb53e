"""Under /levels: a break of the nearest cluster above or below, or its opposite, a stop hunt there, by one tap."""

from collections.abc import Sequence

from bot.alerts.breakout import NORMAL_HOLD_MS
from bot.alerts.stop_hunt import NORMAL_WINDOW_MS
from bot.alerts.types import Kind, Market, Rule, Where
from bot.delivery.messenger import Button, Keyboard
from bot.liquidation.levels import Level
from bot.liquidation.types import Cluster, Side
from bot.telegram.callbacks import key
from bot.telegram.commands.line import line_of
from bot.telegram.scene import Scene

WINDOWS_MS = {Kind.BREAKOUT: NORMAL_HOLD_MS, Kind.STOP_HUNT: NORMAL_WINDOW_MS}
ANY_STRENGTH = 1
"""Who points at a cluster means it, however strong it is."""


def break_keys(
    scene: Scene, market: Market, tick_size: float, above: Sequence[Level], below: Sequence[Level]
) -> Keyboard:
    """A row for breaks and one for stop hunts, of the nearest cluster on each side."""
    nearest = [levels[0].cluster for levels in (above, below) if levels]
    found = (tuple(_keys(scene, market, tick_size, kind, nearest)) for kind in WINDOWS_MS)
    return tuple(row for row in found if row)


def _keys(scene: Scene, market: Market, tick_size: float, kind: Kind, clusters: Sequence[Cluster]) -> list[Button]:
    found = []
    for cluster in clusters:
        level = scene.texts.figures.level(_far(cluster), tick_size)
        label = scene.texts.label(f"button.{kind}_{cluster.side}", level=level)
        found.append(key(label, "wt", line_of(scene, _rule(scene, market, kind, cluster))))
    return [each for each in found if len((each.data or "").encode()) <= scene.data_bytes]


def _rule(scene: Scene, market: Market, kind: Kind, cluster: Cluster) -> Rule:
    """A rule of this cluster: of its side, none lies nearer to the price than up to its far edge."""
    edge = float(f"{_far(cluster):.6g}")
    where = Where(price_high=edge) if cluster.side is Side.SHORT else Where(price_low=edge)
    return Rule(
        id=0,
        chat=scene.chat,
        market=market,
        kind=kind,
        threshold_pct=0.0,
        window_ms=WINDOWS_MS[kind],
        side=cluster.side,
        min_strength=ANY_STRENGTH,
        where=where,
    )


def _far(cluster: Cluster) -> float:
    """The edge whose break clears the cluster."""
    return cluster.high if cluster.side is Side.SHORT else cluster.low
