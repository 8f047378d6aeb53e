"""The liquidation map as a picture: its size, its colours, and what it costs to draw."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.charts import draw_map
from bot.charts.map_frame import FRAME
from bot.charts.map_layout import lay_out
from bot.charts.page import HEIGHT, WIDTH
from bot.charts.themes import THEMES, Theme, ThemeName
from bot.liquidation.types import LiquidationMap
from bot.liquidation.values import replace
from tests.unit.charts.maps import a_map, a_picture, hills, usual


def pixels(png: bytes) -> np.ndarray:
    """Rows from the bottom, shape (height, width, 3)."""
    assert png.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == (WIDTH, HEIGHT)
        return np.asarray(image.convert("RGB"))[::-1]


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def luminance(colour: str) -> float:
    channel = rgb(colour) / 255.0
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    """By WCAG 2: 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_picture_shows_long_left_short_right_and_the_price_between(theme: ThemeName) -> None:
    picture = usual()
    image, layout, colours = pixels(draw_map(picture, theme=theme)), lay_out(picture), THEMES[theme]
    assert image[HEIGHT - 2, 2].tolist() == rgb(colours.background).tolist()
    assert image[320, int(layout.price_x)].tolist() == rgb(colours.price).tolist()
    for laid, colour in zip(layout.sides, (colours.long, colours.short), strict=True):
        tallest = int(laid.tops.argmax())
        x = int(0.5 * (laid.bars.inner[tallest] + laid.bars.outer[tallest]))
        bar = image[int(FRAME.bottom) + 2 : int(laid.tops[tallest]) - 2, x]  # the curve crosses it somewhere
        assert np.abs(np.median(bar, axis=0) - rgb(colour)).max() < 40


def test_bars_end_on_whole_pixels() -> None:
    picture = usual()
    image, layout = pixels(draw_map(picture)), lay_out(picture)
    short = layout.sides[1]
    row = image[int(FRAME.bottom) + 3]
    tallest = int(short.tops.argmax())
    left, right = int(short.bars.inner[tallest]), int(short.bars.outer[tallest])
    inside = row[left : right - 1]
    assert np.all(inside == inside[0])
    assert not np.array_equal(row[right - 1], inside[0])


ODD: dict[str, LiquidationMap] = {
    "no bins": LiquidationMap(0, 1.0, *(np.array([]),) * 4, 0.0, 0.0, "measured"),
    "all zero": a_map(np.zeros(241), np.zeros(241)),
    "one bin": a_map(np.array([5.0]), np.array([3.0])),
    "one side": a_map(np.zeros(241), hills((150, 5.0, 3.0))),
    "a cluster at the price": a_map(hills((119, 5.0, 3.0)), hills((121, 5.0, 3.0))),
    "a price of 1e-8": a_map(hills((60, 5.0, 3.0)), hills((150, 5.0, 3.0)), price=1e-8),
    "a price of a million": a_map(1e12 * hills((60, 5.0, 3.0)), hills((150, 5.0, 3.0)), price=1e6),
    "estimated": a_map(hills((60, 5.0, 3.0)), hills((150, 5.0, 3.0)), open_interest="estimated"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_maps_are_drawn(kind: str) -> None:
    assert pixels(draw_map(a_picture(ODD[kind]))).std() > 5


@pytest.mark.parametrize("title", ["币安人生USDT", "$BTC$_{x}^2", r"\frac{1}{2}", "", "A\nB"])
def test_any_title_is_drawn_and_never_read_as_markup(title: str) -> None:
    plain = pixels(draw_map(a_picture(usual().map, title="")))
    drawn = pixels(draw_map(a_picture(usual().map, title=title, banner=title)))
    assert np.array_equal(plain[:600], drawn[:600])
    assert np.array_equal(plain[700:], drawn[700:]) == (title == "")


def test_the_same_request_gives_the_same_bytes() -> None:
    assert draw_map(usual()) == draw_map(usual())


def test_a_banner_is_seen() -> None:
    image = pixels(draw_map(a_picture(usual().map, banner="SIMULATED MARKET")))
    amber = np.all(image[700:] == rgb(THEMES["dark"].banner), axis=-1)
    assert amber.sum() > 5_000


def test_drawing_touches_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_map(usual())
    monkeypatch.chdir(tmp_path)
    draw_map(usual())
    assert list(tmp_path.iterdir()) == []


def test_two_threads_draw_what_one_does() -> None:
    pictures = [usual(), a_picture(usual().map, title="ETHUSDT")] * 3
    with ThreadPoolExecutor(2) as pool:
        drawn = list(pool.map(draw_map, pictures))
    assert drawn == [draw_map(picture) for picture in pictures]


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_texts_and_bars_stand_out_from_what_is_behind_them(theme: Theme) -> None:
    for ink in (theme.text, theme.muted):
        assert contrast(ink, theme.background) >= 4.5
        assert contrast(ink, theme.panel) >= 4.5
    assert contrast(theme.on_price, theme.price) >= 7
    assert contrast(theme.on_banner, theme.banner) >= 7
    for tone in (theme.long, theme.short):
        assert contrast(tone, theme.panel) >= 3
        assert contrast(tone, theme.on_price) >= 3


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize(
    "cone",
    [
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ],
    ids=["without red cones", "without green cones"],
)
def test_sides_differ_for_colour_blind_eyes(theme: Theme, cone: list[list[float]]) -> None:
    """The matrices are those of Machado, Oliveira and Fernandes (2009) at full severity."""
    seen = np.array(cone)
    assert np.abs(seen @ rgb(theme.long) - seen @ rgb(theme.short)).max() > 100


def test_a_level_of_one_s_own_is_a_dashed_line() -> None:
    picture = replace(usual(), level=0.95 * usual().map.price)
    x = lay_out(picture).level_x
    assert x is not None
    before, after = pixels(draw_map(usual())), pixels(draw_map(picture))
    column = (before != after).any(axis=2)[round(FRAME.bottom) + 4 : 500, round(x)]
    assert 0.3 < column.mean() < 0.999
    ink = (np.abs(after[round(FRAME.bottom) + 4 : 500, round(x)] - rgb(THEMES["dark"].price)) < 24).all(axis=1)
    assert np.count_nonzero(np.diff(ink.astype(int)) == 1) > 10
