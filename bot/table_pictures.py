"""Requests for pictures of tables: the pulse of one market or of several, and a page of a scan."""

from collections.abc import Sequence

from bot.charts import Cell, Column, TablePicture
from bot.liquidation.glance import GROWTH_H, TOUCH_H, Order
from bot.liquidation.shape import CHANGES_H, NEAR, Standing
from bot.telegram.pulse_text import (
    DAY_H,
    NEAR_SHARE,
    band_words,
    change_words,
    distance_words,
    names_of,
    near_words,
    rank_words,
    side_words,
    span_words,
)
from bot.telegram.scan_text import (
    away_words,
    cell_words,
    growth_words,
    imbalance_words,
    load_words,
    market_words,
    side_of,
)
from bot.telegram.survey import PulseView, ScanLine, ScanView
from bot.telegram.texts import Texts
from bot.telegram.texts.figures import HOUR_MS
from bot.telegram.venues import exchange_name

MOVE_H = 4


def pulse_picture(views: Sequence[PulseView], *, texts: Texts, now_ms: int) -> TablePicture:
    """The table of several markets in their order, or of one in all its figures; at least one."""
    return _of_several(views, texts, now_ms) if len(views) > 1 else _of_one(views[0], texts, now_ms)


def _of_several(views: Sequence[PulseView], texts: Texts, now_ms: int) -> TablePicture:
    columns = (
        Column(texts.label("pulse.column.market"), 1.35),
        Column(texts.label("pulse.column.tight"), 1.15, sorts=True),
        Column(texts.label("pulse.column.near"), 0.95),
        Column(span_words(DAY_H, texts), 0.9),
        Column(texts.label("pulse.row.concentration"), 1.35),
        Column(texts.label("pulse.column.side"), 1.4),
        Column(texts.label("pulse.column.move"), 1.0),
    )
    rows = tuple(_row(name, view, texts) for name, view in zip(names_of(views, texts), views, strict=True))
    return TablePicture(
        columns,
        rows,
        title=texts.label("pulse.title", n=len(views)),
        subtitle=texts.label("pulse.subtitle", time=_time(views, texts, now_ms)),
        notes=(texts.label("pulse.legend_tight"), texts.label("pulse.legend_change")),
        banner=texts.label("chart.simulated") if any(view.simulated for view in views) else "",
    )


def _row(name: str, view: PulseView, texts: Texts) -> tuple[Cell, ...]:
    report = view.report
    near, dense, rank = report.near[NEAR_SHARE], report.concentration, report.tightness
    return (
        Cell(name),
        Cell(rank_words(rank, texts), filled=rank or 0.0, strong=rank is not None and rank >= 0.9),
        Cell(near_words(view, texts), strong=near.is_high),
        Cell(change_words(near, DAY_H, texts)),
        Cell(rank_words(dense.rank, texts), filled=dense.rank, strong=dense.is_high),
        Cell(side_words(report.imbalance.value, texts), lean=report.imbalance.value),
        Cell(f"±{texts.figures.percent(view.move_pct)}"),
    )


def _of_one(view: PulseView, texts: Texts, now_ms: int) -> TablePicture:
    columns = (
        Column("", 1.75),
        Column(texts.label("pulse.column.now"), 1.4),
        Column(texts.label("pulse.column.usual"), 1.5),
        Column(texts.label("pulse.column.rank"), 1.05),
        *(Column(span_words(hours, texts), 0.9) for hours in CHANGES_H),
    )
    report = view.report
    figures = [
        (texts.label("pulse.row.concentration"), report.concentration),
        *((distance_words(place, texts), report.near[place]) for place in range(len(NEAR))),
    ]
    rows = [_figure_row(name, standing, texts) for name, standing in figures]
    rows.append(_side_row(report.imbalance, texts))
    return TablePicture(
        columns,
        tuple(rows),
        title=texts.label("pulse.title_one", base=view.base, exchange=exchange_name(view.market.exchange, texts)),
        subtitle=texts.label("pulse.subtitle", time=_time([view], texts, now_ms)),
        notes=(
            texts.label("pulse.legend_one"),
            texts.label(
                "pulse.legend_move",
                percent=texts.figures.percent(view.move_pct),
                span=texts.figures.duration(MOVE_H * HOUR_MS),
            ),
        ),
        banner=texts.label("chart.simulated") if view.simulated else "",
    )


