"""What opens and what closes in each bar, from open interest and volume alone.

The path of price has no part in it, so the whole history has a closed form (`flows`), and the next bar one short
step (`FlowState.step`). Both are the same definition. For a turnover row of holding time tau, with V the bar's
volume, h = bar / tau, and OI', OI the open interest before and after it:

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
from typing import NamedTuple

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


class Step(NamedTuple):
    """One bar's flow, (rows,) each: `kept` multiplies what stood before, `opened` and `stock` (coins) are added."""

    kept: Floats
    opened: Floats
    stock: Floats | None = None


@dataclass(frozen=True, slots=True)
class Flows:
    """Every bar's flow: `kept`, `opened` (rows, n); `stock` (rows,) coins are added in bar `stock_bar` (-1: never)."""

    kept: Floats
    opened: Floats
    stock: Floats
    stock_bar: int


@dataclass(slots=True)
class FlowState:
    """What the next bar's flow depends on. `estimate` (rows,) is the open interest each row accounts for."""

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
    seen_bars: float = 1.0
    known_bars: float = 0.0
    passed_bars: float = 1.0
    """Trailing counts, as the means: bars seen, those of known open interest, and those that should have been seen."""

    def ratio(self, rates: Rates) -> float:
        """Mean open interest over mean volume per bar, in coins per coin."""
        if self.mean_volume > self.mean_interest * LEAST_VOLUME:
            return self.mean_interest / self.mean_volume
        return rates.assumed_ratio

    def step(self, rates: Rates, open_ms: int, volume: float, interest: float) -> Step:
        """Take the next bar into account; `interest` is zero or NaN where it is unknown."""
        elapsed = max(1, (open_ms - self.last_ms) // rates.bar_ms)
        known = self._see(rates, open_ms, volume, interest)
        self._count(rates, open_ms, elapsed, known)
        was_known, self.known = self.known, known
        opened = rates.share * self.ratio(rates) * volume
        kept = np.maximum(rates.least_kept, rates.kept**elapsed) if elapsed > 1 else rates.kept
        stock = None
        if not known:
            self.estimate = kept * self.estimate + opened
        elif not self.anchored:
            kept, opened, stock = _anchor(rates, self.estimate, interest, open_ms - self.first_ms)
        elif was_known and elapsed <= rates.stuck_bars + 1:
            before = float(self.estimate[0])
            kept = np.maximum(rates.least_kept, 1.0 - (opened + max(before - interest, 0.0)) / before)
            opened = opened + max(interest - before, 0.0)
        else:
            rescale = _rescale(kept * self.estimate + opened, interest)
            kept, opened = kept * rescale, opened * rescale
        if known:
            self.anchored = True
            self.estimate = np.full(len(rates.share), interest)
            self.measured_ms = open_ms + rates.bar_ms
        self.last_ms = open_ms
        return Step(kept, opened, stock)

    def _see(self, rates: Rates, open_ms: int, volume: float, interest: float) -> bool:
        """Whether the bar's open interest counts as known; moves the trailing means and the count of unmoved bars."""
        fade = exp((self.last_ms - open_ms) / rates.memory_ms)
        self.mean_interest *= fade
        self.mean_volume *= fade
        self.unmoved = self.unmoved + (volume > 0) if interest == self.seen else 0
        present = interest >= LEAST_INTEREST
        self.seen = interest if present else nan
        known = present and self.unmoved <= rates.stuck_bars
        if known:
            self.mean_interest += interest
            self.mean_volume += volume
        return known

    def _count(self, rates: Rates, open_ms: int, elapsed: int, known: bool) -> None:
        fade = exp((self.last_ms - open_ms) / rates.memory_ms)
        self.seen_bars = self.seen_bars * fade + 1.0
        self.known_bars = self.known_bars * fade + known
        self.passed_bars = self.passed_bars * fade + elapsed


def flows(rates: Rates, open_ms: Ints, volume: Floats, interest: Floats) -> tuple[Flows, FlowState]:
    """The flow of every bar, and the state after the last; arrays of shape (n,)."""
    elapsed = np.maximum(1, np.diff(open_ms, prepend=open_ms[0] - rates.bar_ms) // rates.bar_ms)
    present = interest >= LEAST_INTEREST
    interest = np.where(present, interest, 0.0)
    known, unmoved = _known(present, interest, volume, rates.stuck_bars)
    recency = np.exp((open_ms - open_ms[-1]) / rates.memory_ms)
    weight = recency * known
    mean_interest, mean_volume = np.cumsum(weight * interest), np.cumsum(weight * volume)
    telling = mean_volume > mean_interest * LEAST_VOLUME
    ratio = np.where(telling, mean_interest, rates.assumed_ratio) / np.where(telling, mean_volume, 1.0)
    opened = rates.share[:, None] * (ratio * volume)
    kept = np.repeat(rates.kept[:, None], len(open_ms), axis=1)
    slow = np.flatnonzero(elapsed > 1)
    kept[:, slow] = np.maximum(rates.least_kept, rates.kept[:, None] ** elapsed[slow])

    estimate = _estimates(known, interest, kept, opened)
    near = known & np.concatenate(([False], known[:-1])) & (elapsed <= rates.stuck_bars + 1)
    far = np.flatnonzero(known & ~near)
    anchor = int(far[0]) if len(far) else -1
    returned = far[1:]
    rescale = _rescale(kept[:, returned] * estimate[:, returned - 1] + opened[:, returned], interest[returned])
    before = np.where(near, np.concatenate(([1.0], interest[:-1])), 1.0)
    change = np.where(near, interest - before, 0.0)
    kept_near = np.maximum(rates.least_kept, 1.0 - (opened + np.maximum(-change, 0.0)) / before)
    np.copyto(kept, kept_near, where=near)
    opened += np.maximum(change, 0.0)
    kept[:, returned] *= rescale
    opened[:, returned] *= rescale
    stock = np.zeros(len(rates.share))
    if anchor >= 0:
        held = estimate[:, anchor - 1] if anchor else stock
        kept[:, anchor], opened[:, anchor], stock = _anchor(
            rates, held, float(interest[anchor]), int(open_ms[anchor] - open_ms[0])
        )
    last = int(np.flatnonzero(known)[-1]) if anchor >= 0 else -1
    state = FlowState(
        first_ms=int(open_ms[0]),
        last_ms=int(open_ms[-1]),
        estimate=estimate[:, -1].copy(),
        anchored=anchor >= 0,
        known=bool(known[-1]),
        seen=float(interest[-1]) if present[-1] else nan,
        unmoved=int(unmoved[-1]),
        mean_interest=float(mean_interest[-1]),
        mean_volume=float(mean_volume[-1]),
        measured_ms=int(open_ms[last]) + rates.bar_ms if last >= 0 else -1,
        seen_bars=float(recency.sum()),
        known_bars=float(weight.sum()),
        passed_bars=float(recency @ elapsed),
    )
    return Flows(kept, opened, stock, anchor), state


def _known(
    present: NDArray[np.bool_], interest: Floats, volume: Floats, stuck_bars: int
) -> tuple[NDArray[np.bool_], Ints]:
    """Where open interest counts as known (n,), and for how many traded bars it has not moved (n,)."""
    same = np.concatenate(([False], present[1:] & present[:-1] & (interest[1:] == interest[:-1])))
    count = np.cumsum(same & (volume > 0))
    unmoved: Ints = count - np.maximum.accumulate(np.where(same, 0, count))
    return present & (unmoved <= stuck_bars), unmoved


def _estimates(known: NDArray[np.bool_], interest: Floats, kept: Floats, opened: Floats) -> Floats:
    """The open interest that each row accounts for, (rows, n): where it is known, and at the end of each blind run.

    Elsewhere 0. A row's value at the end of a blind run is what it had before, and what opened in it, faded.
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
    before = np.where(starts > 0, estimate[:, starts - 1], 0.0)
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
