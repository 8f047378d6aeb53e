"""The pictures: a map, its past, the lives of its clusters and what came of an alert, as they look on a phone."""

from bot.charts.drawing import Picture, draw
from bot.charts.fonts import can_draw
from bot.charts.heatmap import draw_heatmap
from bot.charts.liquidation_map import draw_map
from bot.charts.pictures import (
    HeatPicture,
    HeatWords,
    Layer,
    LivesPicture,
    MapPicture,
    MapWords,
    ReceiptPicture,
    Ribbon,
)
from bot.charts.themes import ThemeName

__all__ = [
    "HeatPicture",
    "HeatWords",
    "Layer",
    "LivesPicture",
    "MapPicture",
    "MapWords",
    "Picture",
    "ReceiptPicture",
    "Ribbon",
    "ThemeName",
    "can_draw",
    "draw",
    "draw_heatmap",
    "draw_map",
]
