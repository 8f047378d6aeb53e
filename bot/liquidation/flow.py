"""What opens and what closes in each bar, from open interest and volume alone.

The path of price has no part in it, so any stretch of bars has a closed form (`flows`), which goes on from the state
after the bars before. For a turnover row of holding time tau, with V the bar's volume, h = bar / tau, and OI', OI the
open interest before and after it:

- measured (both known, no gap): phi V + max(OI - OI', 0) opens, phi V + max(OI' - OI, 0) closes, in proportion.
- blind (open interest missing, or stuck for more than three traded bars): phi V opens, a share h closes.
- returned (known after blindness or a gap): as blind, then the row is rescaled to the open interest once. A gap's
  change of open interest never counts as one bar's opening.
- first known: the row so far keeps the share of a full row that its age gives it; an initial stock fills the rest.

phi = h * mean(OI) / mean(V), trailing exponential means over the bars with known open interest, the current one
included; before any is known, a day's volume is taken to be `assumed_daily_turnover` times the open interest.
"""

from dataclasses import dataclass
from math import exp, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bot.liquidation.parameters import ModelParameters
from bot.liquidation.types import Floats, Ints

HOUR_MS = 3_600_000.0
LEAST_VOLUME = 1e-15
"""Mean volume over mean open interest below this says nothing about turnover."""
LEAST_INTEREST = 1e-9
"""Open interest below this many coins counts as unknown, as zero does."""
MOST_RESCALED = 20.0
MOST_RELEVELLED = 1e12


@dataclass(frozen=True, slots=True)
class Rates:
    """The constants of a bar length and parameter set; `share`, `kept` have the shape (rows,)."""

    bar_ms: int
    share: Floats
    kept: Floats
    least_kept: float
    assumed_ratio: float
    memory_ms: float
    stuck_bars: int

    @classmethod
    def of(cls, bar_ms: int, parameters: ModelParameters) -> "Rates":
        share = bar_ms / HOUR_MS / np.asarray(parameters.turnover_hours)
        return cls(
            bar_ms=bar_ms,
            share=share,
            kept=np.maximum(parameters.least_kept, 1.0 - share),
            least_kept=parameters.least_kept,
            assumed_ratio=24.0 * HOUR_MS / bar_ms / parameters.assumed_daily_turnover,
            memory_ms=parameters.flow_memory_hours * HOUR_MS,
            stuck_bars=parameters.stuck_bars,
        )


@dataclass(frozen=True, slots=True)
class FlowState:
    """What the next bar's flow depends on, after the bar of `last_ms`. `estimate` (rows,) is the open interest each row
    accounts for.
    """

    first_ms: int
    last_ms: int
    estimate: Floats
    anchored: bool = False
    known: bool = False
    seen: float = nan
    unmoved: int = 0
    mean_interest: float = 0.0
    mean_volume: float = 0.0
    measured_ms: int = -1
    seen_bars: float = 0.0
    known_bars: float = 0.0
    passed_bars: float = 0.0
    """Trailing counts, as the means: bars seen, those of known open interest, and those that should have been seen."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What is known after each bar of the market so far, (n,) each: FlowState's fields of these names, and `ratio`,
    mean open interest over mean volume per bar, in coins per coin.
    """

    ratio: Floats
    anchored: NDArray[np.bool_]
    measured_ms: Ints
    seen_bars: Floats
    known_bars: Floats
    passed_bars: Floats

    @classmethod
    def after(cls, state: FlowState, rates: Rates) -> "Trail":
        """What is known after one bar, (1,) each."""
        return cls(
            _ratio(rates, np.array([state.mean_interest]), np.array([state.mean_volume])),
            *(
                np.array([getattr(state, name)])
                for name in ("anchored", "measured_ms", "seen_bars", "known_bars", "passed_bars")
            ),
        )


