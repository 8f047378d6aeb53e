"""The fonts of the drawn phone, and what is drawn for a character that none of them has.

DejaVu Sans comes with matplotlib and is an eighth wider than a phone's own font, so texts are set an eighth smaller:
lines then break, and labels are cut, where they would be on a phone.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
from matplotlib.font_manager import findSystemFonts, get_font
from PIL import ImageFont

SCALE = 2
"""Pixels of a drawing to one of a phone's screen."""

SUBSTITUTES = {"❗": "!", "🔔": "♪", "🔕": "∅", "🌙": "☾", "⏰": "⌚"}
"""Signs that no font here has, and others that stand for them."""

BOLD_SCALE, CHINESE_SCALE = 0.92, 1.12
"""DejaVu's bold is wider still beside a phone's; a Chinese character is as wide as its size on both."""

SIMPLIFIED = 2
"""The face of simplified Chinese in Noto's collection."""

_WESTERN = Path(mpl.get_data_path()) / "fonts" / "ttf"
_CHINESE_FILES = ("CJK", "NotoSansSC", "SourceHan", "wqy", "msyh", "PingFang", "DroidSansFallback")
_UNSEEN = {"\N{VARIATION SELECTOR-15}", "\N{VARIATION SELECTOR-16}", "\N{ZERO WIDTH JOINER}", "\N{SOFT HYPHEN}"}


@dataclass(frozen=True, slots=True)
class Style:
    """How a stretch of text looks; `link` covers links and commands."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    mono: bool = False
    link: bool = False


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters that one font draws, or with `font` None, the code point of one that none has."""

    text: str
    font: ImageFont.FreeTypeFont | None

    @property
    def width(self) -> float:
        return 0.0 if self.font is None else self.font.getlength(self.text)


@lru_cache(maxsize=1)
def chinese_file() -> Path | None:
    """A font that has Chinese characters: that of the pictures, or one of this machine; None where there is none."""
    if find_spec("noto_cjk_sans_otc") is not None:
        return Path(str(files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"))
    paths = [Path(name) for name in findSystemFonts()]
    likely = [path for path in paths if any(word in path.name for word in _CHINESE_FILES)]
    likely.sort(key=lambda path: ("Serif" in path.name, "Mono" in path.name, "Regular" not in path.name, path.name))
    return next((path for path in likely if ord("清") in _points(path)), None)


def has_chinese() -> bool:
    return chinese_file() is not None


@lru_cache(maxsize=8)
def _points(path: Path) -> frozenset[int]:
    return frozenset(get_font(str(path)).get_charmap())


def _files(style: Style) -> Sequence[Path]:
    """The fonts to try, first choice first."""
    family = "DejaVuSansMono" if style.mono else "DejaVuSans"
    slant = "Oblique" if style.italic else ""
    weight = "Bold" if style.bold else ""
    dash = "-" if weight or slant else ""
    first = [
        _WESTERN / f"{family}{dash}{weight}{slant}.ttf",
        _WESTERN / f"DejaVuSans{'-Bold' if style.bold else ''}.ttf",
    ]
    chinese = chinese_file()
    return [*first, *([chinese] if chinese is not None else [])]


@lru_cache(maxsize=256)
def _font(path: Path, px: float) -> ImageFont.FreeTypeFont:
    western = path.parent == _WESTERN
    scale = CHINESE_SCALE if not western else BOLD_SCALE if path.stem.startswith("DejaVuSans-Bold") else 1.0
    # A collection has a face for each country's shapes of the same characters.
    face = SIMPLIFIED if path.name.startswith("NotoSansCJK") and path.suffix == ".ttc" else 0
    return ImageFont.truetype(str(path), px * SCALE * scale, index=face)


@lru_cache(maxsize=8192)
def stretches(text: str, style: Style, px: float) -> tuple[Stretch, ...]:
    """A text cut into what one font each can draw."""
    return tuple(_stretches(text, style, px))


def _stretches(text: str, style: Style, px: float) -> Iterator[Stretch]:
    files = _files(style)
    seen = [SUBSTITUTES.get(c, c) for c in text if c not in _UNSEEN and unicodedata.category(c) != "Cf"]

    def file_of(character: str) -> Path | None:
        return next((path for path in files if ord(character) in _points(path)), None)

    for path, group in groupby(seen, key=file_of):
        if path is not None:
            yield Stretch("".join(group), _font(path, px))
            continue
        for character in group:
            yield Stretch(f"{ord(character):04X}", None)


def lacking(text: str) -> set[str]:
    """The characters of a text that no font here can draw."""
    files = _files(PLAIN)
    return {
        c
        for c in text
        if c not in _UNSEEN
        and c not in "\n\t"
        and unicodedata.category(c) != "Cf"
        and not any(ord(SUBSTITUTES.get(c, c)) in _points(path) for path in files)
    }


@lru_cache(maxsize=16384)
def width_of(text: str, style: Style, px: float) -> float:
    """How wide a text is drawn, in a phone's pixels."""
    hex_px = px * 0.45
    total = 0.0
    for piece in stretches(text, style, px):
        total += piece.width if piece.font is not None else lack_width(piece.text, hex_px)
    return total / SCALE


def lack_width(code: str, px: float) -> float:
    """The width in drawn pixels of the sign for a character without a glyph."""
    return _font(_WESTERN / "DejaVuSans.ttf", px).getlength(code) + 4 * SCALE


def shortened(text: str, width: float, style: Style, px: float) -> str:
    """The text as a phone shortens it to a width: its end gives way to an ellipsis."""
    if width_of(text, style, px) <= width:
        return text
    while text and width_of(text.rstrip() + "…", style, px) > width:
        text = text[:-1]
    return text.rstrip() + "…"
