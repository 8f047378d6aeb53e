"""Whatever picture is asked for, drawn."""

from bot.charts.cascade import draw_cascade
from bot.charts.cluster_lives import draw_lives
from bot.charts.heatmap import draw_heatmap
from bot.charts.liquidation_map import draw_map
from bot.charts.pictures import CascadePicture, HeatPicture, LivesPicture, MapPicture, ReceiptPicture
from bot.charts.receipt import draw_receipt
from bot.charts.table import draw_table
from bot.charts.table_picture import TablePicture
from bot.charts.themes import ThemeName

Picture = MapPicture | HeatPicture | LivesPicture | ReceiptPicture | CascadePicture | TablePicture


def draw(picture: Picture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280x800 pixels, a short table lower. Safe in a worker thread; reads and writes no file."""
    match picture:
        case MapPicture():
            return draw_map(picture, theme=theme)
        case HeatPicture():
            return draw_heatmap(picture, theme=theme)
        case LivesPicture():
            return draw_lives(picture, theme=theme)
        case ReceiptPicture():
            return draw_receipt(picture, theme=theme)
        case CascadePicture():
            return draw_cascade(picture, theme=theme)
        case TablePicture():
            return draw_table(picture, theme=theme)
