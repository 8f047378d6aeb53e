"""/history: the clusters of a past stretch of time, how large they grew and how they ended."""

from bot.alerts.lives import Life, LifeCount
from bot.alerts.sequels import AFTER_H, SweepCount, move_after
from bot.alerts.types import Market
from bot.delivery.messenger import Keyboard, Message
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.heatmap import span_for, span_ms
from bot.telegram.commands.maps import AGAIN, Showing, range_keys, typed_showing
from bot.telegram.desk import LivesView
from bot.telegram.scene import Answer, Scene
from bot.telegram.table import Rows, escape_lines, fits, lines_of, narrowed
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import HOUR_MS
from bot.telegram.venues import venue_keys

USUAL = "7d"
LIVED = 3
GONE_SIZE, GONE_LIVED = 1, 2
"""Columns that are left out first."""


async def typed_history(scene: Scene, text: str) -> Answer:
    """/history with what was typed after it: `BTC`, `BTC 7d`, `BTC okx`, or nothing."""
    return await typed_showing(scene, text, Showing("li", history_of))


async def history_of(
    scene: Scene, market: Market, span: str = "", *, fresh: bool = True, again: bool = False
) -> Answer:
    """The count of clusters, the largest in a table, and the picture of these; `again` is a refresh."""
    span, texts = span_for(scene, span, USUAL), scene.texts
    view = await scene.desk.lives(market, range_ms=span_ms(span))
    drawn = await scene.desk.lives_picture(view, look=scene.look) if view.biggest else None
    text = history_text(view, texts)
    photo, name = drawn or (None, None)
    toast = texts.label("toast.refreshed") if again else ""
    return Answer(Message(text, _keys(view, span, texts), photo=photo, photo_name=name), toast=toast, fresh=fresh)


def history_text(view: LivesView, texts: Texts) -> Html:
    """How many there were and what became of them, then the largest, then what all this rests on."""
    figures, count = texts.figures, view.count
    span = figures.duration(view.end_ms - view.from_ms)
    title = texts("history.title" if count.total else "history.none", base=view.market.base, n=count.total, range=span)
    head = texts("alert.simulated", line=title) if view.market.simulated else title
    lines = [texts("alert.head", text=head)]
    if view.market.simulated:
        lines.append(texts("alert.note_simulated"))
    if count.total:
        lines += [_counts(count, texts), _median(count, texts)]
        lines += [texts("clusters.table", rows=_table(view, texts)), texts("history.sizes")]
        if view.gone:
            after = figures.duration(AFTER_H * HOUR_MS)
            lines += [texts("history.gone"), texts("clusters.table", rows=_gone_table(view, texts))]
            lines.append(texts("history.after", after=after))
        if view.sweeps.median_pct is not None:
            lines.append(_sweeps(view.sweeps, texts))
    note = texts("history.note", step=figures.duration(view.step_ms))
    lines.append(texts("alert.small", text=note))
    return Html("\n".join(lines))


def _counts(count: LifeCount, texts: Texts) -> Html:
    return texts("history.counts", swept=count.swept, faded=count.faded, merged=count.merged, standing=count.standing)


def _median(count: LifeCount, texts: Texts) -> Html:
    if count.median_ms is None:
        return texts("history.median_unknown")
    return texts("history.median", duration=texts.figures.duration(count.median_ms))


def _sweeps(sweeps: SweepCount, texts: Texts) -> Html:
    """What price did after the sweeps, with their counts."""
    figures = texts.figures
    return texts(
        "history.sweeps",
        n=sweeps.seen,
        after=figures.duration(AFTER_H * HOUR_MS),
        on=sweeps.went_on,
        back=sweeps.came_back,
        percent=figures.signed_percent(sweeps.median_pct or 0.0),
    )


def _gone_table(view: LivesView, texts: Texts) -> Html:
    """The largest of those that are gone: densest price, greatest size, how long they lived, what price did after."""
    figures = texts.figures

    def row(life: Life) -> list[str]:
        move = move_after(life, view.bars)
        return [
            figures.level(life.best.peak, view.market.tick_size),
            life_size(view, life, texts),
            figures.duration(life.lasted_ms(view.end_ms)),
            str(texts.of("history_end", life.end or "standing")),
            "" if move is None else figures.signed_percent(move),
        ]

    header = [texts.label(f"history.{name}") for name in ("zone", "size", "lived", "end", "then")]
    return escape_lines(lines_of(narrowed([header, *map(row, view.gone)], spare=(GONE_LIVED, GONE_SIZE)), left=1))


def _table(view: LivesView, texts: Texts) -> Html:
    """The largest, as the picture numbers them: zone, greatest size, how long it lived, how it ended.

    Where a phone has no room for both ends of the zones, the densest price stands for them.
    """
    rows: Rows = _cells(view, texts, peaks=False)
    if not fits(rows):
        rows = narrowed(_cells(view, texts, peaks=True), spare=(LIVED,))
    return escape_lines(lines_of(rows, left=2))


def _cells(view: LivesView, texts: Texts, *, peaks: bool) -> list[list[str]]:
    """The header and a row for each cluster, told by its densest price or by both its edges."""
    figures, tick = texts.figures, view.market.tick_size

    def row(number: int, life: Life) -> list[str]:
        best = life.best
        return [
            str(number),
            figures.level(best.peak, tick) if peaks else figures.band(best.low, best.high, tick),
            life_size(view, life, texts),
            figures.duration(life.lasted_ms(view.end_ms)),
            str(texts.of("history_end", life.end or "standing")),
        ]

    header = ["", *(texts.label(f"history.{name}") for name in ("zone", "size", "lived", "end"))]
    return [header, *(row(number, life) for number, life in enumerate(view.biggest, 1))]


def life_size(view: LivesView, life: Life, texts: Texts) -> str:
    """A cluster's greatest size: in USD where the map is worth it, else as a share of its side's positions."""
    if view.market.names_usd and not texts.in_shares:
        return texts.figures.money(life.best.usd)
    return texts.figures.percent(100.0 * life.best.share)


def _keys(view: LivesView, span: str, texts: Texts) -> Keyboard:
    market = market_arg(view.market.market)
    return (
        (
            key(texts.label("button.refresh"), "lr", market, span, AGAIN),
            key(texts.label("button.map"), "m", market),
            key(texts.label("button.heatmap"), "hm", market, span),
        ),
        range_keys(view.market.market, "lr", texts, shown=span),
        *venue_keys(view.market, "lr", texts, span),
    )
