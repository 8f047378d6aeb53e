"""Which leverage traders use, learned from what happened where price went.

Two public traces tell: liquidation prints, by hour and place, and the falls of open interest, by bar. Both are held
against the coins that each kind of position stood to lose there (`exposure_of`); one set of factors on the kinds'
prior shares must explain both. A lognormal prior ties kinds of like distance and the two sides together, so thin
evidence moves little, and where none reaches (far, never swept positions) the trend of the near ones goes on.

    prints   events in a place ~ Poisson(capture * sum of rows and kinds of turnover * factor * coins there)
    falls    open interest's fall in a bar ~ Student-t(response * the same sum + volume, range and move terms)

Capture and response are free: a throttled feed, and falls that closed positions do not make, change no shape.
Measured on two simulated markets and on Binance's open interest of December 2025: see README.md here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.bars import check_history
from bot.liquidation.exposure import Exposure, Play, advance, exposure_of
from bot.liquidation.kernel import distance_kernel
from bot.liquidation.margin import RiskTier
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.traces import Falls, FallsHeld, Placed, Unknowns, Watched, falls_of, prints_of
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Floats, History, Side
from bot.liquidation.values import replace

STEPS = 60
TOLERANCE = 1e-5
LARGEST_STEP = 1.0
LARGEST_TILT = 4.0
FACTOR_SD, LIKE_DISTANCE, OWN_SD = 0.8, 0.8, 0.3
"""Prior of the log factors: their sd, the log distance over which they go together, and what each has of its own."""
SIDES_TOGETHER = 0.7
TURNOVER_SD = 0.3
CAPTURE_SD, RESPONSE_SD = 100.0, 1.0
PHYSICAL_FLOW = (1.0, 1.5)
"""Learned turnover is held only to what is possible at all: no more coins opened than traded, with room for error."""
MOST_FALL_BAR_MS = 900_000
"""Falls over longer bars told nothing of real markets: opens and closes of the same bar drown them."""
MOVED = 0.05
"""The share of newly opened positions that must move before what was learned last makes the map."""
RELEARN_MS = 7 * 86_400_000
GROWN = 1.5
LEAST_HEARD_MS = 86_400_000

Exposures = tuple[Exposure, Exposure]
"""Of longs and of shorts."""


@dataclass(frozen=True, slots=True)
class Learned:
    """`parameters` with the learned tilts and turnover, and what they rest on: prints as effective events, and bars
    whose fall of open interest was known. Neither: the prior, unchanged.

    `time_ms` is the end of the history it was learned from, `length_ms` how long that was, `heard_ms` how much of it
    was listened to.
    """

    parameters: ModelParameters
    effective_events: float
    bars: int
    time_ms: int
    length_ms: int
    heard_ms: int


def learn_positions(
    history: History,
    prints: LiquidationPrints,
    *,
    cover: Sequence[tuple[int, int]],
    tiers: Sequence[RiskTier] | None = None,
    parameters: ModelParameters = DEFAULT,
) -> Learned:
    """Learn one contract's leverage by side, and its turnover, from its own past; give the rebuild these parameters.

    `cover` are the stretches in which the contract's prints were listened to, in ms (none: prints are not used).
    About a second for 30 days of 5-minute bars: once a day is often enough. Raises ValueError on a broken history.
    """
    learner = PositionLearner(history, tiers=tiers, parameters=parameters, heard_ms=span_of(cover))
    return learner.learn(len(history), prints, cover=cover)


class PositionLearner:
    """Learns again and again along one history, each time from what had happened by then; what was played stays."""

    def __init__(
        self,
        history: History,
        *,
        tiers: Sequence[RiskTier] | None = None,
        parameters: ModelParameters = DEFAULT,
        heard_ms: tuple[int, int] | None = None,
    ) -> None:
        """`heard_ms` are the first and the last time that any cover to come can hold, where that is known; the less it
        spans, the less is noted. Raises ValueError on a broken history.
        """
        check_history(history)
        self._history = history
        self._prior = _untilted(parameters)
        table = None if tiers is None else tuple(tiers)
        self._longs, self._shorts = (
            Play(history, side, table, self._prior, heard_ms=heard_ms) for side in (Side.LONG, Side.SHORT)
        )

    def learn(self, bars: int, prints: LiquidationPrints, *, cover: Sequence[tuple[int, int]]) -> Learned:
        """What the first `bars` bars teach, and of the prints and the listening those until then.

        Raises ValueError where more bars have been learned from before.
        """
        until = self._history.rows(0, bars)
        advance((self._longs, self._shorts), bars)
        heard = [(start, min(end, until.end_ms)) for start, end in cover if start < until.end_ms]
        exposures = self._longs.exposure(bars), self._shorts.exposure(bars)
        return learn_from(exposures, until, prints.between(-1, until.end_ms), cover=heard, parameters=self._prior)


def expose(
    history: History, *, tiers: Sequence[RiskTier] | None = None, parameters: ModelParameters = DEFAULT
) -> Exposures:
    """What longs and shorts of every kind stood to lose; the slow part of learning."""
    table = None if tiers is None else tuple(tiers)
    longs, shorts = (exposure_of(history, side, table, _untilted(parameters)) for side in (Side.LONG, Side.SHORT))
    return longs, shorts


def learn_from(
    exposures: Exposures,
    history: History,
    prints: LiquidationPrints,
    *,
    cover: Sequence[tuple[int, int]],
    parameters: ModelParameters = DEFAULT,
) -> Learned:
    """The quick part of learning, from what `expose` gave of the same history and parameters."""
    prior = _untilted(parameters)
    placed = prints_of(exposures, prints, cover, history.end_ms)
    falls = falls_of(exposures, history, prior) if history.bar_ms <= MOST_FALL_BAR_MS else None
    evidence = (
        0.0 if placed is None else placed.effective_events,
        0 if falls is None else falls.bars,
        history.end_ms,
        length_of(history),
        heard_within(history, cover),
    )
    if placed is None and falls is None:
        return Learned(prior, *evidence)
    unknowns = Unknowns(len(prior.turnover_hours), len(prior.leverage_weights) + 1)
    found = _most_likely(unknowns, _precision(unknowns, prior), placed, falls)
    tilts = np.exp(np.clip(found[unknowns.kinds], -LARGEST_TILT, LARGEST_TILT)).reshape(2, -1)
    turnover = np.array(prior.turnover_prior) * np.exp(found[unknowns.rows])
    return Learned(
        replace(
            prior,
            plausible_flow=PHYSICAL_FLOW,
            turnover_prior=tuple((turnover / turnover.sum()).tolist()),
            long_tilt=tuple(tilts[0].tolist()),
            short_tilt=tuple(tilts[1].tolist()),
        ),
        *evidence,
    )


def is_due(last: Learned | None, history: History, cover: Sequence[tuple[int, int]]) -> bool:
    """Whether it is time to learn again: a week later, or when there is half as much again to learn from."""
    if last is None or history.end_ms - last.time_ms >= RELEARN_MS:
        return True
    heard_ms = heard_within(history, cover)
    return length_of(history) >= GROWN * last.length_ms or heard_ms >= max(GROWN * last.heard_ms, LEAST_HEARD_MS)


def length_of(history: History) -> int:
    """From the first bar's opening to the last one's close, ms."""
    return history.end_ms - int(history.open_ms[0])


def heard_within(history: History, cover: Sequence[tuple[int, int]]) -> int:
    """How much of a history was listened to, ms."""
    first_ms = int(history.open_ms[0])
    return sum(max(0, min(end, history.end_ms) - max(start, first_ms)) for start, end in cover)


def span_of(cover: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """From the first start to the last end, ms; of no listening at all an empty span long ago."""
    return min((start for start, _ in cover), default=0), max((end for _, end in cover), default=0)


def adopted(before: ModelParameters, newest: Learned, tiers: Sequence[RiskTier] | None) -> ModelParameters:
    """The parameters to make maps with from now on: the newest, unless they would move too few positions.

    Maps of two versions are not compared, so a rule of growth is blind for its window after each change.
    """
    moved = change(before, newest.parameters, tiers)
    return newest.parameters if not before.long_tilt or moved > MOVED else before


def change(before: ModelParameters, after: ModelParameters, tiers: Sequence[RiskTier] | None) -> float:
    """The share of newly opened positions that two sets of parameters place or hold differently, 0 to 1.

    The largest total variation distance of the three: where longs and shorts would be liquidated, and turnover.
    """
    table = None if tiers is None else tuple(tiers)
    kernels = [
        distance_kernel(side, table, before) - distance_kernel(side, table, after) for side in (Side.LONG, Side.SHORT)
    ]
    turnover = [np.array(one.turnover_prior) / sum(one.turnover_prior) for one in (before, after)]
    return 0.5 * max(float(np.abs(gap).sum()) for gap in (*kernels, turnover[0] - turnover[1]))


def _untilted(parameters: ModelParameters) -> ModelParameters:
    return replace(parameters, long_tilt=(), short_tilt=())


def _precision(unknowns: Unknowns, parameters: ModelParameters) -> Floats:
    """The prior's inverse covariance, (unknowns, unknowns); all means are zero."""
    distances = [1.0 / leverage for leverage, _ in parameters.leverage_weights]
    place = np.log([*distances, parameters.broad_median])
    like = np.exp(-0.5 * np.square((place[:, None] - place) / LIKE_DISTANCE))
    one_side = FACTOR_SD**2 * like + OWN_SD**2 * np.eye(len(place))
    sides = np.array([[1.0, SIDES_TOGETHER], [SIDES_TOGETHER, 1.0]])
    precision = 1e-9 * np.eye(unknowns.count)
    precision[unknowns.capture, unknowns.capture] = CAPTURE_SD**-2
    precision[unknowns.response, unknowns.response] = RESPONSE_SD**-2
    precision[unknowns.rows, unknowns.rows] = np.eye(unknowns.row_count) / TURNOVER_SD**2
    precision[unknowns.kinds, unknowns.kinds] = np.linalg.inv(np.kron(sides, one_side))
    return precision


