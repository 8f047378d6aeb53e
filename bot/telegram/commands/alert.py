"""What a tap on an alert itself does: Refresh tells in its place how price and cluster stand now."""

from bot.alerts.types import Event
from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, alert_message
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.scene import Answer, Scene
from bot.telegram.texts import Html, Texts
from bot.telegram.wording import day_odds, place_words, size_words


async def refresh(scene: Scene) -> Answer:
    """The tapped alert with a line on this moment, and with the map of now. Raises MarketUnavailableError."""
    told = await scene.desk.why_told(scene.chat, scene.inbound.message_id or 0)
    if not told:
        return Answer(toast=scene.texts.label("toast.too_old"))
    event, texts = told[0].event, scene.texts
    view = await scene.desk.view(event.market)
    drawn = await scene.desk.picture(view, look=scene.look) if scene.inbound.has_photo else None
    photo, name = drawn or (None, None)
    message = alert_message(
        event,
        Contract(told[0].base, told[0].tick_size, view.simulated),
        texts=texts,
        sent_ms=event.time_ms,
        photo=photo,
        photo_name=name,
    )
    head, _, rest = message.text.partition("\n")
    now = now_words(event, view, texts, now_ms=scene.now_ms)
    return Answer(replace(message, text="\n".join([head, now, rest])), toast=texts.label("toast.refreshed"))


def now_words(event: Event, view: MarketView, texts: Texts, *, now_ms: int) -> Html:
    """Price now, and where the alert's cluster is from it, or that it is gone."""
    time = texts.figures.clock(now_ms, now_ms=now_ms)
    price = texts.figures.price(view.price, view.tick_size)
    if event.cluster is None:
        return texts("now.price", time=time, price=price)
    same = next((each for each in view.clusters if each.track_id == event.track_id), None)
    return _cluster_now(same, view, texts, time=time, price=price)


def _cluster_now(same: ClusterView | None, view: MarketView, texts: Texts, *, time: str, price: str) -> Html:
    if same is None:
        return texts("now.gone", time=time, price=price)
    size = size_words(same.cluster, texts, names_usd=view.names_usd)
    line = texts("now.cluster", time=time, price=price, place=place_words(same, texts), size=size)
    odds = day_odds(same)
    return (
        line
        if odds is None or not same.distance_pct
        else texts("map.with_odds", line=line, odds=texts.figures.odds(odds))
    )
