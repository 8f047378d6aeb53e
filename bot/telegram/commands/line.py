"""A rule as the line that a button carries."""

from bot.alerts.grammar import DEFAULT_EXCHANGE, format_watch
from bot.alerts.types import Rule
from bot.telegram.scene import Scene


def line_of(scene: Scene, rule: Rule) -> str:
    """The line that gives this rule again, its exchange left out where the symbol alone means the same market."""
    alone = scene.resolve(rule.market.symbol).market == rule.market
    return format_watch(rule, default_exchange=rule.market.exchange if alone else DEFAULT_EXCHANGE)
