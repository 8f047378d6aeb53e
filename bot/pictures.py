"""Pictures for messages: the catalogue's words and a market's numbers on the charts, drawn off the event loop."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from math import isinf

import numpy as np

from bot.charts import Layer, MapPicture, MapWords, Picture, draw
from bot.charts.themes import ThemeName, theme_named
from bot.liquidation import Cluster, LiquidationMap
from bot.liquidation.combining import VenuePart
from bot.liquidation.leverage import LEVERAGE_BOUNDS
from bot.liquidation.types import MapLimit
from bot.liquidation.values import replace
from bot.telegram.texts import Texts
from bot.telegram.venues import source_words, title_words

KEPT = 64

Preparing = Callable[[], Awaitable[Picture | None]]
"""Makes a request for a picture, or None where there is nothing to draw."""

log = logging.getLogger(__name__)


class PictureDesk:
    """Draws pictures, two at a time, and keeps the newest `kept`; equal ones are drawn once, also at the same time."""

    def __init__(self, *, kept: int = KEPT) -> None:
        self._turn = asyncio.Semaphore(2)
        self._most = kept
        self._drawings: OrderedDict[str, asyncio.Task[bytes | None]] = OrderedDict()

    async def draw(self, picture: Picture | Preparing, name: str, *, theme: str = "dark") -> bytes | None:
        """The picture as PNG, in dark where there is no such theme; `name` tells the theme too.

        A request that takes long to make is given as what makes it: it is awaited only where the picture is not there
        yet. None where it came to nothing or drawing failed, which is logged: the text goes without it.
        """
        drawing = self._drawings.get(name)
        if drawing is None:
            drawing = self._drawings[name] = asyncio.create_task(self._draw(picture, name, theme_named(theme)))
        self._drawings.move_to_end(name)
        while len(self._drawings) > self._most:
            self._drawings.popitem(last=False)
        # Who gives up waiting must not take the picture from the others.
        png = None
        try:
            png = await asyncio.shield(drawing)
        finally:
            if drawing.done() and png is None and self._drawings.get(name) is drawing:
                del self._drawings[name]
        return png

    async def _draw(self, wanted: Picture | Preparing, name: str, theme: ThemeName) -> bytes | None:
        picture = await wanted() if callable(wanted) else wanted
        if picture is None:
            return None
        async with self._turn:
            try:
                return await asyncio.to_thread(draw, picture, theme=theme)
            except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError):
                log.exception("picture %s could not be drawn", name)
                return None


def passed(drawn: LiquidationMap, price: float) -> LiquidationMap:
    """The map with what price has passed since it was made taken away: longs at or above it, shorts at or below."""
    return replace(
        drawn,
        long_usd=np.where(drawn.low < price, drawn.long_usd, 0.0),
        short_usd=np.where(drawn.high > price, drawn.short_usd, 0.0),
    )


def map_picture(
    drawn: LiquidationMap,
    clusters: tuple[Cluster, ...],
    *,
    base: str,
    exchange: str,
    tick_size: float,
    texts: Texts,
    price: float,
    now_ms: int,
    simulated: bool,
    proven: bool,
    range_ms: int | None = None,
    highlight: Cluster | None = None,
    level: float | None = None,
    parts: Sequence[VenuePart] = (),
    known_share: float = 0.0,
    layers: Sequence[LiquidationMap] = (),
) -> MapPicture:
    """The request for one liquidation map, in the reader's language; `parts` are the exchanges of a combined one.

    Of `known_share` of the open interest the liquidation prices are known exactly. `layers` are the map by leverage.
    """
    if range_ms is not None:
        range_words = texts("chart.range", span=texts.figures.duration(range_ms))
    else:
        range_words = texts("chart.short" if MapLimit.SHORT_HISTORY in drawn.limits else "chart.all")
    source = "chart.measured" if drawn.open_interest == "measured" else "chart.volume"
    words = texts.label(source, range=range_words, time=texts.figures.clock(drawn.time_ms, now_ms=now_ms, named=True))
    if parts:
        title = title_words(base, parts, texts)
        venues = source_words(parts, texts)
        subtitle = texts.label("chart.joined" if proven else "chart.joined_not_proven", venues=venues, source=words)
    else:
        title = texts.label("chart.title", base=base, exchange=texts.of("exchange", exchange))
        if known_share:
            words = texts.label("chart.known", percent=texts.figures.percent(100 * known_share), source=words)
        subtitle = words if proven else texts.label("chart.not_proven", source=words)
    return MapPicture(
        map=passed(drawn, price),
        clusters=clusters,
        title=title,
        subtitle=subtitle,
        words=MapWords(
            longs=texts.label("chart.longs"),
            shorts=texts.label("chart.shorts"),
            cumulative=texts.label("chart.cumulative"),
            strength=texts.label("chart.strength"),
            price=texts.label("chart.price"),
            empty=texts.label("chart.empty"),
        ),
        tick_size=tick_size,
        numerals=texts.figures,
        proven=proven and not texts.in_shares,
        price=price,
        highlight=highlight,
        level=level,
        banner=texts.label("chart.simulated") if simulated else "",
        layers=_layers(layers, price, texts),
    )


def _layers(by_leverage: Sequence[LiquidationMap], price: float, texts: Texts) -> tuple[Layer, ...]:
    """The classes of leverage with their names: figures, and a word for those of none."""
    if not by_leverage:
        return ()
    names = [*map(_class_name, pairwise(LEVERAGE_BOUNDS)), texts.label("chart.cross")]
    left = [passed(drawn, price) for drawn in by_leverage]
    return tuple(Layer(name, each.long_usd, each.short_usd) for name, each in zip(names, left, strict=True))


def _class_name(bounds: tuple[float, float]) -> str:
    above, up_to = bounds
    if not above:
        return f"\N{LESS-THAN OR EQUAL TO}{up_to:g}\N{MULTIPLICATION SIGN}"
    if isinf(up_to):
        return f">{above:g}\N{MULTIPLICATION SIGN}"
    return f"{above + 1:g}\N{EN DASH}{up_to:g}\N{MULTIPLICATION SIGN}"
