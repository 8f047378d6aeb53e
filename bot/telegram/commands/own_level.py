"""A person's own liquidation price, against price: on the side where it can be reached, and within the map."""

from dataclasses import replace

from bot.alerts.exposure import liquidated_already
from bot.alerts.types import Kind, Rule
from bot.delivery.messenger import Message
from bot.liquidation.types import Side
from bot.telegram.callbacks import key
from bot.telegram.commands.line import line_of
from bot.telegram.desk import MarketUnavailableError, MarketView
from bot.telegram.scene import Answer, Scene, base_name
from bot.telegram.texts import Html, Texts


async def refusal(scene: Scene, rule: Rule) -> Answer | None:
    """Why no position can have the liquidation price of a rule, and the side that can; None where it may be right."""
    if rule.kind is not Kind.EXPOSURE or rule.level is None or rule.side is None:
        return None
    try:
        view = await scene.desk.view(rule.market)
    except MarketUnavailableError:
        return None
    if not liquidated_already(rule.side, rule.level, view.price):
        return None
    texts = scene.texts
    words = texts.of(
        "own_level.wrong_side",
        rule.side,
        level=texts.figures.own_price(rule.level),
        base=base_name(rule.market),
        price=texts.figures.price(view.price, view.tick_size),
    )
    other = Side.SHORT if rule.side is Side.LONG else Side.LONG
    yes = key(texts.label("button.watch_this"), "wt", line_of(scene, replace(rule, side=other)))
    if liquidated_already(other, rule.level, view.price) or len((yes.data or "").encode()) > scene.data_bytes:
        return Answer(Message(words))
    return Answer(Message(Html(f"{words} {texts.of('own_level.other_side', rule.side)}"), ((yes,),)))


def beyond_the_map(rule: Rule, view: MarketView, texts: Texts) -> Html | None:
    """That a rule's level lies where the map does not reach yet; None where it does."""
    if rule.level is None or not len(view.map.low) or view.map.low[0] <= rule.level <= view.map.high[-1]:
        return None
    away, reach = abs(rule.level / view.price - 1.0), view.map.high[-1] / view.price - 1.0
    return texts(
        "own_level.far", away=texts.figures.percent(100.0 * away), reach=texts.figures.percent(100.0 * float(reach))
    )
