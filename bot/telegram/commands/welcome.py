"""The first words, the help, and what is said to anything the bot does not understand."""

from bot.alerts.filters import DEFAULT_MIN_STRENGTH
from bot.delivery.messenger import Keyboard, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key
from bot.telegram.commands import maps
from bot.telegram.commands.pick import market_keys
from bot.telegram.commands.rules import rules_answer
from bot.telegram.commands.watch import sensitivity_menu
from bot.telegram.deep_links import MAP, WATCH, market_in
from bot.telegram.scene import Answer, Scene, chips, echo, unknown_symbol
from bot.telegram.texts import Html

HELP_TOPICS = ("alerts", "maps", "places", "chat")


async def start(scene: Scene, payload: str = "") -> Answer:
    """The first words and the markets as buttons; to somebody who has rules, those; with a deep link, what it names."""
    if payload:
        return await _linked(scene, payload)
    if await scene.desk.rules(scene.chat):
        return await rules_answer(scene, note=scene.texts("start.back"))
    help_row = ((key(scene.texts.label("button.help"), "h"),),)
    return Answer(Message(scene.texts("start.welcome"), market_keys(scene, "w") + help_row))


async def _linked(scene: Scene, payload: str) -> Answer:
    """What a deep link opens: the watch (`w_ZRXUSDT`) or the map of a market. One that names nothing says so."""
    shown, watched = market_in(payload, MAP), market_in(payload, WATCH)
    named = watched or shown
    if not named:
        answer = await start(scene)
        said = answer.message or Message("")
        return Answer(replace(said, text="\n\n".join([scene.texts("start.bad_link"), said.text])))
    resolution, symbol = scene.resolve(named), named.rpartition(":")[2]
    if resolution.market is None:
        # The exchange does not list it: another may.
        resolution = scene.resolve(symbol)
    market = resolution.market if watched else resolution.shown
    if market is None:
        return unknown_symbol(scene, symbol, resolution.nearest, "w" if watched else "mn")
    return await (sensitivity_menu(scene, market) if watched else maps.map_of(scene, market))


def help_answer(scene: Scene, topic: str = "") -> Answer:
    """What can be sent, with examples to tap and copy: the most used of it, or all of one topic."""
    said = help_text(scene, topic) if topic in HELP_TOPICS else help_text(scene)
    return Answer(Message(said, _help_keys(scene, topic)))


def help_text(scene: Scene, topic: str = "text") -> Html:
    """The first page, which says what a cluster is, or the page of a topic."""
    return scene.texts(f"help.{topic}", strength=str(DEFAULT_MIN_STRENGTH))


def _help_keys(scene: Scene, current: str = "") -> Keyboard:
    """The topics in pairs; the one that is shown leads back to the first page."""
    texts, keys = scene.texts, []
    for topic in HELP_TOPICS:
        name = texts.label(f"help_topic.{topic}")
        shown = topic == current
        keys.append(key(texts.label("button.current", label=name) if shown else name, "h", "" if shown else topic))
    return (*zip(keys[::2], keys[1::2], strict=True), *next_steps(scene))


def unknown_command(scene: Scene, command: str) -> Answer:
    """A command that does not exist: the ones that do."""
    text = "\n\n".join([scene.texts("error.unknown_command", typed=f"/{echo(command)}"), help_text(scene)])
    return Answer(Message(text, _help_keys(scene)))


def not_understood(scene: Scene, key_of_text: str = "error.not_understood") -> Answer:
    """Anything else: one sentence with two examples, and markets to tap."""
    return Answer(Message(scene.texts(key_of_text), chips(scene.desk.popular(), "mn")))


def next_steps(scene: Scene) -> Keyboard:
    """Where to go from a text that has no step of its own."""
    return ((key(scene.texts.label("button.add"), "n"), key(scene.texts.label("button.rules"), "r")),)