def _most_likely(unknowns: Unknowns, precision: Floats, placed: Placed | None, falls: Falls | None) -> Floats:
    """The mode of the posterior, (unknowns,), by Fisher's scoring; no step is taken that loses likelihood."""
    found = np.zeros(unknowns.count)
    if placed is not None:
        found[unknowns.capture] = placed.start()
    if falls is not None:
        found[unknowns.nuisance] = falls.start()
    held = None if falls is None else falls.held_against(unknowns, found)
    spread = 1.0 if held is None else held.spread()

    def loss(at: Floats, held: FallsHeld | None) -> float:
        prior = 0.5 * float(at @ precision @ at)
        of_prints = 0.0 if placed is None else placed.loss(unknowns, at)
        return prior + of_prints + (0.0 if held is None else held.loss(spread))

    def watch(at: Floats, held: FallsHeld | None) -> Watched:
        total = Watched(0.5 * float(at @ precision @ at), -precision @ at, precision.copy())
        for evidence in (
            None if placed is None else placed.watch(unknowns, at),
            None if held is None else held.watch(spread),
        ):
            if evidence is not None:
                total = total.and_also(evidence)
        return total

    here = watch(found, held)
    for _ in range(STEPS):
        step = np.linalg.solve(here.curvature, here.slope)
        step *= min(1.0, LARGEST_STEP / max(float(np.abs(step[: unknowns.nuisance.start]).max()), LARGEST_STEP))
        size = 1.0
        while True:
            further = found + size * step
            held = None if falls is None else falls.held_against(unknowns, further)
            there = loss(further, held)
            if not (there > here.loss and size > 1e-4):
                break
            size /= 2.0
        gain = here.loss - there
        if gain <= 0:
            break
        found = further
        if gain < TOLERANCE * (1.0 + abs(there)):
            break
        if held is not None:
            spread = held.spread()
        here = watch(found, held)
    return found
