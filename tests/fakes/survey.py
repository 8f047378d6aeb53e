"""A survey with believable answers, for conversations in tests."""

from collections.abc import Awaitable, Callable, Sequence
from zlib import crc32

from bot.alerts.types import Market
from bot.liquidation.glance import Glance, Order, ranked, row_of
from bot.liquidation.shape import CHANGES_H, HOUR_MS, Shape, report_shape
from bot.liquidation.touch import Volatility
from bot.telegram.desk import Look, MarketView
from bot.telegram.survey import PulseView, ScanLine, ScanView
from tests.fakes.order_book import believable_book

DAYS_H = 168


def believable_pulse(view: MarketView, *, now_ms: int, hours: int = DAYS_H) -> PulseView:
    """A market's pulse that differs from others' by its name alone; its past is `hours` long."""
    place = crc32(view.market.symbol.encode()) % 100 / 100
    past = [
        Shape(now_ms - hour * HOUR_MS, 0.06 + hour / 4000, (0.04, 0.08 + hour / 2000, 0.3), hour / 400 - 0.2)
        for hour in range(hours, 0, -1)
    ]
    now = Shape(now_ms, 0.06 + place * DAYS_H / 4000, (0.05, 0.08 + place * DAYS_H / 2000, 0.33), place - 0.5)
    assert set(CHANGES_H) == {4, 24}
    return PulseView(view.market, view.base, now_ms, report_shape(now, past), move_pct=1.2, simulated=view.simulated)


def believable_glance(view: MarketView, *, now_ms: int) -> Glance:
    """The clusters of a view, each grown by a part of its strength; the first of every second market is new."""
    place = crc32(view.market.symbol.encode()) % 100 / 100
    clusters = tuple(shown.cluster for shown in view.clusters)
    growth = tuple(cluster.strength / 150 - place for cluster in clusters)
    first = () if place < 0.5 or not clusters else (None,)
    volatility = Volatility(view.price, now_ms, (4e-6, 4e-6, 4e-6, 4e-6), (1.0, 1.0, 1.0, 1.0))
    return Glance(
        now_ms,
        view.price,
        clusters,
        (*first, *growth[len(first) :]),
        imbalance=1.6 * place - 0.8,
        volatility=volatility,
    )


class FakeSurvey:
    """A Survey on the markets that a `find` gives, which raises MarketUnavailableError like a desk's `view`."""

    def __init__(
        self, find: Callable[[Market], Awaitable[MarketView]], now: Callable[[], int], pictures: Callable[[], bool]
    ) -> None:
        self._find = find
        self._now = now
        self._pictures = pictures
        self.png = b"\x89PNG\r\n\x1a\n" + b"a table"
        self.young: set[str] = set()
        self.scanned: Callable[[], Sequence[Market]] = tuple
        self.wanted = 0
        self.bookless: set[str] = set()

    async def scan(self, order: Order) -> ScanView:
        lines = []
        for market in self.scanned():
            view = await self._find(market)
            glance = believable_glance(view, now_ms=self._now())
            depth = None if market.symbol in self.bookless else believable_book(view.price, usd_a_percent=2e7)
            lines.append(
                ScanLine(market, view.base, self._now() - 240_000, row_of(glance, depth=depth), view.simulated)
            )
        rows = [line.row for line in lines]
        return ScanView(
            order,
            tuple(lines[index] for index in ranked(rows, order)),
            read=len(lines),
            wanted=self.wanted or len(lines),
        )

    async def scan_picture(self, view: ScanView, page: int, *, look: Look) -> tuple[bytes, str] | None:
        return (self.png, f"scan-{view.order}-{page}-{look.name}") if self._pictures() else None

    async def pulse(self, market: Market) -> PulseView:
        view = await self._find(market)
        return believable_pulse(view, now_ms=self._now(), hours=5 if market.symbol in self.young else DAYS_H)

    async def pulse_picture(self, views: Sequence[PulseView], *, look: Look) -> tuple[bytes, str] | None:
        name = "pulse-" + "-".join(view.market.symbol for view in views)
        return (self.png, f"{name}-{look.name}") if self._pictures() else None
