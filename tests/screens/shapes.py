"""Shapes that the phone is drawn of; lengths in its own pixels."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from tests.screens.faces import SCALE
from tests.screens.skin import Colour


def box(draw: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float, round_px: float, fill: Colour) -> None:
    """A filled rectangle with round corners."""
    corners = (x * SCALE, y * SCALE, (x + wide) * SCALE - 1, (y + high) * SCALE - 1)
    draw.rounded_rectangle(corners, round_px * SCALE, fill=fill)


def outline(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    wide: float,
    high: float,
    round_px: float,
    colour: Colour,
    *,
    width: int = 2,
) -> None:
    """The edge of one."""
    corners = (x * SCALE, y * SCALE, (x + wide) * SCALE - 1, (y + high) * SCALE - 1)
    draw.rounded_rectangle(corners, round_px * SCALE, outline=colour, width=width)


def paste(strip: Image.Image, picture: Image.Image, x: float, y: float, wide: float, high: float) -> None:
    """Put a picture into its place with round corners."""
    size = (round(wide * SCALE), round(high * SCALE))
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 12 * SCALE, fill=255)
    strip.paste(picture.resize(size, Image.Resampling.LANCZOS), (round(x * SCALE), round(y * SCALE)), mask)


def stacked(strips: Sequence[Image.Image], wall: Colour) -> Image.Image:
    """Strips under each other."""
    if len(strips) == 1:
        return strips[0]
    whole = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)), wall)
    y = 0
    for strip in strips:
        whole.paste(strip, (0, y))
        y += strip.height
    return whole
