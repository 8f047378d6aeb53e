"""/position, /stop and /levels: one's own levels on the map, each in one message with one picture."""

import math
from collections.abc import Callable
from typing import TypeVar

from bot.alerts.exposure import NORMAL_PCT
from bot.alerts.grammar import ErrorCode, ParseError
from bot.alerts.place_line import parse_position, parse_stop
from bot.alerts.types import Kind, Market, Rule
from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.levels import levels_of
from bot.liquidation.own_exposure import expose_position
from bot.liquidation.position import PositionError
from bot.liquidation.stop_placement import place_stop
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.faults import fault_words
from bot.telegram.commands.level_keys import break_keys
from bot.telegram.commands.line import line_of
from bot.telegram.commands.pick import typed_market
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.ground import GroundView
from bot.telegram.place_text import PlaceText
from bot.telegram.scene import CHIPS_A_ROW, Answer, Scene, base_name, echo, rows
from bot.telegram.texts import Html

MARGIN_AROUND = 1.15
"""How much farther than a far level its picture reaches."""

EXAMPLE = "BTC"
"""The coin that the prices of the examples are of."""

Line = TypeVar("Line")


async def typed_position(scene: Scene, text: str) -> Answer:
    """/position with what was typed after it."""
    line = _read(scene, text, parse_position)
    if isinstance(line, ParseError):
        return _explain(scene, text, line, "position", "po")
    place = await scene.desk.ground(line.market)
    writer = PlaceText(place, scene.texts, now_ms=scene.now_ms)
    if not place.tiers:
        return Answer(Message(writer.no_tiers()))
    position = line.position(place.ground.price)
    try:
        report = expose_position(position, place.ground, place.volatility, place.tiers, fee_rate=place.fee_rate)
    except PositionError as error:
        return Answer(Message(writer.fault(error, size_usd=position.size_usd)))
    level = None if report.spot is None else report.spot.level
    words = writer.position(report, size_said=line.names_size)
    keys = _keys(scene, place, () if level is None else _watch_keys(scene, line.market, line.side, level))
    return await _pictured(scene, place, words, keys, level=level)


async def typed_stop(scene: Scene, text: str) -> Answer:
    """/stop with what was typed after it."""
    line = _read(scene, text, parse_stop)
    if isinstance(line, ParseError):
        return _explain(scene, text, line, "stop", "sp")
    place = await scene.desk.ground(line.market)
    writer = PlaceText(place, scene.texts, now_ms=scene.now_ms)
    entry = place.ground.price if line.entry is None else line.entry
    try:
        report = place_stop(line.side, entry, line.stop, place.ground, place.volatility)
    except PositionError as error:
        return Answer(Message(writer.fault(error)))
    return await _pictured(scene, place, writer.stop(report), _keys(scene, place), level=line.stop)


async def typed_levels(scene: Scene, text: str) -> Answer:
    """/levels with what was typed after it: `BTC`, `BTC okx`, or nothing."""
    return await typed_market(scene, text, "lv", levels_answer)


async def levels_answer(scene: Scene, market: Market) -> Answer:
    """The clusters of both sides in order, as far as /map shows them."""
    place = await scene.desk.ground(market)
    drawn = place.view.map
    shown = [
        tuple(
            each
            for each in levels_of(side, place.ground, place.volatility)
            if drawn.low[0] <= each.cluster.peak <= drawn.high[-1]
        )
        for side in (Side.SHORT, Side.LONG)
    ]
    words = PlaceText(place, scene.texts, now_ms=scene.now_ms).levels(*shown)
    breaks = break_keys(scene, market, place.view.tick_size, *shown)
    return await _pictured(scene, place, words, (*breaks, *_keys(scene, place)))


def _read(scene: Scene, text: str, parse: Callable[[str, Callable[[str], Market | None]], Line]) -> Line:
    return parse(text, lambda typed: scene.resolve(typed).shown)


def _explain(scene: Scene, text: str, error: ParseError, command: str, verb: str) -> Answer:
    """What is wrong with a line and a right one; where it is the symbol, the same line with the nearest ones."""
    example = scene.texts.of("example", command, symbol=EXAMPLE)
    if error.code is ErrorCode.EMPTY:
        return Answer(Message(Html("\n".join([scene.texts.of("place.asks", command), example]))))
    if error.code is not ErrorCode.UNKNOWN_SYMBOL:
        return Answer(Message(Html("\n".join([fault_words(error, scene.texts), example]))))
    word = str(error.values.get("word", ""))
    near = scene.resolve(word).nearest or tuple(scene.desk.popular())
    before, after = text[: error.position], text[error.position + len(word) :]
    keys = [key(base_name(Market("", symbol)), verb, f"{before}{symbol}{after}") for symbol in near]
    fitting = [each for each in keys if len((each.data or "").encode()) <= scene.data_bytes]
    return Answer(Message(scene.texts("error.unknown_symbol", typed=echo(word)), rows(fitting, CHIPS_A_ROW)))


def _watch_keys(scene: Scene, market: Market, side: Side, level: float) -> tuple[Button, ...]:
    """Watch the level: an alert when a cluster forms around it. All that is kept of a position is its price."""
    rounded = float(f"{level:.6g}")
    rule = Rule(0, scene.chat, market, Kind.EXPOSURE, NORMAL_PCT, 0, side=side, level=rounded)
    watch = key(scene.texts.label("button.watch_level"), "wt", line_of(scene, rule))
    return (watch,) if len((watch.data or "").encode()) <= scene.data_bytes else ()


def _keys(scene: Scene, place: GroundView, first: tuple[Button, ...] = ()) -> Keyboard:
    market = market_arg(place.view.market)
    return (
        (*first, key(scene.texts.label("button.map_of", base=place.view.base), "m", market)),
        (key(scene.texts.label("button.watch_of", base=place.view.base), "wn", market),),
    )


async def _pictured(
    scene: Scene, place: GroundView, words: Html, keys: Keyboard, *, level: float | None = None
) -> Answer:
    """The words under a picture of the map, as far as the level; without one where it could not be drawn."""
    shown = place.view if level is None else _reaching(place, level)
    drawn = await scene.desk.picture(shown, look=scene.look, level=level)
    photo, name = drawn or (None, None)
    return Answer(Message(words, keys, photo=photo, photo_name=name), fresh=True)


def _reaching(place: GroundView, level: float) -> MarketView:
    """The market as its picture shows it: farther than usual where the level lies beyond."""
    view = place.view
    if view.map.low[0] < level < view.map.high[-1]:
        return view
    drawn = place.ground.around(MARGIN_AROUND * abs(math.log(level / place.ground.price)))
    clusters = tuple(ClusterView(each, "", 0.0, ()) for each in place.ground.clusters)
    return replace(view, map=drawn, clusters=clusters)
