"""The pictures, as a phone shows them: a map, its past, lives of clusters, cascades, what came of an alert, tables."""

from bot.charts.drawing import Picture, draw
from bot.charts.fonts import can_draw
from bot.charts.heatmap import draw_heatmap
from bot.charts.liquidation_map import draw_map
from bot.charts.pictures import (
    CascadePicture,
    CascadeWords,
    ChainArrow,
    HeatPicture,
    HeatWords,
    Layer,
    LivesPicture,
    MapPicture,
    MapWords,
    ReceiptPicture,
    Ribbon,
)
from bot.charts.table_picture import Cell, Column, TablePicture
from bot.charts.themes import ThemeName

__all__ = [
    "CascadePicture",
    "CascadeWords",
    "Cell",
    "ChainArrow",
    "Column",
    "HeatPicture",
    "HeatWords",
    "Layer",
    "LivesPicture",
    "MapPicture",
    "MapWords",
    "Picture",
    "ReceiptPicture",
    "Ribbon",
    "TablePicture",
    "ThemeName",
    "can_draw",
    "draw",
    "draw_heatmap",
    "draw_map",
]
