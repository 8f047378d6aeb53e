"""A rule as the one line that gives it again."""

from decimal import Decimal

from bot.alerts import lexicon as lex
from bot.alerts.moments import moment_words
from bot.alerts.types import EVERYWHERE, Kind, Repeat, Rule, Unit

_WORDS = {
    Kind.GROWTH: "grow",
    Kind.NEW_CLUSTER: "new",
    Kind.SWEPT: "swept",
    Kind.BREAKOUT: "breakout",
    Kind.STOP_HUNT: "hunt",
    Kind.CASCADE: "cascade",
    Kind.FLIP: "flip",
    Kind.CONCENTRATION: "concentration",
    Kind.EXPOSURE: "exposure",
}
_WITH_PERCENT = frozenset({Kind.GROWTH, Kind.CASCADE, Kind.FLIP, Kind.CONCENTRATION, Kind.EXPOSURE})
_WITH_WINDOW = frozenset({Kind.GROWTH, Kind.BREAKOUT, Kind.STOP_HUNT})


def format_watch(rule: Rule, *, default_exchange: str = lex.DEFAULT_EXCHANGE) -> str:
    """The line that gives this rule again, its exchange named where it is not the default one.

    Raises ValueError for a kind that no line asks for.
    """
    if rule.kind is Kind.DIGEST:
        words = [lex.DIGEST, "weekly" if rule.window_ms > lex.DAY_MINUTES * lex.MINUTE_MS else "daily"]
    else:
        words = [*_market(rule, default_exchange), term_words(rule)]
    if rule.expires_ms:
        words.append(f"until {moment_words(rule.expires_ms)}")
    if rule.label is not None:
        words.append(f'"{rule.label}"')
    return " ".join(words)


def term_words(rule: Rule) -> str:
    """What a rule asks for and how often it tells, without its market, its end and its label."""
    words = [*_what(rule), *_which(rule)]
    if rule.repeat is Repeat.ONCE:
        words.append("once")
    elif rule.repeat is Repeat.EVERY:
        words.append(f"every {span(rule.repeat_ms)}")
    return " ".join(words)


def _market(rule: Rule, default_exchange: str) -> list[str]:
    if rule.market == EVERYWHERE:
        raise ValueError(f"{rule.kind} asks for a market")
    named = [] if rule.market.exchange == default_exchange else [rule.market.exchange]
    return [*named, rule.market.symbol]


def _what(rule: Rule) -> list[str]:
    """Kind and side, threshold and window."""
    side = [] if rule.side is None else [rule.side.value]
    if rule.kind is Kind.PROXIMITY:
        if rule.unit is Unit.ATR:
            return [*side, f"{plain(rule.threshold_pct)}atr"]
        horizon = [f"in {span(rule.window_ms)}"] if rule.unit is Unit.ODDS else []
        return [*side, f"{plain(rule.threshold_pct)}%", *horizon]
    if rule.kind not in _WORDS:
        raise ValueError(f"no line asks for {rule.kind}")
    words = [*side, _WORDS[rule.kind]]
    if rule.level is not None:
        words.append(plain(rule.level))
    if rule.kind in _WITH_PERCENT:
        words.append(f"{plain(rule.threshold_pct)}%")
    if rule.kind in _WITH_WINDOW:
        words.append(span(rule.window_ms))
    return words


def _which(rule: Rule) -> list[str]:
    """The filters."""
    words, where = [], rule.where
    if rule.min_usd is not None:
        words.append(size(rule.min_usd))
    if rule.min_strength is not None:
        words.append(f"strength {rule.min_strength}")
    if where.price_low is not None and where.price_high is not None:
        words.append(f"between {plain(where.price_low)} and {plain(where.price_high)}")
    elif where.price_low is not None:
        words.append(f"above {plain(where.price_low)}")
    elif where.price_high is not None:
        words.append(f"below {plain(where.price_high)}")
    if where.near_pct is not None:
        words.append(f"beyond {plain(where.near_pct)}%")
    if where.far_pct is not None:
        words.append(f"within {plain(where.far_pct)}%")
    if where.odds_pct is not None:
        words.append(f"odds {plain(where.odds_pct)}% in {span(where.odds_ms)}")
    if where.confluence:
        words.append("confluence")
    return words


def span(ms: int) -> str:
    """A length of time in hours where they are whole, else in minutes: `4h`, `90min`."""
    hours, minutes = divmod(ms // lex.MINUTE_MS, 60)
    return f"{hours * 60 + minutes}min" if minutes else f"{hours}h"


def plain(value: float) -> str:
    """The shortest digits that give this number again, without an exponent."""
    words = f"{Decimal(repr(value)):f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def size(usd: float) -> str:
    """In the largest unit that needs no more than three decimals, else in plain USD."""
    for letter in "BMk":
        scaled = Decimal(repr(usd)) / lex.MONEY[letter.lower()]
        if scaled >= 1 and scaled == scaled.quantize(Decimal("0.001")):
            return f"{scaled.normalize():f}{letter}"
    return f"{plain(usd)}usd"
