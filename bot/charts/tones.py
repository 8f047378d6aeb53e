"""A side's colour in steps, told apart by lightness alone: from a theme's panel to the side's tone and beyond."""

import numpy as np
from matplotlib.colors import to_rgb

from bot.charts.themes import Theme
from bot.liquidation.types import Floats, Side

WEAKEST, STRONGEST = 0.26, 0.5
"""How far the first step is from the panel to the tone, and the last one from the tone to the text."""


def tone(theme: Theme, side: Side) -> str:
    return theme.long if side is Side.LONG else theme.short


def blend(one: str, other: str, share: float | Floats) -> Floats:
    """The colour that lies this share of the way from one to the other: red, green and blue from 0 to 1.

    Shares of the shape (n, 1) give as many colours, (n, 3).
    """
    start = np.array(to_rgb(one))
    mixed: Floats = start + share * (np.array(to_rgb(other)) - start)
    return mixed


def steps(theme: Theme, side: Side, count: int) -> Floats:
    """Colours of `count` layers, (count, 3): rising in contrast to the panel, the last one of neither side's hue."""
    inner = max(count - 2, 1)
    shares = [WEAKEST + (1.0 - WEAKEST) * step / inner for step in range(inner)]
    rising = [blend(theme.panel, tone(theme, side), share) for share in (*shares[: count - 2], 1.0)]
    if count > 2:
        rising[-1] = blend(tone(theme, side), theme.text, STRONGEST)
    colours: Floats = np.array([*rising, blend(theme.panel, theme.muted, 0.55)][-count:])
    return colours
