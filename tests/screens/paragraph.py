"""Styled text set in lines of a width, and drawn."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import ImageDraw, ImageFont

from tests.screens.faces import SCALE, Style, lack_width, stretches, width_of
from tests.screens.markup import Run
from tests.screens.skin import Colour

_WORD = re.compile(r"[ \t]+|[^ \t]+")
"""A line never ends at a space that does not break, as numbers have it between their thousands."""
_NEVER_FIRST = frozenset("，。、：；！？）》」』％·…")
"""Signs that a line of Chinese never begins with."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one style at a place in its line; lengths in a phone's pixels."""

    text: str
    style: Style
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `broken` tells that it ended for want of room and not at a line break."""

    pieces: tuple[Piece, ...]
    broken: bool = False

    @property
    def width(self) -> float:
        return max((piece.x + piece.width for piece in self.pieces if piece.text.strip()), default=0.0)


def set_lines(runs: Sequence[Run], width: float, px: float, *, mono_px: float | None = None) -> list[Line]:
    """Break runs into lines: at line breaks, between words, between Chinese characters, and inside endless words."""
    lines: list[Line] = []
    current: list[Piece] = []
    x = 0.0

    def size_of(style: Style) -> float:
        return mono_px if style.mono and mono_px is not None else px

    def end(*, broken: bool) -> None:
        nonlocal current, x
        lines.append(Line(tuple(current), broken))
        current, x = [], 0.0

    def put(text: str, style: Style) -> None:
        nonlocal x
        wide = width_of(text, style, size_of(style))
        current.append(Piece(text, style, x, wide))
        x += wide

    for word in _words(runs):
        if word is None:
            end(broken=False)
            continue
        wide = sum(width_of(text, style, size_of(style)) for text, style in word)
        blank = not "".join(text for text, _ in word).strip()
        if x + wide > width and current and not blank:
            end(broken=True)
        if wide <= width or blank:
            for text, style in word:
                put(text, style)
            continue
        for text, style in word:
            for character in text:
                if x + width_of(character, style, size_of(style)) > width and current:
                    end(broken=True)
                put(character, style)
    end(broken=False)
    return lines


def _words(runs: Sequence[Run]) -> Iterator[list[tuple[str, Style]] | None]:
    """What must not be broken, each a list of (text, style), with None for a line break."""
    word: list[tuple[str, Style]] = []
    for run in runs:
        for number, part in enumerate(run.text.split("\n")):
            if number:
                if word:
                    yield word
                word = []
                yield None
            for found in _WORD.findall(part):
                for atom in _atoms(found):
                    begins = atom[0] in " \t" or (_is_wide(atom[0]) and atom[0] not in _NEVER_FIRST)
                    after = word and (word[-1][0][0] in " \t" or _is_wide(word[-1][0][-1]))
                    if word and (begins or (after and atom[0] not in _NEVER_FIRST)):
                        yield word
                        word = []
                    word.append((atom, run.style))
    if word:
        yield word


def _atoms(word: str) -> list[str]:
    """A word without blanks, its Chinese characters apart."""
    if word.isspace() or not any(_is_wide(c) for c in word):
        return [word]
    return re.findall(
        r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\u3000-\u303f]|[^\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\u3000-\u303f]+",
        word,
    )


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def draw_text(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, style: Style, px: float, colour: Colour, alarm: Colour
) -> None:
    """Draw one line of text with its top left at (x, y), in a phone's pixels; `y` is that of the line's middle."""
    at, middle = x * SCALE, y * SCALE
    for piece in stretches(text, style, px):
        if piece.font is None:
            at += _draw_lack(draw, at, middle, piece.text, px * 0.45, alarm)
            continue
        draw.text((at, middle), piece.text, font=piece.font, fill=colour, anchor="lm")
        at += piece.width
    if style.underline or style.strike:
        height = middle + (px * 0.45 * SCALE if style.underline else 0)
        draw.line((x * SCALE, height, at, height), fill=colour, width=SCALE)


def _draw_lack(draw: ImageDraw.ImageDraw, at: float, middle: float, code: str, px: float, alarm: Colour) -> float:
    """The code point of a character that cannot be drawn, so that it is seen and never taken for a box."""
    wide = lack_width(code, px)
    font = ImageFont.load_default(px * SCALE)
    draw.text((at + 2 * SCALE, middle), code, font=font, fill=alarm, anchor="lm")
    return wide
