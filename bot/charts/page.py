"""What all pictures have in common: their size, the sizes of their texts, and the header."""

from bot.charts.boxes import Box, Caption, caption
from bot.charts.fonts import fitted, legible

WIDTH, HEIGHT = 1280, 800
PAGE = Box(0, 0, WIDTH, HEIGHT)
SIDE_MARGIN = 32
TITLE_PX, TEXT_PX, LABEL_PX, TICK_PX, LEAST_PX = 46, 26, 30, 24, 22


def header(title: str, subtitle: str, banner: str) -> tuple[list[Caption], Box | None]:
    """Title and subtitle on the left; a banner, where there is one, in a box of its own on the right."""
    captions, box, right = [], None, float(WIDTH - SIDE_MARGIN)
    if text := legible(banner):
        text, px = fitted(text, 520, 28, bold=True)
        inner = caption(text, right - 20, 741, px, "on_banner", bold=True, anchor=1.0)
        captions.append(inner)
        box = Box(inner.box.left - 20, 730, right, 784)
        right = box.left - 24
    text, px = fitted(legible(title), right - SIDE_MARGIN, TITLE_PX, least_px=30, bold=True)
    captions.append(caption(text, SIDE_MARGIN, 729, px, "text", bold=True))
    text, px = fitted(legible(subtitle), WIDTH - 2 * SIDE_MARGIN, TEXT_PX)
    captions.append(caption(text, SIDE_MARGIN, 691, px, "muted"))
    return captions, box


def notice(text: str, frame: Box) -> tuple[Box | None, list[Caption]]:
    """What is said where there is nothing to draw, in a box in the middle of the frame; nothing for an empty text."""
    text, px = fitted(legible(text), frame.width - 120, LABEL_PX)
    if not text:
        return None, []
    line = caption(text, round(frame.centre), 300, px, "text", anchor=0.5)
    return Box(line.box.left - 24, line.box.bottom - 14, line.box.right + 24, line.box.top + 14), [line]
