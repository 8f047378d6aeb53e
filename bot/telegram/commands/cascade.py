"""/cascade: what each cluster would set off in the order book, in one message with one picture."""

from bot.alerts.types import Market
from bot.delivery.messenger import Keyboard, Message
from bot.telegram.callbacks import key, market_arg
from bot.telegram.cascade_text import CascadeText
from bot.telegram.cascade_view import cascade_of
from bot.telegram.commands.pick import typed_market
from bot.telegram.market_views import MarketView
from bot.telegram.scene import Answer, Scene


async def typed_cascade(scene: Scene, text: str) -> Answer:
    """/cascade with what was typed after it: `BTC`, `BTC okx`, or nothing."""
    return await typed_market(scene, text, "ca", cascade_answer)


async def cascade_answer(scene: Scene, market: Market) -> Answer:
    """The chains of both sides; one sentence where there is no cluster, or no book that tells anything."""
    view = await scene.desk.view(market)
    writer, keys = CascadeText(view, scene.texts, now_ms=scene.now_ms), _keys(scene, view)
    clusters = [shown.cluster for shown in view.clusters]
    if not clusters:
        return Answer(Message(writer.no_cluster(), keys), fresh=True)
    cascade = cascade_of(view, clusters, await scene.desk.books(view.joined))
    if cascade is None:
        return Answer(Message(writer.no_book(), keys), fresh=True)
    photo, name = await scene.desk.cascade_picture(cascade, look=scene.look) or (None, None)
    return Answer(Message(writer.told(cascade), keys, photo=photo, photo_name=name), fresh=True)


def _keys(scene: Scene, view: MarketView) -> Keyboard:
    market = market_arg(view.market)
    return (
        (key(scene.texts.label("button.map_of", base=view.base), "m", market),),
        (key(scene.texts.label("button.watch_of", base=view.base), "wn", market),),
    )
