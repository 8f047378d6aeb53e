"""Which characters the pictures can draw, and how wide a text is.

Matplotlib brings DejaVu Sans (Latin, Greek, Cyrillic, Arabic and more); Chinese, Japanese and Korean are drawn by the
collection of Noto Sans that the package noto-cjk-sans-otc brings, in the shapes of simplified Chinese.
"""

import unicodedata
from functools import lru_cache
from importlib.resources import files

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties, fontManager, get_font

from bot.liquidation.values import replace

LATIN, EAST_ASIAN = "DejaVu Sans", "Noto Sans CJK SC"
_ASCENT, _DESCENT = 0.93, 0.24  # of DejaVu Sans, per pixel of size


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Families to draw with, first choice first: the same on every machine, whatever fonts it has of its own."""
    try:
        collection = files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"
    except ModuleNotFoundError:
        return (LATIN,)  # A picture with names in code points is better than none.
    fontManager.addfont(str(collection))
    # The collection has one weight: it stands in for bold too, rather than being looked for in vain.
    regular = next(entry for entry in fontManager.ttflist if entry.name == EAST_ASIAN)
    fontManager.ttflist.append(replace(regular, weight=700))
    return (LATIN, EAST_ASIAN)


@lru_cache(maxsize=64)
def typeface(px: int, *, bold: bool = False) -> FontProperties:
    """The pictures' font at a size in pixels; figures have 72 dots per inch, so that a point is a pixel."""
    return FontProperties(family=list(families()), weight="bold" if bold else "normal", size=px)


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    """Code points that the regular and the bold face both have."""
    covered = []
    for bold in (False, True):
        points: set[int] = set()
        for family in families():
            path = fontManager.findfont(FontProperties(family=family, weight="bold" if bold else "normal"))
            points |= get_font(path).get_charmap().keys()
        covered.append(points)
    return frozenset(covered[0] & covered[1])


def can_draw(text: str) -> bool:
    """Whether a text can be drawn as it is. Words in a language that cannot be are better sent in another one."""
    return all(ord(char) in _drawable() for char in unicodedata.normalize("NFC", text))


def legible(text: str) -> str:
    """The text in characters that can be drawn: others are spelled as code points (`5E01·5B89 USDT`), never as boxes.

    Control characters and line breaks become spaces; marks and symbols that cannot be drawn (emoji) are left out.
    """
    words: list[str] = []
    spelled = False
    for char in unicodedata.normalize("NFC", text):
        if unicodedata.category(char)[0] in "CZ":
            char = " "
        if ord(char) in _drawable():
            words.append((" " if spelled and char != " " else "") + char)
            spelled = False
        elif char.isalnum():
            words.append(("·" if spelled else " " if words and words[-1] != " " else "") + f"{ord(char):04X}")
            spelled = True
    return " ".join("".join(words).split())


@lru_cache(maxsize=4096)
def text_width(text: str, px: int, *, bold: bool = False) -> float:
    """Width in pixels of a legible text on one line."""
    renderer = RendererAgg(1, 1, 72)  # type: ignore[no-untyped-call]
    width, _, _ = renderer.get_text_width_height_descent(text, typeface(px, bold=bold), False)  # type: ignore[no-untyped-call]
    return float(width)


def line_height(px: int) -> float:
    return (_ASCENT + _DESCENT) * px


def descent(px: int) -> float:
    return _DESCENT * px


def fitted(text: str, width: float, px: int, *, least_px: int = 22, bold: bool = False) -> tuple[str, int]:
    """The text and the size at which it fits `width`: smaller first, then shortened with an ellipsis."""
    while px > least_px and text_width(text, px, bold=bold) > width:
        px -= 1
    if text_width(text, px, bold=bold) <= width:
        return text, px
    while text and text_width(text + "…", px, bold=bold) > width:
        text = text[:-1].rstrip()
    return text + "…", px
