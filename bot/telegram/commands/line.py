"""A rule as the line that a button carries, and a line as it is meant in its chat."""

from collections.abc import Callable

from bot.alerts.faults import ParseError
from bot.alerts.grammar import DEFAULT_EXCHANGE, format_watch
from bot.alerts.types import Rule
from bot.telegram.scene import Scene
from bot.telegram.texts.zones import offset_ms


def line_of(scene: Scene, rule: Rule) -> str:
    """The line that gives this rule again, its exchange left out where the symbol alone means the same market."""
    alone = scene.resolve(rule.market.symbol).market == rule.market
    return format_watch(rule, default_exchange=rule.market.exchange if alone else DEFAULT_EXCHANGE)


def by_the_clock(scene: Scene, read: Callable[[int], Rule | ParseError]) -> Rule | ParseError:
    """What a line means by the chat's clock, of which `read` takes the distance from UTC.

    A day that the line names may lie beyond a change of clocks: then the distance of that day counts.
    """
    meant = read(scene.offset_ms)
    if isinstance(meant, ParseError) or not meant.expires_ms:
        return meant
    then_ms = offset_ms(scene.texts.figures.zone, meant.expires_ms)
    return meant if then_ms == scene.offset_ms else read(then_ms)
