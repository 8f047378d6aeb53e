"""/pulse: how wound up the watched markets are, in one table; with a name, one market in all its figures."""

from collections.abc import Sequence

from bot.alerts.types import EVERYWHERE, Market
from bot.delivery.messenger import Keyboard, Message
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.pick import typed_market
from bot.telegram.desk import MarketUnavailableError
from bot.telegram.pulse_text import most_wound_up, names_of, pulse_text
from bot.telegram.scene import Answer, Scene, base_name, chips, rows
from bot.telegram.survey import SHOWN, PulseView

KEYS_A_ROW = 4


async def typed_pulse(scene: Scene, text: str) -> Answer:
    """/pulse with what was typed after it: `BTC`, `BTC okx`, or nothing."""
    if not text:
        return await pulse_of_all(scene)
    return await typed_market(scene, text, "pu", pulse_of)


async def pulse_of(scene: Scene, market: Market, *, fresh: bool = True) -> Answer:
    """One market's figures. Raises MarketUnavailableError."""
    view = await scene.desk.survey().pulse(market)
    arg = market_arg(market)
    keys = (
        (
            key(scene.texts.label("button.refresh"), "pr", arg),
            key(scene.texts.label("button.map"), "m", arg),
            key(scene.texts.label("button.watch_of", base=view.base), "wn", arg),
        ),
    )
    return await _answer(scene, [view], (), keys, fresh=fresh)


async def pulse_of_all(scene: Scene, *, fresh: bool = True) -> Answer:
    """All markets that the chat watches, the most wound up first."""
    markets = await _watched(scene)
    if not markets:
        return Answer(Message(scene.texts("pulse.none"), chips(scene.desk.popular(), "pu")))
    views, without = [], []
    for market in markets:
        try:
            views.append(await scene.desk.survey().pulse(market))
        except MarketUnavailableError:
            without.append(base_name(market))
    again = key(scene.texts.label("button.refresh"), "pa")
    if not views:
        return Answer(Message(scene.texts("pulse.without", bases=", ".join(without)), ((again,),)), fresh=fresh)
    ordered = most_wound_up(views)
    named = zip(names_of(ordered, scene.texts), ordered[:SHOWN], strict=False)
    each = [key(name, "pu", market_arg(view.market)) for name, view in named]
    keys = ((again,), *rows(each, KEYS_A_ROW))
    return await _answer(scene, ordered, without, keys, fresh=fresh)


async def _watched(scene: Scene) -> Sequence[Market]:
    rules = [view.rule.market for view in await scene.desk.rules(scene.chat)]
    return [market for market in dict.fromkeys(rules) if market != EVERYWHERE]


async def _answer(
    scene: Scene, views: Sequence[PulseView], without: Sequence[str], keys: Keyboard, *, fresh: bool
) -> Answer:
    drawn = await scene.desk.survey().pulse_picture(views[:SHOWN], look=scene.look)
    photo, name = drawn or (None, None)
    pictured = drawn is not None
    text = pulse_text(views, scene.texts, shown=min(len(views), SHOWN), without=without, pictured=pictured)
    toast = "" if fresh else scene.texts.label("toast.refreshed")
    return Answer(Message(text, keys, photo=photo, photo_name=name), toast=toast, fresh=fresh)
