"""How what lies on a plane of time and price is painted: its grid, candles, and the price of now."""

import numpy as np

from bot.charts.boxes import Box
from bot.charts.canvas import Canvas
from bot.charts.plane import CandleBoxes, Plane
from bot.charts.themes import Theme


def paint_grid(canvas: Canvas, plane: Plane, theme: Theme) -> None:
    frame = plane.frame
    for y in plane.tick_y:
        canvas.box(Box(frame.left, y, frame.right, y + 1), theme.muted, alpha=0.18)
    for x in plane.tick_x:
        canvas.box(Box(x, frame.bottom - 8, x + 2, frame.bottom), theme.frame)


def paint_candles(canvas: Canvas, candles: CandleBoxes, theme: Theme) -> None:
    """Rising candles are filled, falling ones hollow: told apart without hue."""
    if not len(candles.bodies):
        return
    for boxes in (candles.wicks, candles.bodies):
        left, bottom, right, top = boxes.T
        canvas.rectangles(left, bottom, right, top, theme.text)
    left, bottom, right, top = candles.bodies[~candles.rising].T
    open_ = (top - bottom > 2) & (right - left > 2)
    if open_.any():
        canvas.rectangles(left[open_] + 1, bottom[open_] + 1, right[open_] - 1, top[open_] - 1, theme.background)


def paint_price(canvas: Canvas, plane: Plane, theme: Theme) -> None:
    frame, y = plane.frame, plane.price_y
    line = np.array([(frame.left, y + 0.5), (frame.right + 8, y + 0.5)])
    canvas.lines([line], theme.price, 2.0, alpha=0.9, dashes=(5.0, 4.0))
    canvas.pill(plane.pill, theme.price)
