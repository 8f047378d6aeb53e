"""The survey of the live bot: many markets at once, answered from the open markets, their past and the charts."""

from collections.abc import Sequence
from zlib import crc32

from bot.alerts.types import Market
from bot.charts import Picture
from bot.clock import Clock
from bot.hindsight import Hindsight
from bot.history_store import NoMapError
from bot.liquidation.glance import Order
from bot.pictures import PictureDesk
from bot.pulses import Pulses, pulse_view
from bot.scanner import Scanner
from bot.table_pictures import pulse_picture, scan_picture
from bot.telegram.desk import Look, MarketUnavailableError
from bot.telegram.survey import PulseView, ScanView


class LiveSurvey:
    """Implements `bot.telegram.survey.Survey`."""

    def __init__(
        self,
        *,
        hindsight: Hindsight,
        scanner: Scanner,
        pictures: PictureDesk,
        clock: Clock,
        simulated: frozenset[str],
    ) -> None:
        self._scanner = scanner
        self._pulses = Pulses(hindsight)
        self._pictures = pictures
        self._clock = clock
        self._simulated = simulated

    async def pulse(self, market: Market) -> PulseView:
        try:
            live, report = await self._pulses.report(market)
        except NoMapError as error:
            raise MarketUnavailableError(market, error.reason) from None
        if report is None:
            raise MarketUnavailableError(market, "no_data")
        venues = {live.market.exchange, *(part.venue for part in live.reading.parts)}
        return pulse_view(live, report, simulated=not self._simulated.isdisjoint(venues))

    async def pulse_picture(self, views: Sequence[PulseView], *, look: Look) -> tuple[bytes, str] | None:
        what = "pulse:" + ",".join(f"{':'.join(view.market)}:{view.time_ms}" for view in views)
        drawn = pulse_picture(views, texts=look.texts, now_ms=self._clock.now_ms()) if views else None
        return None if drawn is None else await self._drawn(drawn, what, look)

    async def scan(self, order: Order) -> ScanView:
        return await self._scanner.scan(order)

    async def scan_picture(self, view: ScanView, page: int, *, look: Look) -> tuple[bytes, str] | None:
        shown = repr((view.order, view.read, view.several, view.page(page)))
        drawn = scan_picture(view, page, texts=look.texts, now_ms=self._clock.now_ms())
        return await self._drawn(drawn, f"scan:{view.order}:{page}:{crc32(shown.encode())}", look)

    async def _drawn(self, picture: Picture, what: str, look: Look) -> tuple[bytes, str] | None:
        """A picture by the name of all that it shows: the same name is the same picture, drawn and uploaded once."""
        name = f"{what}:{look.name}"
        png = await self._pictures.draw(picture, name, theme=look.theme)
        return None if png is None else (png, name)
