"""`liqwatch scan`: markets ranked by one of four orders, from a recording or live, as words, as JSON, as a picture."""

from collections.abc import Iterator
from math import isfinite

from bot.alert_line import dump_line
from bot.failures import UsageError
from bot.found_market import FoundMarket
from bot.liquidation.glance import Order, ranked, row_of
from bot.liquidation.types import Cluster
from bot.many_markets import ManyRequest, find_markets
from bot.market.types import SIMULATED
from bot.one_map import write_png
from bot.scanning import glance_at
from bot.settings import Settings
from bot.table_pictures import scan_picture
from bot.telegram.commands.scan import order_named
from bot.telegram.limits import bare
from bot.telegram.scan_text import scan_text
from bot.telegram.survey import ScanLine, ScanView
from bot.telegram.texts import Catalogue


def parse_order(text: str) -> Order:
    """Raises UsageError."""
    order = order_named(text)
    if order is None:
        raise UsageError(f"--by takes one of {', '.join(each.value for each in Order)}, not '{text}'")
    return order


async def tell_scan(request: ManyRequest, order: Order, settings: Settings) -> Iterator[str]:
    """Lines to print; the first page's picture is written first. Raises UsageError, FailedError, RecordingError."""
    lines, wanted, now_ms = [], 0, 0
    async for found in find_markets(request, settings, book=True):
        wanted, now_ms = wanted + 1, max(now_ms, found.now_ms)
        line = _line(found)
        if line is not None:
            lines.append(line)
    rows = [line.row for line in lines]
    several = len({line.market.exchange for line in lines}) > 1
    in_order = tuple(lines[index] for index in ranked(rows, order))
    if order is Order.ABSORPTION and not in_order:
        raise UsageError("no order book of these markets is known at that time, so none is ranked by absorption")
    view, texts = ScanView(order, in_order, len(lines), wanted, several), Catalogue.english()
    if request.png is not None:
        write_png(scan_picture(view, 0, texts=texts, now_ms=now_ms), request.png)
    if request.json:
        return iter([dump_line({"by": order.value, "markets": [scan_json(line) for line in in_order]})])
    pages = (bare(scan_text(view, page, texts, now_ms=now_ms, keys=False)) for page in range(view.pages))
    return iter("\n\n".join(pages).splitlines())


def _line(found: FoundMarket) -> ScanLine | None:
    glance = glance_at(found.parts[0]) if len(found.parts) == 1 else None
    if glance is None:
        return None
    row = row_of(glance, depth=found.depth)
    simulated = found.market.exchange == SIMULATED
    return ScanLine(found.market, found.instrument.base, glance.time_ms, row, simulated)


def scan_json(line: ScanLine) -> dict[str, object]:
    """One market of the object `scan --json` prints; null where there is none such, or where it is not known.

    `growth` is a fraction of what stood in the cluster's body 4 hours ago, `load` what stands in a cluster over the
    orders up to it, `imbalance` (longs - shorts) / (longs + shorts) within 5 % of price.
    """
    row = line.row
    return {
        "symbol": line.market.symbol,
        "exchange": line.market.exchange,
        "time_ms": line.time_ms,
        "price": row.price,
        "nearest": _cluster_json(row.nearest, row.nearest_pct, touch_4h=row.odds),
        "growing": _cluster_json(row.grown, row.grown_pct, growth=row.growth),
        "imbalance": row.imbalance,
        "absorption": _cluster_json(row.heaviest, row.heaviest_pct, load=row.load),
    }


def _cluster_json(cluster: Cluster | None, percent: float | None, **figures: float | None) -> dict[str, object] | None:
    if cluster is None:
        return None
    return {
        "side": cluster.side.value,
        "low": cluster.low,
        "high": cluster.high,
        "usd": cluster.usd,
        "strength": cluster.strength,
        "distance_pct": percent,
        **{name: value if value is not None and isfinite(value) else None for name, value in figures.items()},
    }
