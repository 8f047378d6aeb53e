"""Which market? The most traded ones as buttons, page by page; any other can be typed."""

from collections.abc import Awaitable, Callable

from bot.alerts.types import Market
from bot.delivery.messenger import Keyboard, Message
from bot.telegram.callbacks import key
from bot.telegram.scene import CHIPS_A_ROW, Answer, Scene, chips, unknown_symbol
from bot.telegram.texts import Html

PAGE = 3 * CHIPS_A_ROW

ASKS = {
    "w": "watch.pick",
    "wk": "watch.pick",
    "mn": "map.pick",
    "hm": "heatmap.pick",
    "li": "history.pick",
    "c": "clusters.pick",
    "lv": "place.levels.pick",
    "ca": "place.cascade.pick",
    "pn": "rule_page.copy",
}
"""What the buttons of a verb ask for."""


def pick(scene: Scene, verb: str, page: int = 0, *args: str) -> Answer:
    """The question of a verb with one page of markets, each button carrying the verb, the symbol and the arguments."""
    return Answer(Message(_question(scene, verb, args), market_keys(scene, verb, page, *args)))


async def typed_market(
    scene: Scene, text: str, verb: str, answer: Callable[[Scene, Market], Awaitable[Answer]]
) -> Answer:
    """What `answer` says of the market that was typed; the nearest ones for an unknown name, the question for none."""
    if not text:
        return pick(scene, verb)
    resolution = scene.resolve(text)
    if resolution.shown is None:
        return unknown_symbol(scene, text, resolution.nearest, verb)
    return await answer(scene, resolution.shown)


def market_keys(scene: Scene, verb: str, page: int = 0, *args: str) -> Keyboard:
    """One page of markets, with the ways to the next and to the one before."""
    symbols, texts = scene.desk.traded(), scene.texts
    page = min(page, max(0, -(-len(symbols) // PAGE) - 1))
    turning = []
    if page > 0:
        turning.append(key(texts.label("button.earlier"), "q", verb, page - 1, *args))
    if (page + 1) * PAGE < len(symbols):
        turning.append(key(texts.label("button.later"), "q", verb, page + 1, *args))
    found = chips(symbols[page * PAGE : (page + 1) * PAGE], verb, *args)
    return (*found, tuple(turning)) if turning else found


def turned(scene: Scene, verb: str, page: int, *args: str) -> Answer:
    """Another page of the same question; of the plainest one where the button's data cannot be read."""
    names_its_rule = verb != "pn" or bool(args)
    return pick(scene, verb if verb in ASKS and names_its_rule else "wk", page, *args)


def _question(scene: Scene, verb: str, args: tuple[str, ...]) -> Html:
    return scene.texts(ASKS[verb], number=args[0]) if verb == "pn" else scene.texts(ASKS[verb])
