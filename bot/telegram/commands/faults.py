"""What is wrong with a typed line, as a sentence, and a line that would be right."""

from collections.abc import Callable

from bot.alerts.grammar import ErrorCode, ParseError
from bot.telegram.scene import echo
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import MINUTE_MS

TIMES = frozenset({ErrorCode.WINDOW_RANGE, ErrorCode.TIME_RANGE, ErrorCode.EXPIRY_RANGE})
"""Faults whose range is one of times."""

EXAMPLES = {
    ErrorCode.BAD_SIZE: "size",
    ErrorCode.SIZE_RANGE: "size",
    ErrorCode.STRENGTH_MISSING: "strength",
    ErrorCode.STRENGTH_RANGE: "strength",
    ErrorCode.GROWTH_RANGE: "growth",
    ErrorCode.WINDOW_RANGE: "growth",
    ErrorCode.ATR_RANGE: "atr",
    ErrorCode.ODDS_RANGE: "odds",
    ErrorCode.BAD_TIME: "until",
    ErrorCode.EXPIRY_RANGE: "until",
    ErrorCode.TIME_RANGE: "every",
    ErrorCode.BAD_PRICE: "price",
    ErrorCode.PRICE_RANGE: "price",
    ErrorCode.SIDE_MISSING: "exposure",
    ErrorCode.LEVEL_MISSING: "exposure",
    ErrorCode.LABEL_OPEN: "label",
    ErrorCode.LABEL_LONG: "label",
    ErrorCode.MARGIN_RANGE: "cascade",
}
"""The right line that goes with a fault."""


def fault_words(error: ParseError, texts: Texts) -> Html:
    """The fault as a sentence, with the allowed range where there is one."""
    values, figures = error.values, texts.figures
    writers: dict[ErrorCode, Callable[[float], str]] = {
        **dict.fromkeys(TIMES, lambda minutes: figures.duration(minutes * MINUTE_MS)),
        ErrorCode.SIZE_RANGE: figures.money,
        ErrorCode.STRENGTH_RANGE: figures.plain,
        ErrorCode.ATR_RANGE: figures.plain,
        ErrorCode.PRICE_RANGE: figures.own_price,
        ErrorCode.LABEL_LONG: figures.plain,
    }
    write = writers.get(error.code, figures.exact_percent)
    return texts.of(
        "error.watch",
        error.code,
        word=echo(str(values.get("word", ""))),
        understood=echo(str(values.get("understood", ""))),
        kind=texts.of("kind_asked", str(values.get("kind", ""))),
        low=write(float(values.get("low", 0))),
        high=write(float(values.get("high", 0))),
    )


def example_words(error: ParseError, symbol: str, texts: Texts) -> Html:
    """A line that would be right."""
    example = EXAMPLES.get(error.code, "other")
    if error.code is ErrorCode.BAD_TIME and str(error.values.get("understood", "")).endswith(" every"):
        example = "every"
    return texts.of("example", example, symbol=symbol)