@dataclass(frozen=True, slots=True)
class Flows:
    """Every bar's flow: `kept` multiplies what stood before, `opened` coins are added, (rows, n) each; `stock` (rows,)
    coins are added in bar `stock_bar` (-1: never).

    `known` (n,) tells where open interest counts as known.
    """

    kept: Floats
    opened: Floats
    stock: Floats
    stock_bar: int
    known: NDArray[np.bool_]
    trail: Trail

    @classmethod
    def still(cls, rows: int, trail: Trail) -> "Flows":
        """The flow of one bar in which nothing is known to open or to close."""
        nothing = np.zeros((rows, 1))
        return cls(nothing + 1.0, nothing, nothing[:, 0], -1, np.zeros(1, dtype=np.bool_), trail)

    def estimates(self, interest: Floats, before: FlowState) -> Floats:
        """The open interest that each row accounts for after every bar, (rows, n); `interest` (n,) and `before` are
        those that made the flow.
        """
        estimate = np.repeat(np.where(self.known, interest, 0.0)[None, :], len(self.kept), axis=0)
        for bar in np.flatnonzero(~self.known).tolist():
            held = estimate[:, bar - 1] if bar else before.estimate
            estimate[:, bar] = self.kept[:, bar] * held + self.opened[:, bar]
        return estimate


