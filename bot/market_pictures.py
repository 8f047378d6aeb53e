"""The pictures of one market that a chat asks for, each drawn once for all chats that would see the same."""

import logging
from collections.abc import Sequence
from zlib import crc32

from bot.cascade_pictures import cascade_picture
from bot.charts import Picture
from bot.clock import Clock
from bot.hindsight import Hindsight
from bot.history_store import NoMapError
from bot.liquidation import LiquidationMap
from bot.liquidation.grid import cells_of
from bot.past_pictures import heat_picture, lives_picture
from bot.pictures import PictureDesk, Preparing, map_picture
from bot.telegram.cascade_view import CascadeView
from bot.telegram.desk import LivesView, Look, MarketView

MINUTE_MS = 60_000

log = logging.getLogger(__name__)


class MarketPictures:
    """Each gives the PNG and a name for all that it shows; None where it could not be drawn, which is logged."""

    def __init__(self, pictures: PictureDesk, hindsight: Hindsight, clock: Clock) -> None:
        self._pictures = pictures
        self._hindsight = hindsight
        self._clock = clock

    async def of_map(
        self, view: MarketView, *, look: Look, range_ms: int | None, by_leverage: bool, level: float | None
    ) -> tuple[bytes, str] | None:
        """A map, by cluster or by leverage, with a line at `level` where there is one."""

        async def prepared() -> Picture | None:
            layers: Sequence[LiquidationMap] = ()
            if by_leverage:
                try:
                    layers = await self._hindsight.by_leverage(view.market, view.map, range_ms)
                except NoMapError as error:
                    log.warning("no map by leverage: %s", error)
                    return None
            return map_picture(
                view.map,
                tuple(shown.cluster for shown in view.clusters),
                base=view.base,
                exchange=view.market.exchange,
                tick_size=view.tick_size,
                texts=look.texts,
                price=view.price,
                now_ms=self._clock.now_ms(),
                simulated=view.simulated,
                proven=view.proven,
                range_ms=range_ms,
                parts=view.parts,
                known_share=view.known_share,
                level=level,
                layers=layers,
            )

        minute = self._clock.now_ms() // MINUTE_MS
        what = f"{'leverage' if by_leverage else 'map'}:{_version(view)}:{minute}:{range_ms or 'all'}:{level or ''}"
        return await self._drawn(prepared, what, look)

    async def of_past(self, view: MarketView, *, look: Look, range_ms: int) -> tuple[bytes, str] | None:
        """The map's own past, as a heatmap."""

        async def prepared() -> Picture | None:
            try:
                past = await self._hindsight.past(view.market, range_ms)
            except NoMapError as error:
                log.warning("no heatmap: %s", error)
                return None
            return heat_picture(past, view, texts=look.texts, now_ms=self._clock.now_ms(), range_ms=range_ms)

        return await self._drawn(prepared, f"heatmap:{_version(view)}:{range_ms}", look)

    async def of_lives(self, view: LivesView, *, look: Look) -> tuple[bytes, str] | None:
        """How the clusters grew and ended."""

        async def prepared() -> Picture | None:
            return lives_picture(view, texts=look.texts, now_ms=self._clock.now_ms())

        what = f"lives:{':'.join(view.market.market)}:{view.from_ms}:{view.end_ms}:{_version(view.market)}"
        return await self._drawn(prepared, what, look)

    async def of_cascade(self, cascade: CascadeView, *, look: Look) -> tuple[bytes, str] | None:
        """The clusters against the order books, with the chains they would set off."""

        async def prepared() -> Picture | None:
            return cascade_picture(cascade, texts=look.texts, now_ms=self._clock.now_ms())

        told = crc32(repr(cascade.sides).encode())
        return await self._drawn(prepared, f"cascade:{_version(cascade.view)}:{told}", look)

    async def _drawn(self, prepared: Preparing, what: str, look: Look) -> tuple[bytes, str] | None:
        """A picture by the name of all that it shows: the same name is the same picture, drawn and uploaded once."""
        name = f"{what}:{look.name}"
        png = await self._pictures.draw(prepared, name, theme=look.theme)
        return None if png is None else (png, name)


def _version(view: MarketView) -> str:
    """A market's map and price as far as a picture shows them: prices within a cell of 0.1 % are the same."""
    version = crc32(repr(view.parts).encode()) if view.parts else view.map.time_ms
    return f"{':'.join(view.market)}:{version}:{int(cells_of(view.price))}"
