"""Pictures for messages: the catalogue's words and a market's numbers on the charts, drawn off the event loop."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.charts import MapPicture, MapWords, draw_map
from bot.charts.themes import ThemeName, theme_named
from bot.liquidation import Cluster, LiquidationMap
from bot.liquidation.combining import VenuePart
from bot.liquidation.types import MapLimit
from bot.telegram.texts import Texts
from bot.telegram.venues import source_words, title_words

KEPT = 64

log = logging.getLogger(__name__)


class PictureDesk:
    """Draws maps, two at a time, and keeps the newest `kept`; equal requests are drawn once, also at the same time."""

    def __init__(self, *, kept: int = KEPT) -> None:
        self._turn = asyncio.Semaphore(2)
        self._most = kept
        self._drawings: OrderedDict[str, asyncio.Task[bytes | None]] = OrderedDict()

    async def draw(self, picture: MapPicture, name: str, *, theme: str = "dark") -> bytes | None:
        """The picture as PNG, in dark where there is no such theme; `name` tells the theme too.

        None where drawing failed, which is logged: the text goes without it.
        """
        drawing = self._drawings.get(name)
        if drawing is None:
            drawing = self._drawings[name] = asyncio.create_task(self._draw(picture, name, theme_named(theme)))
        self._drawings.move_to_end(name)
        while len(self._drawings) > self._most:
            self._drawings.popitem(last=False)
        # Who gives up waiting must not take the picture from the others.
        png = await asyncio.shield(drawing)
        if png is None and self._drawings.get(name) is drawing:
            del self._drawings[name]
        return png

    async def _draw(self, picture: MapPicture, name: str, theme: ThemeName) -> bytes | None:
        async with self._turn:
            try:
                return await asyncio.to_thread(draw_map, picture, theme=theme)
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
    parts: Sequence[VenuePart] = (),
    known_share: float = 0.0,
) -> MapPicture:
    """The request for one liquidation map, in the reader's language; `parts` are the exchanges of a combined one.

    Of `known_share` of the open interest the liquidation prices are known exactly.
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
        proven=proven and not texts.in_shares,
        price=price,
        highlight=highlight,
        banner=texts.label("chart.simulated") if simulated else "",
    )
