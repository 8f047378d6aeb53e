"""/map: the picture of a market's liquidation map, under a line that already says the nearest zones."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.alerts.types import Market
from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.totals import shares_near, standing_near
from bot.liquidation.types import Side
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.pick import pick
from bot.telegram.confluence_text import SIGN
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.scene import Answer, Scene, echo, unknown_symbol
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import DAY_MS, HOUR_MS
from bot.telegram.venues import venue_keys
from bot.telegram.wording import day_odds, nearest, origin_words, size_words

WHOLE = "30d"
RANGES: dict[str, int | None] = {
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "7d": 7 * DAY_MS,
    WHOLE: None,
}
SPELLED = {"24h": "1d"}
AGAIN = "again"
DOWNWARDS = (Side.SHORT, Side.LONG)


@dataclass(frozen=True, slots=True)
class Showing:
    """A command that shows a market over a range: the verb of its buttons and what it shows."""

    verb: str
    show: Callable[[Scene, Market, str], Awaitable[Answer]]


async def typed_map(scene: Scene, text: str) -> Answer:
    """/map with what was typed after it: `BTC`, `BTC 7d`, `BTC binance`, or nothing."""
    return await typed_showing(scene, text, Showing("mn", map_of))


async def typed_showing(scene: Scene, text: str, showing: Showing) -> Answer:
    """Show the market that was typed, over the range and of the exchange that were; or say what is meant instead."""
    words, verb = text.split(), showing.verb
    if not words:
        return pick(scene, verb)
    span, symbol = range_of(words)
    resolution = scene.resolve(symbol)
    if resolution.shown is not None:
        return await showing.show(scene, resolution.shown, span)
    head, _, last = symbol.rpartition(" ")
    base = scene.resolve(head).shown if head else None
    if base is not None and last[:1].isdigit():
        answer = scene.texts("error.range", typed=echo(last))
        return Answer(Message(answer, (range_keys(base, verb, scene.texts),)))
    if base is not None:
        return await _unknown_venue(scene, base, last, span, verb)
    return unknown_symbol(scene, symbol, resolution.nearest, verb, span)


async def _unknown_venue(scene: Scene, market: Market, typed: str, span: str, verb: str) -> Answer:
    """The symbol is known and the word after it is not: the exchanges that list it."""
    view = await scene.desk.view(market)
    venues = venue_keys(view, verb, scene.texts, span, mark=False)
    text = scene.texts("error.unknown_venue" if venues else "error.no_venue", typed=echo(typed), base=view.base)
    keys = venues or (range_keys(market, verb, scene.texts),)
    return Answer(Message(text, keys))


def range_of(words: Sequence[str]) -> tuple[str, str]:
    """The range among these words, empty where none is named, and the text without it."""
    for index in range(len(words) - 1, -1 if len(words) > 1 else 0, -1):
        span = SPELLED.get(words[index].lower(), words[index].lower())
        if span in RANGES:
            return span, " ".join([*words[:index], *words[index + 1 :]])
    return "", " ".join(words)


async def map_of(
    scene: Scene,
    market: Market,
    span: str = "",
    *,
    fresh: bool = True,
    again: bool = False,
    by_leverage: bool = False,
) -> Answer:
    """The map with its caption, its picture where one could be drawn, the ranges as buttons; `again` is a refresh."""
    span = span if span in RANGES else scene.preferences.map_range
    range_ms = RANGES[span]
    view = await scene.desk.view(market, range_ms=range_ms)
    drawn = await scene.desk.picture(view, look=scene.look, range_ms=range_ms, by_leverage=by_leverage)
    text = caption(view, scene.texts, now_ms=scene.now_ms, range_ms=range_ms, by_leverage=by_leverage)
    if drawn is None:
        text = Html("\n".join([text, scene.texts("map.no_picture")]))
    photo, name = drawn or (None, None)
    buttons = map_keys(view, span, scene.texts, by_leverage=by_leverage)
    toast = scene.texts.label("toast.refreshed") if again else ""
    return Answer(Message(text, buttons, photo=photo, photo_name=name), toast=toast, fresh=fresh)


def map_keys(view: MarketView, span: str, texts: Texts, *, by_leverage: bool = False) -> Keyboard:
    """Refresh, table and watch, other ways to look, the ranges with the shown one marked, the exchanges likewise."""
    market = market_arg(view.market)
    same, other = ("ml", "mr") if by_leverage else ("mr", "ml")
    return (
        (
            key(texts.label("button.refresh"), same, market, span, AGAIN),
            key(texts.label("button.clusters"), "c", market, span),
            key(texts.label("button.watch_of", base=view.base), "wn", market),
        ),
        (
            key(texts.label("button.by_cluster" if by_leverage else "button.by_leverage"), other, market, span),
            key(texts.label("button.heatmap"), "hm", market),
            key(texts.label("button.history"), "li", market),
        ),
        range_keys(view.market, same, texts, shown=span),
        *venue_keys(view, same, texts, span),
    )


def range_keys(market: Market, verb: str, texts: Texts, *, shown: str | None = None) -> tuple[Button, ...]:
    """The ranges as one row of buttons."""
    return tuple(
        key(texts.label("button.current", label=span) if span == shown else span, verb, market_arg(market), span)
        for span in RANGES
    )


def caption(
    view: MarketView, texts: Texts, *, now_ms: int, range_ms: int | None = None, by_leverage: bool = False
) -> Html:
    """What the picture shows, in words: the nearest zones first, then the biggest, the balance and the origin."""
    line = headline(view, texts)
    lines = [texts("alert.head", text=texts("alert.simulated", line=line) if view.simulated else line)]
    if view.simulated:
        lines.append(texts("alert.note_simulated"))
    for side in DOWNWARDS:
        each = biggest(view, side)
        if each is not None and each.distance_pct:
            lines.append(_biggest_line(each, view, texts))
    if view.names_usd and texts.in_shares:
        short_share, long_share = shares_near(view.map)
        short, long = (texts.figures.percent(100 * share) for share in (short_share, long_share))
        lines.append(texts("map.balance_shares", short=short, long=long))
    elif view.names_usd:
        short_usd, long_usd = standing_near(view.map)
        lines.append(texts("map.balance", short=texts.figures.money(short_usd), long=texts.figures.money(long_usd)))
    if any(each.cluster.confluence for each in view.clusters):
        lines.append(texts("confluence.map", sign=SIGN))
    if range_ms is not None:
        lines.append(texts("map.range", range=texts.figures.duration(range_ms)))
    if by_leverage:
        lines.append(texts("map.by_leverage"))
    lines.append(texts("alert.small", text=origin_words(view, texts, now_ms=now_ms)))
    return Html("\n".join(lines))


def headline(view: MarketView, texts: Texts) -> Html:
    """Price and the nearest zone on each side in one line."""
    figures = texts.figures
    price = figures.price(view.price, view.tick_size)
    short, long = nearest(view, Side.SHORT), nearest(view, Side.LONG)
    for each in (short, long):
        if each is not None and each.distance_pct == 0:
            return texts.of(
                "map.at_price",
                each.cluster.side,
                base=view.base,
                price=price,
                band=figures.band(each.cluster.low, each.cluster.high, view.tick_size),
                size=_size(each, view, texts),
            )
    zones = [
        texts(name, percent=figures.percent(abs(each.distance_pct)), size=_size(each, view, texts))
        for name, each in (("map.shorts_above", short), ("map.longs_below", long))
        if each is not None
    ]
    if not zones:
        return texts("map.neither", base=view.base, price=price)
    return texts("map.nearest", base=view.base, price=price, zones=Html(texts("map.join").join(zones)))


def biggest(view: MarketView, side: Side) -> ClusterView | None:
    """The biggest cluster of one side."""
    of_side = (each for each in view.clusters if each.cluster.side is side)
    return max(of_side, key=lambda each: each.cluster.usd, default=None)


def _size(each: ClusterView, view: MarketView, texts: Texts) -> Html:
    return size_words(each.cluster, texts, names_usd=view.names_usd)


def _biggest_line(each: ClusterView, view: MarketView, texts: Texts) -> Html:
    figures, cluster = texts.figures, each.cluster
    words = texts(
        "map.biggest_short" if cluster.side is Side.SHORT else "map.biggest_long",
        band=figures.band(cluster.low, cluster.high, view.tick_size),
        percent=figures.percent(abs(each.distance_pct)),
        size=_size(each, view, texts),
    )
    odds = day_odds(each)
    if odds is None:
        return words
    return texts("map.with_odds", line=words, odds=figures.odds(odds))
