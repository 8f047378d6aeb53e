"""All kinds of pictures: whatever they are asked to show is drawn, and leaves no memory behind."""

import gc
import io
import resource
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.charts import HeatPicture, LivesPicture, MapPicture, Picture, ReceiptPicture, ThemeName, draw
from bot.charts.page import HEIGHT, WIDTH
from bot.liquidation.values import replace
from tests.unit.charts.maps import NUMERALS, a_map, a_picture, in_layers, usual
from tests.unit.charts.pasts import a_lives_picture, a_receipt_picture
from tests.unit.charts.test_heatmap import a_heat_picture

STATM = Path("/proc/self/statm")
PRICES = (1e-8, 4.2e-4, 0.2, 9.999, 91_234.5, 1e6)
CHINESE = "币安人生 · 清算热力图"


Numbered = MapPicture | HeatPicture | LivesPicture | ReceiptPicture
"""Pictures that write numbers themselves."""


def a_random_map(seed: int) -> MapPicture:
    """Thin and huge markets, one side or both or none, a cluster at the price, with and without open interest."""
    rng = np.random.default_rng(seed)
    bins = int(rng.choice([1, 2, 50, 159, 241, 600]))
    scale = 10.0 ** rng.uniform(-2, 10)
    at, height = np.arange(bins), np.zeros((2, bins))
    for _ in range(int(rng.integers(0, 6))):
        hill = np.exp(-0.5 * ((at - rng.integers(0, bins)) / rng.uniform(0.5, 12.0)) ** 2)
        height[int(rng.integers(0, 2))] += scale * rng.gamma(1.0) * hill
    long, short = height[0] * (at <= bins // 2), height[1] * (at >= bins // 2)
    drawn = a_map(
        long,
        short,
        price=float(rng.choice(PRICES)),
        offset=float(rng.choice([0.0, 0.5, 0.999])),
        open_interest="estimated" if seed % 3 == 0 else "measured",
    )
    picture = a_picture(drawn, tick_size=float(rng.choice([1e-10, 1e-4, 0.5])), proven=seed % 2 == 0, title=CHINESE)
    return in_layers(picture) if seed % 4 == 0 else picture


def a_random_picture(seed: int) -> Numbered:
    price = PRICES[seed % len(PRICES)]
    volatility = (0.0, 0.002, 0.03)[seed % 3]
    match seed % 5:
        case 0:
            return a_heat_picture((0, 1, 2, 150)[seed % 4], price=price, volatility=volatility, seed=seed)
        case 1:
            return a_lives_picture((0, 2, 288)[seed % 3], clusters=seed % 6, price=price, seed=seed)
        case 2:
            return a_receipt_picture((0, 1, 80)[seed % 3], price=price, volatility=volatility, seed=seed)
        case _:
            return a_random_map(seed)


def check_drawn(png: bytes) -> None:
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == (WIDTH, HEIGHT)
        assert np.asarray(image.convert("L")).std() > 3


@pytest.mark.parametrize("seed", range(50))
def test_any_picture_is_drawn(seed: int) -> None:
    theme: ThemeName = "dark" if seed % 2 else "light"
    picture = replace(a_random_picture(seed), numerals=list(NUMERALS.values())[seed % len(NUMERALS)])
    check_drawn(draw(picture, theme=theme))


def resident_mb() -> float:
    return int(STATM.read_text().split()[1]) * resource.getpagesize() / 1e6


def grown_mb(drawings: int) -> float:
    """How much more memory is held after so many pictures of all kinds than before, in the calmest of three stretches:
    a leak grows in each, an allocator that has not settled yet only in some."""
    pictures: list[Picture] = [usual(), in_layers(usual()), a_heat_picture(), a_lives_picture(), a_receipt_picture()]
    held = [0.0]
    for _ in range(4):
        for number in range(drawings):
            draw(pictures[number % len(pictures)])
        gc.collect()
        held.append(resident_mb())
    return min(after - before for before, after in pairwise(held[1:]))


@pytest.mark.skipif(not STATM.exists(), reason="reads the resident memory from Linux's /proc")
def test_drawings_leave_no_memory_behind() -> None:
    assert grown_mb(20) < 5


@pytest.mark.soak
@pytest.mark.skipif(not STATM.exists(), reason="reads the resident memory from Linux's /proc")
def test_a_thousand_drawings_leave_no_memory_behind() -> None:
    assert grown_mb(250) < 10


@pytest.mark.soak
def test_two_hundred_random_maps_are_drawn() -> None:
    for seed in range(200):
        check_drawn(draw(a_random_map(seed)))
