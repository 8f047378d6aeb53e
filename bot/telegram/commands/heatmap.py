"""/heatmap: how a market's zones came to be, as a picture of time against price."""

from bot.alerts.types import Market
from bot.delivery.messenger import Keyboard, Message
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.maps import AGAIN, RANGES, WHOLE, Showing, headline, range_keys, typed_showing
from bot.telegram.desk import MarketView
from bot.telegram.scene import Answer, Scene
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import DAY_MS
from bot.telegram.venues import venue_keys
from bot.telegram.wording import origin_words

USUAL = "3d"
"""Looked back on where a chat has chosen no range: what stands now was mostly opened within it."""

WHOLE_MS = 30 * DAY_MS


def span_ms(span: str) -> int:
    """How far back a range reaches."""
    return RANGES[span] or WHOLE_MS


def span_for(scene: Scene, span: str, usual: str) -> str:
    """The range asked for, else the chat's own, else the usual one; all of time is not looked back on unasked."""
    if span in RANGES:
        return span
    return usual if scene.preferences.map_range == WHOLE else scene.preferences.map_range


async def typed_heatmap(scene: Scene, text: str) -> Answer:
    """/heatmap with what was typed after it: `BTC`, `BTC 7d`, `BTC okx`, or nothing."""
    return await typed_showing(scene, text, Showing("hm", heatmap_of))


async def heatmap_of(
    scene: Scene, market: Market, span: str = "", *, fresh: bool = True, again: bool = False
) -> Answer:
    """The heatmap with its caption and its ranges as buttons; `again` is a refresh."""
    span, texts = span_for(scene, span, USUAL), scene.texts
    view = await scene.desk.view(market)
    drawn = await scene.desk.heatmap(view, look=scene.look, range_ms=span_ms(span))
    text = _caption(view, texts, now_ms=scene.now_ms, told="map.no_picture" if drawn is None else "heatmap.legend")
    photo, name = drawn or (None, None)
    toast = texts.label("toast.refreshed") if again else ""
    return Answer(Message(text, _keys(view, span, texts), photo=photo, photo_name=name), toast=toast, fresh=fresh)


def _keys(view: MarketView, span: str, texts: Texts) -> Keyboard:
    market = market_arg(view.market)
    return (
        (
            key(texts.label("button.refresh"), "hr", market, span, AGAIN),
            key(texts.label("button.map"), "m", market),
            key(texts.label("button.history"), "li", market, span),
        ),
        range_keys(view.market, "hr", texts, shown=span),
        *venue_keys(view, "hr", texts, span),
    )


def _caption(view: MarketView, texts: Texts, *, now_ms: int, told: str) -> Html:
    """The nearest zones now, and what is told of the picture."""
    line = headline(view, texts)
    lines = [texts("alert.head", text=texts("alert.simulated", line=line) if view.simulated else line)]
    if view.simulated:
        lines.append(texts("alert.note_simulated"))
    lines += [texts(told), texts("alert.small", text=origin_words(view, texts, now_ms=now_ms))]
    return Html("\n".join(lines))
