"""The pictures: what a map looks like on a phone."""

from bot.charts.fonts import can_draw
from bot.charts.liquidation_map import draw_map
from bot.charts.pictures import MapPicture, MapWords
from bot.charts.themes import ThemeName

__all__ = ["MapPicture", "MapWords", "ThemeName", "can_draw", "draw_map"]
