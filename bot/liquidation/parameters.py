"""The position model's constants, with the measured defaults of its specification."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2s
from typing import Any

MODEL_VERSION = "cohorts-1"
"""Changes whenever the same history and parameters would give another map."""


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """What the model assumes where public data is silent.

    `turnover_hours` are the mean holding times of the turnover rows, `turnover_prior` their weights in the map.
    `leverage_weights` pairs a leverage with its share of what is opened; `broad_weight` is the share opened at no
    typical leverage, lognormal around `broad_median` with `broad_sd` (cross margin). Distances are fractions of the
    entry price and are clipped to `nearest` and `farthest`.

    `long_tilt` and `short_tilt` multiply a side's weights: a factor for each leverage in turn and one for the broad
    part (see `bot.liquidation.learning`); empty, nothing is tilted.
    """

    turnover_hours: tuple[float, ...] = (6.0, 12.0, 36.0, 120.0, 360.0)
    turnover_prior: tuple[float, ...] = (0.10, 0.25, 0.30, 0.25, 0.10)
    leverage_weights: tuple[tuple[float, float], ...] = (
        (1.5, 0.03),
        (2.0, 0.06),
        (3.0, 0.10),
        (5.0, 0.16),
        (10.0, 0.20),
        (20.0, 0.12),
        (25.0, 0.08),
        (50.0, 0.08),
        (75.0, 0.03),
        (100.0, 0.04),
        (125.0, 0.01),
    )
    spike_share: float = 0.4
    added_margin: float = 0.6
    broad_weight: float = 0.09
    broad_median: float = 0.35
    broad_sd: float = 0.9
    long_tilt: tuple[float, ...] = ()
    short_tilt: tuple[float, ...] = ()
    nearest: float = 0.002
    farthest: float = 0.62
    least_kept: float = 0.05
    """The share of a row that survives any one bar's voluntary closing."""
    flow_memory_hours: float = 720.0
    """Time constant of the trailing means of open interest and volume."""
    stuck_bars: int = 3
    """Open interest that repeats itself over more traded bars than this, or a longer gap, counts as missing."""
    assumed_daily_turnover: float = 2.0
    """A day's volume over open interest where open interest is unknown; Binance, December 2025: 1.5 to 3.1."""
    plausible_flow: tuple[float, float] = (0.5, 0.7)
    """Opened coins per traded coin at which a turnover row starts to lose its weight and has lost it."""
    stale_hours: float = 2.0
    """Open interest older than this at the map's time makes the map an estimate."""

    sparse_share: float = 0.8
    """Open interest known in less than this share of the bars is sparse."""
    gap_share: float = 0.01
    """More than this share of bars missing is worth telling."""
    short_hours: float = 168.0
    fine_bar_ms: int = 300_000

    def __post_init__(self) -> None:
        if len(self.turnover_hours) != len(self.turnover_prior) or not self.turnover_hours:
            raise ValueError("turnover_hours and turnover_prior must have one length, at least 1")
        if min(self.turnover_hours) <= 0 or min(self.turnover_prior) < 0 or sum(self.turnover_prior) <= 0:
            raise ValueError("turnover hours must be positive and their weights not negative, with a positive sum")
        for tilt in (self.long_tilt, self.short_tilt):
            if tilt and (len(tilt) != len(self.leverage_weights) + 1 or min(tilt) <= 0):
                raise ValueError("a tilt has a positive factor for each leverage and one for the broad part")


DEFAULT = ModelParameters()


@lru_cache(maxsize=4096)
def version_of(parameters: ModelParameters) -> str:
    """The name of what makes a map; maps of two versions are not compared. Learned parameters add a digest."""
    if parameters == DEFAULT:
        return MODEL_VERSION
    return f"{MODEL_VERSION}-{blake2s(repr(parameters).encode(), digest_size=4).hexdigest()}"


def parameters_of(fields: Mapping[str, Any]) -> ModelParameters:
    """Parameters from what `dataclasses.asdict` and JSON made of them. Raises TypeError on unknown names."""
    return ModelParameters(**{name: _tuples(value) for name, value in fields.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