def flows(
    rates: Rates, open_ms: Ints, volume: Floats, interest: Floats, before: FlowState | None = None
) -> tuple[Flows, FlowState]:
    """The flow of every bar, and the state after the last; arrays of shape (n,), of bars that come after `before`.

    `interest` is zero or NaN where it is unknown.
    """
    rows = len(rates.share)
    if before is None:
        before = FlowState(int(open_ms[0]), int(open_ms[0]) - rates.bar_ms, np.zeros(rows))
    elapsed = np.maximum(1, np.diff(open_ms, prepend=before.last_ms) // rates.bar_ms)
    present = interest >= LEAST_INTEREST
    interest = np.where(present, interest, 0.0)
    known, unmoved = _known(present, interest, volume, rates.stuck_bars, before)
    recency = np.exp((open_ms - open_ms[-1]) / rates.memory_ms)
    carried = exp((before.last_ms - int(open_ms[-1])) / rates.memory_ms)
    weight = recency * known
    mean_interest = carried * before.mean_interest + np.cumsum(weight * interest)
    mean_volume = carried * before.mean_volume + np.cumsum(weight * volume)
    ratio = _ratio(rates, mean_interest, mean_volume)
    opened = rates.share[:, None] * (ratio * volume)
    kept = np.repeat(rates.kept[:, None], len(open_ms), axis=1)
    slow = np.flatnonzero(elapsed > 1)
    kept[:, slow] = np.maximum(rates.least_kept, rates.kept[:, None] ** elapsed[slow])

    estimate = _estimates(known, interest, kept, opened, before.estimate)
    near = known & np.concatenate(([before.known], known[:-1])) & (elapsed <= rates.stuck_bars + 1)
    far = np.flatnonzero(known & ~near)
    anchor = int(far[0]) if len(far) and not before.anchored else -1
    returned = far if before.anchored else far[1:]
    if len(returned):
        held = np.concatenate((before.estimate[:, None], estimate[:, :-1]), axis=1)[:, returned]
        rescale = _rescale(kept[:, returned] * held + opened[:, returned], interest[returned])
    earlier = np.where(near, np.concatenate((before.estimate[:1], interest[:-1])), 1.0)
    change = np.where(near, interest - earlier, 0.0)
    kept_near = np.maximum(rates.least_kept, 1.0 - (opened + np.maximum(-change, 0.0)) / earlier)
    np.copyto(kept, kept_near, where=near)
    opened += np.maximum(change, 0.0)
    if len(returned):
        kept[:, returned] *= rescale
        opened[:, returned] *= rescale
    stock = np.zeros(rows)
    if anchor >= 0:
        held = estimate[:, anchor - 1] if anchor else before.estimate
        kept[:, anchor], opened[:, anchor], stock = _anchor(
            rates, held, float(interest[anchor]), int(open_ms[anchor]) - before.first_ms
        )
    trail = Trail(
        ratio=ratio,
        anchored=before.anchored | np.logical_or.accumulate(known),
        measured_ms=np.maximum.accumulate(np.where(known, open_ms + rates.bar_ms, before.measured_ms)),
        seen_bars=(carried * before.seen_bars + np.cumsum(recency)) / recency,
        known_bars=(carried * before.known_bars + np.cumsum(weight)) / recency,
        passed_bars=(carried * before.passed_bars + np.cumsum(recency * elapsed)) / recency,
    )
    state = FlowState(
        first_ms=before.first_ms,
        last_ms=int(open_ms[-1]),
        estimate=estimate[:, -1].copy(),
        anchored=bool(trail.anchored[-1]),
        known=bool(known[-1]),
        seen=float(interest[-1]) if present[-1] else nan,
        unmoved=int(unmoved[-1]),
        mean_interest=float(mean_interest[-1]),
        mean_volume=float(mean_volume[-1]),
        measured_ms=int(trail.measured_ms[-1]),
        seen_bars=float(trail.seen_bars[-1]),
        known_bars=float(trail.known_bars[-1]),
        passed_bars=float(trail.passed_bars[-1]),
    )
    return Flows(kept, opened, stock, anchor, known, trail), state


def _ratio(rates: Rates, mean_interest: Floats, mean_volume: Floats) -> Floats:
    telling = mean_volume > mean_interest * LEAST_VOLUME
    ratio: Floats = np.where(telling, mean_interest, rates.assumed_ratio) / np.where(telling, mean_volume, 1.0)
    return ratio


def _known(
    present: NDArray[np.bool_], interest: Floats, volume: Floats, stuck_bars: int, before: FlowState
) -> tuple[NDArray[np.bool_], Ints]:
    """Where open interest counts as known (n,), and for how many traded bars it has not moved (n,)."""
    same = present & (interest == np.concatenate(([before.seen], np.where(present, interest, nan)[:-1])))
    count = before.unmoved + np.cumsum(same & (volume > 0))
    unmoved: Ints = count - np.maximum.accumulate(np.where(same, 0, count))
    return present & (unmoved <= stuck_bars), unmoved


def _estimates(known: NDArray[np.bool_], interest: Floats, kept: Floats, opened: Floats, earlier: Floats) -> Floats:
    """The open interest that each row accounts for, (rows, n): where it is known, and at the end of each blind run.

    Elsewhere 0. A row's value at the end of a blind run is what it had before (`earlier` (rows,), before the first
    bar), and what opened in it, faded.
    """
    estimate = np.repeat(interest[None, :] * known, len(kept), axis=0)
    blind = np.flatnonzero(~known)
    if not len(blind):
        return estimate
    fading = np.cumsum(np.where(known, 0.0, np.log(kept)), axis=1)
    firsts = np.flatnonzero(np.diff(blind, prepend=-2) > 1)
    starts = blind[firsts]
    ends = np.append(blind[firsts[1:] - 1], blind[-1])
    end_of = np.repeat(ends, np.diff(np.append(firsts, len(blind))))
    faded = opened[:, blind] * np.exp(fading[:, end_of] - fading[:, blind])
    before = np.where(starts > 0, estimate[:, starts - 1], earlier[:, None])
    lost = fading[:, ends] - np.where(starts > 0, fading[:, starts - 1], 0.0)
    estimate[:, ends] = before * np.exp(lost) + np.add.reduceat(faded, firsts, axis=1)
    return estimate


def _rescale(estimate: Floats, interest: ArrayLike) -> Floats:
    """What brings a row's estimate back to the known open interest, within bounds."""
    factor = interest / np.maximum(estimate, np.asarray(interest) / MOST_RESCALED)
    return np.maximum(factor, 1.0 / MOST_RESCALED)


def _anchor(rates: Rates, held: Floats, interest: float, age_ms: int) -> tuple[Floats, Floats, Floats]:
    """What is kept and opened, and the initial stock, in the bar that first knows the open interest; (rows,) each.

    A row that has filled for `age_ms` has reached the share 1 - kept^bars of its steady state.
    """
    filled = np.where(held > 0, 1.0 - rates.kept ** (age_ms / rates.bar_ms), 0.0)
    level = interest * filled / np.where(held > 0, held, 1.0)
    kept = np.where(held > 0, np.clip(level, 1.0 / MOST_RELEVELLED, MOST_RELEVELLED), 1.0)
    return kept, np.zeros(len(held)), interest * (1.0 - filled)