def _figure_row(name: str, standing: Standing, texts: Texts) -> tuple[Cell, ...]:
    unusual = standing.is_high or standing.is_low
    return (
        Cell(name),
        Cell(texts.figures.percent(100.0 * standing.value), strong=unusual),
        Cell(band_words(standing, texts)),
        Cell(rank_words(standing.rank, texts), filled=standing.rank, strong=unusual),
        *(Cell(change_words(standing, hours, texts)) for hours in CHANGES_H),
    )


def _side_row(standing: Standing, texts: Texts) -> tuple[Cell, ...]:
    """Longs against shorts: changes count towards the longs, and the usual band is told by its two sides."""
    band = "" if standing.low is None or standing.high is None else _sides_between(standing.low, standing.high, texts)
    return (
        Cell(texts.label("pulse.row.side")),
        Cell(side_words(standing.value, texts), lean=standing.value, strong=standing.is_high or standing.is_low),
        Cell(band),
        Cell(rank_words(standing.rank, texts), filled=standing.rank),
        *(Cell(change_words(_halved(standing), hours, texts)) for hours in CHANGES_H),
    )


def _sides_between(low: float, high: float, texts: Texts) -> str:
    """The part of the longs between which it usually lies."""
    ends = [texts.figures.percent(50.0 * (1.0 + value)) for value in (low, high)]
    return texts.label("pulse.longs_between", low=ends[0], high=ends[1])


def _halved(standing: Standing) -> Standing:
    """Changes of the imbalance as those of the longs' part of both sides."""
    halves = tuple((hours, None if change is None else change / 2) for hours, change in standing.changes)
    return Standing(standing.value, standing.rank, standing.low, standing.high, halves)


def scan_picture(view: ScanView, page: int, *, texts: Texts, now_ms: int) -> TablePicture:
    """One page of a scan; the column that orders it is marked."""
    growth, touch = (texts.figures.duration(hours * HOUR_MS) for hours in (GROWTH_H, TOUCH_H))
    by = view.order
    columns = (
        Column(texts.label("pulse.column.market"), 2.0 if view.several else 1.35),
        Column(texts.label("scan.column.nearest"), 1.5, sorts=by is Order.NEAREST),
        Column(texts.label("scan.column.odds", span=touch), 1.0),
        Column(texts.label("scan.column.growth", span=growth), 1.4, sorts=by is Order.GROWING),
        Column(texts.label("pulse.column.side"), 1.3, sorts=by is Order.ONESIDED),
        Column(texts.label("scan.column.load"), 1.0, sorts=by is Order.ABSORPTION),
    )
    lines = view.page(page)
    time_ms = min((line.time_ms for line in lines), default=now_ms)
    clock = texts.figures.clock(time_ms, now_ms=now_ms, named=True)
    return TablePicture(
        columns,
        tuple(_scan_row(line, view, texts) for line in lines),
        title=texts.label(f"scan.title.{by}"),
        subtitle=texts.label("scan.subtitle", n=view.read, time=clock),
        notes=(texts.label("scan.picture_note"),),
        empty=texts.label(f"scan.none.{by}"),
        banner=texts.label("chart.simulated") if any(line.simulated for line in lines) else "",
    )


def _scan_row(line: ScanLine, view: ScanView, texts: Texts) -> tuple[Cell, ...]:
    row = line.row
    odds = texts.figures.odds(row.odds) if row.odds is not None and row.nearest_pct else ""
    return (
        Cell(market_words(line, view, texts)),
        Cell(cell_words((side_of(row.nearest, texts), away_words(row.nearest_pct, texts)))),
        Cell(odds, filled=row.odds if odds else None),
        Cell(cell_words((side_of(row.grown, texts), growth_words(row.growth, texts)))),
        Cell(imbalance_words(line, texts), lean=row.imbalance),
        Cell(cell_words((load_words(row.load, texts),))),
    )


def _time(views: Sequence[PulseView], texts: Texts, now_ms: int) -> str:
    """The time of the oldest map."""
    return texts.figures.clock(min(view.time_ms for view in views), now_ms=now_ms, named=True)
