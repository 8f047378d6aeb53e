"""Maps of every shape for the pictures to draw."""

import numpy as np

from bot.charts.pictures import Layer, MapPicture, MapWords
from bot.liquidation.clusters import find_clusters
from bot.liquidation.types import Cluster, Floats, LiquidationMap, OpenInterestSource
from bot.liquidation.values import replace
from bot.telegram.texts import Catalogue

NUMERALS = {language: texts.figures for language, texts in Catalogue.load().languages.items()}
ENGLISH = NUMERALS["en"]

WORDS = MapWords(
    longs="Longs below",
    shorts="Shorts above",
    cumulative="Cumulative",
    strength="Relative strength",
    price="Price now",
    empty="No open positions",
)


def hills(*specs: tuple[float, float, float], n: int = 241) -> Floats:
    """Sum of Gaussian hills, each (bin of the top, height, sd in bins)."""
    x = np.arange(n)
    return sum((h * np.exp(-0.5 * ((x - at) / sd) ** 2) for at, h, sd in specs), np.zeros(n))


def a_map(
    long: Floats,
    short: Floats,
    *,
    price: float = 100.0,
    offset: float = 0.5,
    open_interest: OpenInterestSource = "measured",
) -> LiquidationMap:
    """Bins of 0.1 % in log price; the price stands `offset` of a bin above the low edge of the middle bin."""
    n = len(long)
    edges = price * np.exp((np.arange(n + 1) - n // 2 - offset) * 0.001)
    totals = 2.0 * float(long.sum()), 2.0 * float(short.sum())
    return LiquidationMap(0, price, edges[:-1], edges[1:], long, short, *totals, open_interest)


def a_picture(
    liquidation_map: LiquidationMap,
    *,
    title: str = "BTCUSDT",
    subtitle: str = "Binance, 30 days, data 40 s old",
    words: MapWords = WORDS,
    tick_size: float = 0.01,
    price: float | None = None,
    highlight: Cluster | None = None,
    banner: str = "",
    proven: bool = True,
) -> MapPicture:
    return MapPicture(
        map=liquidation_map,
        clusters=find_clusters(liquidation_map, day_volatility=0.02),
        title=title,
        subtitle=subtitle,
        words=words,
        tick_size=tick_size,
        numerals=ENGLISH,
        proven=proven,
        price=price,
        highlight=highlight,
        banner=banner,
    )


def usual() -> MapPicture:
    """Two clusters to each side of a price of 100."""
    long = 1e6 * hills((60, 3.0, 5.0), (95, 5.0, 4.0))
    short = 1e6 * hills((150, 4.0, 4.0), (190, 6.0, 6.0))
    return a_picture(a_map(long, short))


LAYERS = ("≤5×", "6–10×", "11–25×", ">25×", "cross")


def in_layers(picture: MapPicture) -> MapPicture:
    """The picture by leverage, a fifth of each bin in every layer."""
    drawn = picture.map
    layers = tuple(Layer(name, drawn.long_usd / len(LAYERS), drawn.short_usd / len(LAYERS)) for name in LAYERS)
    return replace(picture, layers=layers)
