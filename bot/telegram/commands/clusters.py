"""/clusters: the nearest and the biggest zones of both sides as a ladder of prices, as in an order book."""

from collections.abc import Sequence

from bot.alerts.types import Market
from bot.delivery.messenger import Keyboard, Message
from bot.liquidation.types import Side
from bot.telegram.callbacks import copy_key, key, market_arg
from bot.telegram.commands.maps import RANGES, range_of
from bot.telegram.commands.pick import pick
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.scene import Answer, Scene, unknown_symbol
from bot.telegram.table import Rows, escape_lines, fits, lines_of, narrowed, widths_of
from bot.telegram.texts import Html, Texts
from bot.telegram.venues import venue_keys
from bot.telegram.wording import day_odds, map_words, nearest

NEAREST = 3
BIGGEST = 3
STRENGTH, ODDS = 2, 4
"""The columns that are left out first."""


async def typed_clusters(scene: Scene, text: str) -> Answer:
    """/clusters with what was typed after it: `BTC`, `BTC 7d`, `BTC okx`, or nothing."""
    if not text:
        return pick(scene, "c")
    span, symbol = range_of(text.split())
    resolution = scene.resolve(symbol)
    if resolution.shown is None:
        return unknown_symbol(scene, symbol, resolution.nearest, "c", span)
    return await clusters_of(scene, resolution.shown, span)


async def clusters_of(scene: Scene, market: Market, span: str = "", *, fresh: bool = True) -> Answer:
    """The table of one market over one range, with its buttons."""
    span = span if span in RANGES else scene.preferences.map_range
    view = await scene.desk.view(market, range_ms=RANGES[span])
    texts = scene.texts
    buttons = (
        (
            key(texts.label("button.refresh"), "cr", market_arg(market), span),
            key(texts.label("button.map"), "m", market_arg(market), span),
            key(texts.label("button.watch_of", base=view.base), "wn", market_arg(market)),
        ),
        *_copy_keys(view, texts),
        *venue_keys(view, "cr", texts, span),
    )
    toast = "" if fresh else texts.label("toast.refreshed")
    return Answer(
        Message(table(view, texts, now_ms=scene.now_ms, range_ms=RANGES[span]), buttons), toast=toast, fresh=fresh
    )


def _copy_keys(view: MarketView, texts: Texts) -> Keyboard:
    """The edges that price meets first, above and below, to be copied."""
    near = (nearest(view, side) for side in (Side.SHORT, Side.LONG))
    edges = [each.cluster.low if each.cluster.side is Side.SHORT else each.cluster.high for each in near if each]
    return (tuple(copy_key(edge, view.tick_size, texts) for edge in edges),) if edges else ()


def table(view: MarketView, texts: Texts, *, now_ms: int, range_ms: int | None = None) -> Html:
    """Title, ladder with the price in the middle, and what the columns mean."""
    price = texts.figures.price(view.price, view.tick_size)
    above = chosen([each for each in view.clusters if each.cluster.peak > view.price])
    below = chosen([each for each in view.clusters if each.cluster.peak <= view.price])
    origin = texts("alert.small", text=map_words(view, texts, now_ms=now_ms))
    notes = [texts("alert.note_simulated")] if view.simulated else []
    if range_ms is not None:
        notes.append(texts("map.range", range=texts.figures.duration(range_ms)))
    if not above and not below:
        return Html("\n".join([texts("clusters.none", base=view.base, price=price), *notes, origin]))
    title = texts(
        "clusters.title",
        base=view.base,
        price=price,
        above=texts("clusters.shorts", n=len(above)),
        below=texts("clusters.longs", n=len(below)),
    )
    head = texts("alert.simulated", line=title) if view.simulated else title
    legend = texts(
        "clusters.legend" if view.proven else "clusters.legend_not_proven",
        size=texts("clusters.legend_usd" if names_usd(view, texts) else "clusters.legend_share"),
    )
    rows = ladder(above, below, view, texts)
    return Html("\n".join([texts("alert.head", text=head), *notes, texts("clusters.table", rows=rows), legend, origin]))


def names_usd(view: MarketView, texts: Texts) -> bool:
    """Whether sizes stand in USD: the map is worth it, and the reader wants no shares."""
    return view.names_usd and not texts.in_shares


def chosen(clusters: Sequence[ClusterView]) -> list[ClusterView]:
    """The nearest three and the biggest three, highest price first, none twice."""
    near = sorted(clusters, key=lambda each: abs(each.distance_pct))[:NEAREST]
    big = sorted(clusters, key=lambda each: -each.cluster.usd)[:BIGGEST]
    both = {each.cluster.peak: each for each in (*near, *big)}
    return [both[peak] for peak in sorted(both, reverse=True)]


def ladder(above: Sequence[ClusterView], below: Sequence[ClusterView], view: MarketView, texts: Texts) -> Html:
    """The rows, aligned for a monospaced font: zone, size, strength, distance, odds.

    Where a phone has no room for both ends of the zones, the one that price comes to first stands for them.
    """
    rows: Rows = _cells(above, below, view, texts, edges=False)
    if not fits(rows):
        rows = narrowed(_cells(above, below, view, texts, edges=True), spare=(STRENGTH, ODDS))
    lines = lines_of(rows)
    widths = widths_of(rows)
    middle = texts.figures.price(view.price, view.tick_size)
    middle = middle.center(sum(widths) + len(widths) - 1, "\N{BOX DRAWINGS LIGHT HORIZONTAL}")
    upper = 1 + len(above)
    return escape_lines([*lines[:upper], middle, *lines[upper:]])


def _cells(
    above: Sequence[ClusterView], below: Sequence[ClusterView], view: MarketView, texts: Texts, *, edges: bool
) -> list[list[str]]:
    """The header and a row for each zone, told by its near edge or by both."""
    figures = texts.figures

    def row(each: ClusterView) -> list[str]:
        cluster, odds = each.cluster, day_odds(each)
        edge = cluster.low if each.distance_pct > 0 else cluster.high
        return [
            figures.level(edge, view.tick_size) if edges else figures.band(cluster.low, cluster.high, view.tick_size),
            figures.money(cluster.usd) if names_usd(view, texts) else figures.percent(cluster.share * 100),
            str(cluster.strength),
            figures.signed_percent(each.distance_pct) if each.distance_pct else texts.label("clusters.at_price"),
            figures.odds(odds) if odds is not None and each.distance_pct else "",
        ]

    header = [
        texts.label("clusters.edge" if edges else "clusters.zone"),
        texts.label("clusters.size" if names_usd(view, texts) else "clusters.share"),
        texts.label("clusters.strength"),
        texts.label("clusters.distance"),
        texts.label("clusters.odds"),
    ]
    return [header, *map(row, above), *map(row, below)]
