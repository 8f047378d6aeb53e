"""The pictures: what a map looks like on a phone."""

from bot.charts.fonts import can_draw
from bot.charts.heatmap import draw_heatmap
from bot.charts.liquidation_map import draw_map
from bot.charts.pictures import HeatPicture, HeatWords, Layer, MapPicture, MapWords
from bot.charts.themes import ThemeName

__all__ = [
    "HeatPicture",
    "HeatWords",
    "Layer",
    "MapPicture",
    "MapWords",
    "ThemeName",
    "can_draw",
    "draw_heatmap",
    "draw_map",
]
