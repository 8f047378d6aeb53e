"""How /scan reads: the markets of one order in a table, with what the order goes by told above it."""

from collections.abc import Sequence

from bot.liquidation.glance import GROWTH_H, TOUCH_H, Order
from bot.liquidation.types import Cluster, Side
from bot.telegram.pulse_text import side_words
from bot.telegram.survey import SHOWN, ScanLine, ScanView
from bot.telegram.table import escape_lines, lines_of, narrowed
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import HOUR_MS
from bot.telegram.venues import exchange_name

LAST = 4
"""The column that is left out where a phone has no room."""
SEPARATOR = " \N{MIDDLE DOT} "


def scan_text(view: ScanView, page: int, texts: Texts, *, now_ms: int, keys: bool = True) -> Html:
    """One page of a scan in words; `keys` tells whether there are any under it."""
    lines = view.page(page)
    head = texts.of("scan.head", view.order, n=view.read)
    simulated = any(line.simulated for line in lines)
    told = [texts("alert.head", text=texts("alert.simulated", line=head) if simulated else head)]
    if simulated:
        told.append(texts("alert.note_simulated"))
    if not lines:
        told.append(texts.of("scan.none", view.order))
    else:
        first = page * SHOWN + 1
        rows = [_row(number, line, view.order, texts) for number, line in enumerate(lines, first)]
        told.append(texts("clusters.table", rows=escape_lines(lines_of(narrowed(rows, spare=(LAST,)), left=3))))
    told.append(texts.of("scan.legend", view.order, **_spans(texts)))
    if view.read < view.wanted:
        told.append(texts("scan.going_on", n=view.read, wanted=str(view.wanted)))
    if lines:
        age = texts.figures.duration(max(0, now_ms - min(line.time_ms for line in lines)))
        told += [texts("scan.watch")] if keys else []
        told.append(texts("alert.small", text=texts("scan.note", age=age)))
    return Html("\n".join(told))


def _spans(texts: Texts) -> dict[str, str]:
    return {
        "growth": texts.figures.duration(GROWTH_H * HOUR_MS),
        "touch": texts.figures.duration(TOUCH_H * HOUR_MS),
    }


def _row(number: int, line: ScanLine, order: Order, texts: Texts) -> list[str]:
    row, figures = line.row, texts.figures
    if order is Order.NEAREST:
        odds = "" if row.odds is None or not row.nearest_pct else figures.odds(row.odds)
        told = [side_of(row.nearest, texts), away_words(row.nearest_pct, texts), odds]
    elif order is Order.GROWING:
        told = [side_of(row.grown, texts), growth_words(row.growth, texts), away_words(row.grown_pct, texts)]
    elif order is Order.ABSORPTION:
        told = [side_of(row.heaviest, texts), load_words(row.load, texts), away_words(row.heaviest_pct, texts)]
    else:
        side = texts.label("side_brief.long" if row.imbalance >= 0.0 else "side_brief.short")
        told = [side, figures.percent(50.0 * (1.0 + abs(row.imbalance))), ""]
    return [str(number), line.base, *told]


def market_words(line: ScanLine, view: ScanView, texts: Texts) -> str:
    """A market's short name, with its exchange where the scan is of several."""
    if not view.several:
        return line.base
    return f"{line.base}{SEPARATOR}{exchange_name(line.market.exchange, texts)}"


def side_of(cluster: Cluster | None, texts: Texts) -> str:
    """Whose positions stand in a cluster."""
    if cluster is None:
        return ""
    return texts.label("side_brief.long" if cluster.side is Side.LONG else "side_brief.short")


def away_words(percent: float | None, texts: Texts) -> str:
    """How far away and in which direction."""
    if percent is None:
        return ""
    return texts.figures.signed_percent(percent) if percent else texts.label("clusters.at_price")


def growth_words(growth: float | None, texts: Texts) -> str:
    """A growth as `+38%`."""
    return "" if growth is None else texts.figures.signed_percent(100.0 * growth)


def load_words(load: float | None, texts: Texts) -> str:
    """How many times the orders before it a cluster holds."""
    return "" if load is None else f"{texts.figures.plain(float(f'{load:.2g}'))}×"


def cell_words(parts: Sequence[str]) -> str:
    """A cell of a picture: "longs −1.2%", and a dash where there is nothing."""
    return " ".join(part for part in parts if part) or "\N{EN DASH}"


def imbalance_words(line: ScanLine, texts: Texts) -> str:
    """The heavier side of a market with its part."""
    return side_words(line.row.imbalance, texts)
