"""A person's own liquidation price, against price: on the side where it can be reached, and within the map."""

import numpy as np

from bot.alerts import exposure
from bot.alerts.exposure import liquidated_already
from bot.alerts.types import Kind, Rule
from bot.delivery.messenger import Message
from bot.liquidation.crowding import CROWDED
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.liquidation.whole import Whole
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


def standing_words(rule: Rule, view: MarketView, texts: Texts) -> Html:
    """How far price is from a rule's level, what is so already, and that the map does not reach it yet."""
    level = rule.level or view.price
    said = texts.figures.percent(abs(100.0 * (level / view.price - 1.0)))
    if len(view.map.low) and not view.map.low[0] <= level <= view.map.high[-1]:
        reach = 100.0 * float(view.map.high[-1] / view.price - 1.0)
        return texts("own_level.far", away=said, reach=texts.figures.percent(reach))
    near = exposure.away_pct(rule, view.price) <= rule.threshold_pct
    words = [texts("own_level.near" if near else "own_level.away", away=said)]
    if _is_crowded(level, view):
        words.append(texts("own_level.crowded"))
    return texts.sentences(words)


def _is_crowded(level: float, view: MarketView) -> bool:
    if view.daily_move_pct is None:
        return False
    clusters = tuple(each.cluster for each in view.clusters)
    whole = Whole.of(view.map, clusters, day_volatility=view.daily_move_pct / 100.0)
    return bool(whole.crowdings(np.array([level]))[0] >= CROWDED)
