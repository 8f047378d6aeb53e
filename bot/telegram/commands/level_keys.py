"""Under /levels: a break of the nearest cluster above or below, or its opposite, a stop hunt there, by one tap."""

from collections.abc import Sequence

from bot.alerts.breakout import NORMAL_HOLD_MS
from bot.alerts.stop_hunt import NORMAL_WINDOW_MS
from bot.alerts.types import Kind, Market, Rule, Where
from bot.delivery.messenger import Keyboard
from bot.liquidation.levels import Level
from bot.liquidation.types import Cluster, Side
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands import watch
from bot.telegram.scene import Answer, Scene

WINDOWS_MS = {Kind.BREAKOUT: NORMAL_HOLD_MS, Kind.STOP_HUNT: NORMAL_WINDOW_MS}
ANY_STRENGTH = 1
"""Who points at a cluster means it, however strong it is."""


def break_keys(
    scene: Scene, market: Market, tick_size: float, above: Sequence[Level], below: Sequence[Level]
) -> Keyboard:
    """A row for breaks and one for stop hunts, of the nearest cluster on each side."""
    edges = [(levels[0].cluster.side, _far(levels[0].cluster)) for levels in (above, below) if levels]
    if not edges:
        return ()
    return tuple(
        tuple(
            key(
                scene.texts.label(f"button.{kind}_{side}", level=scene.texts.figures.level(edge, tick_size)),
                "lw",
                *(market_arg(market), kind.value, side.value, f"{edge:.6g}"),
            )
            for side, edge in edges
        )
        for kind in WINDOWS_MS
    )


async def chosen(scene: Scene, market: Market, kind: str, side: str, edge: str) -> Answer:
    """Make the rule of a break or of a stop hunt. Raises TooManyRulesError."""
    level = watch.read_level(edge)
    if kind not in set(WINDOWS_MS) or side not in set(Side) or level is None:
        return await watch.sensitivity_menu(scene, market)
    # Of its side, none lies nearer to the price than up to its far edge.
    where = Where(price_high=level) if side == Side.SHORT else Where(price_low=level)
    rule = Rule(
        id=0,
        chat=scene.chat,
        market=market,
        kind=Kind(kind),
        threshold_pct=0.0,
        window_ms=WINDOWS_MS[Kind(kind)],
        side=Side(side),
        min_strength=ANY_STRENGTH,
        where=where,
        created_ms=scene.now_ms,
    )
    return await watch.add(scene, rule)


def _far(cluster: Cluster) -> float:
    """The edge whose break clears the cluster."""
    return cluster.high if cluster.side is Side.SHORT else cluster.low
