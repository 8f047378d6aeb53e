"""Rows a venue sent that cannot be true: dropped, counted by cause, and logged once per cause."""

import logging
import math
from collections import Counter
from collections.abc import Mapping

log = logging.getLogger(__name__)


class BadRows:
    """The count of dropped rows by cause; one per client, so that a status page can show it."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._counts: Counter[str] = Counter()

    def drop(self, what: str, why: str) -> None:
        """Count one dropped row of `what` (bars, mark prices, ...); the first of its cause is logged."""
        cause = f"{what}: {why}"
        self._counts[cause] += 1
        if self._counts[cause] == 1:
            log.warning("%s sent a row that was dropped: %s (later ones are only counted)", self._exchange, cause)

    @property
    def counts(self) -> Mapping[str, int]:
        """Dropped rows by cause."""
        return dict(self._counts)


def number(value: object) -> float:
    """A finite float from a JSON number or a numeric string; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return math.nan
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return parsed if math.isfinite(parsed) else math.nan


def milliseconds(value: object) -> int | None:
    """A time in ms UTC from a JSON integer or a string of digits; None for anything else."""
    parsed = number(value)
    return int(parsed) if 0 < parsed < 1e15 and parsed == int(parsed) else None
