"""The words of the rule language: what people type for each kind, filter and unit, and the ranges of figures."""

from decimal import Decimal

from bot.alerts.types import Kind
from bot.liquidation.combining import COMBINED
from bot.liquidation.types import Side

EXCHANGES = ("binance", "bybit", "okx", "hyperliquid")
DEFAULT_EXCHANGE = "binance"
VENUE_WORDS = (*EXCHANGES, COMBINED, "all")
"""What may stand before a symbol."""

NORMAL_PCT = 1.0
"""How near, where a line names no percent."""
NORMAL_GROWTH_PCT = 10.0
"""Measured on a month of four markets: 30 % in 4 hours hardly ever happens, 10 % once a day or two."""
NORMAL_WINDOW_MINUTES = 240
NORMAL_ODDS_MINUTES = 1440

PROXIMITY_PCT = (0.1, 20.0)
ATR = (0.1, 20.0)
ODDS_PCT = (5.0, 95.0)
GROWTH_PCT = (5.0, 500.0)
CASCADE_PCT = (90.0, 99.9)
FLIP_PCT = (1.0, 90.0)
BAND_PCT = (80.0, 99.99)
EXPOSURE_PCT = (0.1, 20.0)
AWAY_PCT = (0.05, 20.0)
WINDOW_MINUTES = (15, 1440)
HOLD_MINUTES = (5, 120)
RETURN_MINUTES = (5, 240)
EVERY_MINUTES = (5, 1440)
LIFE_MINUTES = (10, 527_040)
"""A rule lives ten minutes at least and a year at most, where it ends at all."""
SIZE_USD = (1e3, 1e12)
STRENGTH = (1, 100)
PRICE = (1e-9, 1e9)
LABEL_LENGTH = 40

MINUTE_MS = 60_000
DAY_MINUTES = 1440

SIDES = {"long": Side.LONG, "longs": Side.LONG, "short": Side.SHORT, "shorts": Side.SHORT}
KINDS = {
    **dict.fromkeys(("grow", "grows", "grew", "growth", "growing", "+"), Kind.GROWTH),
    **dict.fromkeys(("new", "appears", "appear", "forms"), Kind.NEW_CLUSTER),
    **dict.fromkeys(("swept", "sweep", "sweeps"), Kind.SWEPT),
    **dict.fromkeys(("breakout", "breakouts", "breaks", "break"), Kind.BREAKOUT),
    **dict.fromkeys(("breakdown", "breakdowns"), Kind.BREAKOUT),
    **dict.fromkeys(("hunt", "stophunt", "stop-hunt", "stop_hunt"), Kind.STOP_HUNT),
    **dict.fromkeys(("cascade", "cascades"), Kind.CASCADE),
    **dict.fromkeys(("flip", "flips", "imbalance", "balance"), Kind.FLIP),
    **dict.fromkeys(("concentration", "shift", "entropy"), Kind.CONCENTRATION),
    **dict.fromkeys(("exposure", "exposed", "crowded", "liq"), Kind.EXPOSURE),
}
BREAKDOWN = frozenset({"breakdown", "breakdowns"})
"""A breakout downwards: of longs, where no side is said."""
DIGEST = "digest"
PERIODS = {"daily": 1, "day": 1, "weekly": 7, "week": 7}

PERCENT = frozenset({"%", "pct", "percent"})
ATR_UNITS = frozenset({"atr", "atrs", "xatr"})
MINUTES = {"m": 1, "min": 1, "mins": 1, "minute": 1, "minutes": 1, "h": 60, "hr": 60, "hrs": 60, "hour": 60}
MINUTES |= {"hours": 60, "d": 1440, "day": 1440, "days": 1440, "w": 10_080, "week": 10_080, "weeks": 10_080}
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mio": 6, "mln": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "": 0}
MONEY = {unit + tail: Decimal(10) ** zeros for unit, zeros in _SCALES.items() for tail in ("", "$", "usd", "usdt")}
UNITS = PERCENT | ATR_UNITS | MINUTES.keys() | MONEY.keys()

FILLERS = frozenset(
    {"at", "least", "most", "over", "in", "within", "size", "by", "and", "from", ">", ">=", "≥", "usd", "$"}
    | {"cluster", "clusters", "out", "with"}
)
CONFLUENCE = frozenset({"confluence", "confluent"})
ODDS = frozenset({"odds", "chance", "probability", "prob"})
BEYOND = frozenset({"beyond", "farther", "further"})
ABOVE = frozenset({"above"})
BELOW = frozenset({"below", "under"})
BETWEEN = frozenset({"between"})
ONCE = frozenset({"once"})
EVERY = frozenset({"every", "each", "repeat"})
FOR = frozenset({"for"})
UNTIL = frozenset({"until", "till"})
QUOTES = frozenset({"usdt", "perp", "perpetual", "swap"})
