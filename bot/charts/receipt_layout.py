"""Where everything of a receipt's picture stands, in whole pixels: pure, so that tests can see it too."""

import math
from dataclasses import dataclass

from bot.charts.boxes import Box, Caption, Ink, caption, place_apart
from bot.charts.fonts import fitted, legible, line_height
from bot.charts.heat import candles
from bot.charts.lives_layout import columns_of
from bot.charts.numbers import price_text
from bot.charts.page import TEXT_PX, header
from bot.charts.pictures import ReceiptPicture
from bot.charts.plane import CandleBoxes, Plane, candle_boxes, lay_plane
from bot.liquidation.types import Side

LEAST_REACH = 0.004  # in log price, around all that is shown
INSET = 10.0


@dataclass(frozen=True, slots=True)
class Note:
    """A text on the plane in a box of its own, and the point it speaks of; None where that is seen without."""

    box: Box
    line: Caption
    at: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ReceiptLayout:
    """The whole picture: the zone's box, the moment of the alert, and up to three notes."""

    plane: Plane
    candles: CandleBoxes
    side: Side
    zone: Box
    alert_x: float
    end_x: float
    notes: tuple[Note, ...]
    banner: Box | None
    captions: tuple[Caption, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must lie apart: each text once, a note or the price pill as one box."""
        framed = [self.plane.pill, *(note.box for note in self.notes), *filter(None, (self.banner,))]
        return (*framed, *(c.box for c in self.captions if not any(box.contains(c.box) for box in framed)))


def lay_out_receipt(picture: ReceiptPicture) -> ReceiptLayout:
    """Everything in its place, for any data."""
    times = columns_of(picture.bars.open_ms)
    drawn = candles(picture.bars, times)
    shown = (picture.low, picture.high, picture.alert_price, picture.reach, *drawn.low.tolist(), *drawn.high.tolist())
    now = float(picture.bars.close[-1]) if len(picture.bars) else picture.reach
    reach = max(LEAST_REACH, 0.12 * math.log(max(shown) / min(shown)))
    plane = lay_plane(
        low=min(shown) * math.exp(-reach),
        high=max(shown) * math.exp(reach),
        price=now,
        tick_size=picture.tick_size,
        numerals=picture.numerals,
        times_ms=times,
        beside_px=24.0,
        utc_offset_ms=picture.utc_offset_ms,
    )
    bottom, top = plane.y(picture.low), plane.y(picture.high)
    zone = Box(plane.frame.left, bottom, plane.frame.right, max(top, bottom + 3.0))
    head, banner = header(picture.title, picture.subtitle, picture.banner)
    alert_x, end_x = plane.x(picture.alert_ms), plane.x(picture.end_ms)
    return ReceiptLayout(
        plane=plane,
        candles=candle_boxes(drawn, plane),
        side=picture.side,
        zone=zone,
        alert_x=alert_x,
        end_x=end_x,
        notes=_notes(picture, plane, zone, alert_x),
        banner=banner,
        captions=(*head, *plane.captions),
    )


def _notes(picture: ReceiptPicture, plane: Plane, zone: Box, alert_x: float) -> tuple[Note, ...]:
    """What the zone is, when the alert came, how far price went; a note without room is left out, the last first."""
    low, high, start, reach = (
        price_text(price, picture.tick_size, picture.numerals)
        for price in (picture.low, picture.high, picture.alert_price, picture.reach)
    )
    frame = plane.frame
    zone_ink: Ink = "long" if picture.side is Side.LONG else "short"
    reach_x, reach_y, alert_y = plane.x(picture.reach_ms), plane.y(picture.reach), plane.y(picture.alert_price)
    wanted: tuple[tuple[str, Ink, tuple[float, float], float], ...] = (
        (
            f"{legible(picture.zone)} {low}\N{EN DASH}{high}",
            zone_ink,
            (frame.left + 40.0, 0.5 * (zone.bottom + zone.top)),
            0.5,
        ),
        (f"{legible(picture.alert)} {start}", "text", (alert_x, alert_y), 0.0),
        (f"{legible(picture.reached)} {reach}", "text", (reach_x, reach_y), 0.0),
    )
    notes: list[Note] = []
    for text, ink, (x, y), anchor in wanted:
        told, px = fitted(text, 0.45 * frame.width, TEXT_PX, bold=True)
        line = caption(told, 0.0, 0.0, px, ink, bold=True)
        box = place_apart(
            _places(plane, x, y, line.box.width + 2 * INSET, line_height(px) + INSET, anchor),
            [note.box for note in notes],
            gap=6.0,
        )
        if box is not None:
            at = (x, y) if ink == "text" else None
            base = box.bottom + 0.5 * (box.height - line_height(px))
            notes.append(Note(box, caption(told, box.left + INSET, base, px, ink, bold=True), at))
    return tuple(notes)


def _places(plane: Plane, x: float, y: float, width: float, height: float, anchor: float) -> list[Box]:
    """Boxes about a point, the nearest first, all inside the frame."""
    frame = plane.frame
    lefts = [x - anchor * width, x + 16.0, x - width - 16.0]
    places = []
    for away in (18.0, -18.0 - height, 70.0, -70.0 - height, 130.0, -130.0 - height, 200.0, -200.0 - height):
        for left in lefts:
            kept_left = round(min(max(left, frame.left + 6.0), frame.right - width - 6.0))
            bottom = round(min(max(y + away, frame.bottom + 12.0), frame.top - height - 6.0))
            places.append(Box(kept_left, bottom, kept_left + width, bottom + height))
    return places
