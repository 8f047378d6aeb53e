"""The price and the pulse of a simulated market, before its own liquidations move it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.market.simulator_parameters import BARS_PER_DAY, SimulationParameters
from bot.market.types import Floats

DIFFUSIVE_SHARE: Final = 0.9
JUMP_TICKS: Final = 16
INNOVATION_DEGREES: Final = 5.0
LAST_OVERSHOOT: Final = 0.25
LAST_NOISE: Final = 0.8e-4
MOST_BASIS: Final = 1.5e-3


@dataclass(frozen=True, slots=True)
class Path:
    """`mark` and `basis` have the shape (bars, ticks): the mark price at each tick's end, and last over mark less one.

    `activity` (bars,) is the pulse of trading, about 1 on average. Bar `first` is the first that is recorded.
    """

    mark: Floats
    basis: Floats
    activity: Floats
    first: int


def draw_path(parameters: SimulationParameters) -> Path:
    """Stochastic volatility with Student-t ticks, a daily wave, jumps that take minutes and leave nerves behind."""
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence((parameters.seed, 1)).spawn(8)]
    first = parameters.warmup_days * BARS_PER_DAY
    bars = first + parameters.days * BARS_PER_DAY
    ticks = 300 // parameters.tick_s

    jump_size = draw_jumps(parameters, bars, streams[0])
    bar_sd = parameters.daily_volatility / BARS_PER_DAY**0.5
    log_volatility = draw_log_volatility(parameters, np.abs(jump_size) / bar_sd, streams[1], streams[2])
    daily_wave = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(bars) / BARS_PER_DAY - 0.4))
    sd = DIFFUSIVE_SHARE * bar_sd * np.exp(log_volatility) * np.sqrt(daily_wave)

    normal_sd = (INNOVATION_DEGREES / (INNOVATION_DEGREES - 2)) ** 0.5
    steps = streams[3].standard_t(INNOVATION_DEGREES, (bars, ticks)) / normal_sd
    steps *= (sd / ticks**0.5)[:, None]
    spread_jumps(steps.reshape(-1), jump_size, streams[4], ticks)
    steps[first:] += parameters.trend / (parameters.days * BARS_PER_DAY * ticks)

    log_price = np.cumsum(steps).reshape(bars, ticks)
    log_price += np.log(parameters.start_price) - (log_price[first, 0] - steps[first, 0])
    basis = LAST_OVERSHOOT * steps + LAST_NOISE * streams[5].standard_normal((bars, ticks))
    np.clip(basis, -MOST_BASIS, MOST_BASIS, out=basis)
    activity = draw_activity(parameters, steps.sum(axis=1) / bar_sd, log_volatility, streams[6]) * daily_wave
    return Path(mark=np.exp(log_price), basis=basis, activity=activity, first=first)


def draw_jumps(parameters: SimulationParameters, bars: int, stream: np.random.Generator) -> Floats:
    """The log size of the jump that begins in each bar, mostly 0, else Laplace, a few doubled. Shape (bars,)."""
    rare, happens, first, second = stream.random((bars, 4)).T
    size = (0.2 * np.log(first / second) - 0.02) * parameters.daily_volatility
    size *= np.where(rare < 0.1, 2.2, 1.0)
    return np.where(happens < parameters.jumps_per_day / BARS_PER_DAY, size, 0.0)


def spread_jumps(steps: Floats, size: Floats, stream: np.random.Generator, ticks: int) -> None:
    """Add each jump to the steps (bars * ticks,) in place, most of it at once and the rest within minutes."""
    begin = (stream.random(len(size)) * ticks).astype(np.int64)
    shape = 0.75 ** np.arange(JUMP_TICKS)
    shape /= shape.sum()
    for bar in np.flatnonzero(size):
        at = bar * ticks + begin[bar]
        room = steps[at : at + JUMP_TICKS]
        room += size[bar] * shape[: len(room)]


def draw_log_volatility(
    parameters: SimulationParameters, shock: Floats, slow_stream: np.random.Generator, fast_stream: np.random.Generator
) -> Floats:
    """Log volatility around 0 in mean square: a slow part (days), a fast part (hours), and a lift by each jump."""
    slow_sd, fast_sd = 0.6 * parameters.volatility_clustering, 0.8 * parameters.volatility_clustering
    slow_keep, fast_keep = float(np.exp(-1 / 400)), float(np.exp(-1 / 20))
    slow_steps = slow_stream.standard_normal(len(shock)) * slow_sd * (1 - slow_keep**2) ** 0.5
    fast_steps = fast_stream.standard_normal(len(shock)) * fast_sd * (1 - fast_keep**2) ** 0.5
    fast_steps += np.minimum(0.12 * shock, 1.0) * parameters.volatility_clustering
    return smooth(slow_steps, slow_keep) + smooth(fast_steps, fast_keep) - (slow_sd**2 + fast_sd**2)


def draw_activity(
    parameters: SimulationParameters, move: Floats, log_volatility: Floats, stream: np.random.Generator
) -> Floats:
    """The pulse of entries (bars,): it follows volatility, has a mind of its own, and herds after moves (in bar sd)."""
    own_sd, keep = 0.4, 0.95
    own = smooth(stream.standard_normal(len(move)) * own_sd * (1 - keep**2) ** 0.5, keep)
    before = np.concatenate(([0.0], np.abs(move[:-1])))
    crowd = smooth(np.maximum(before - 0.8, 0.0), 0.8)
    calm = np.exp(0.7 * log_volatility + own - own_sd**2 / 2)
    return calm * (1 + parameters.herding * crowd) / (1 + parameters.herding)


def smooth(steps: Floats, keep: float) -> Floats:
    """x_t = keep * x_(t-1) + steps_t, from 0."""
    level, out = 0.0, []
    for step in steps.tolist():
        level = keep * level + step
        out.append(level)
    return np.array(out)
