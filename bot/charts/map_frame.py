"""The fixed lines of a liquidation map's picture, in pixels from the lower left corner."""

from bot.charts.boxes import Box

FRAME = Box(86, 94, 1176, 634)
LANE = Box(FRAME.left, 534, FRAME.right, 626)  # cluster labels; bars and curves stay below
BARS_TOP = 514
LABELLED = 3
GRID_Y = tuple(round(FRAME.bottom + 0.25 * quarter * (BARS_TOP - FRAME.bottom)) for quarter in (1, 2, 3, 4))
