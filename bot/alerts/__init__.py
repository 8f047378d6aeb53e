"""The judgement, pure: watch rules, the identity of clusters over time, and what becomes an alert."""

from bot.alerts.engine import Engine
from bot.alerts.grammar import ErrorCode, ParseError, format_watch, parse_watch
from bot.alerts.readings import FirstLook, MapReading, Standing

__all__ = [
    "Engine",
    "ErrorCode",
    "FirstLook",
    "MapReading",
    "ParseError",
    "Standing",
    "format_watch",
    "parse_watch",
]
