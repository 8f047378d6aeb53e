"""What a sweep is expected to print, learned from what past sweeps of the same feed printed.

Standing positions are not liquidations: a few percent of what a sweep passes shows up in a feed, and it grows like the
square root of what stood there. Per zone of three cells (0.3 %):

    f = (1e4 * mass / total)^0.5        E = kappa * total * f
    kappa = (sum printed / total + 10 mean(f) kappa0) / (sum f + 10 mean(f))

over a contract's past swept zones, kappa0 the geometric mean of the feed's other contracts. Measured on one day of
four coins: half of the zones print less than 0.5 E, four fifths less than 2.6 E, and the lower end is zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, fsum, log

import numpy as np

from bot.liquidation.skill_sample import SKIPPED_CELLS, Reached
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side
from bot.liquidation.values import replace

ZONE_CELLS = 3
EXPONENT = 0.5
PER_TOTAL = 1e4
PRIOR_ZONES = 10.0
MEDIAN, HIGH = 0.5, 2.6
"""The middle and the upper end of the 80 % band, in expected sizes; the lower end is 0."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What the swept zones of one contract printed (sum of shares of the side's total) and promised (sum of f)."""

    printed: float = 0.0
    promised: float = 0.0
    zones: int = 0


def capture_of(cells: Reached, *, model: int, total_usd: Floats, event_usd: float) -> Capture:
    """What the wholly reached zones of one contract gave.

    `cells` as `reached_cells` lists them: each moment's side from price outwards. `model` is the row of `cells.usd` in
    use, `total_usd` (n,) the notional of each cell's whole side (NaN: not known, left out), `event_usd` the size that
    `cells.events` are counted in.
    """
    first = (cells.distance - 1 - SKIPPED_CELLS) % ZONE_CELLS == 0
    zone = np.cumsum(first) - 1
    counts = np.bincount(zone)
    total = np.bincount(zone, total_usd) / counts
    whole = (counts == ZONE_CELLS) & (total > 0)
    printed = np.bincount(zone, cells.events)[whole] * event_usd / total[whole]
    promised = (PER_TOTAL * np.bincount(zone, cells.usd[model])[whole] / total[whole]) ** EXPONENT
    return Capture(float(printed.sum()), float(promised.sum()), int(whole.sum()))


def learn_kappas(captures: Mapping[str, Capture]) -> dict[str, float]:
    """kappa of each contract of one feed, shrunk towards the others; none where nothing was ever printed."""
    own = {name: one.printed / one.promised for name, one in captures.items() if one.printed > 0 and one.promised > 0}
    zones = sum(one.zones for one in captures.values())
    if not own:
        return {}
    weight = PRIOR_ZONES * fsum(one.promised for one in captures.values()) / zones
    found = {}
    for name, one in captures.items():
        # A contract that is alone is its own neighbour.
        others = [log(kappa) for other, kappa in own.items() if other != name or len(own) == 1]
        towards = exp(fsum(others) / len(others))
        found[name] = (one.printed + weight * towards) / (one.promised + weight)
    return found


def expected_usd(cluster: Cluster, drawn: LiquidationMap, kappa: float) -> float:
    """The notional that a sweep of the whole cluster is expected to print: E, zone by zone from the price outwards.

    A last zone of one or two cells counts as the part of a whole one of the same density.
    """
    below = cluster.side is Side.LONG
    usd, total = (drawn.long_usd, drawn.long_total_usd) if below else (drawn.short_usd, drawn.short_total_usd)
    middle = np.sqrt(drawn.low * drawn.high)
    inside = usd[(middle > cluster.low) & (middle < cluster.high)]
    if not len(inside) or not total > 0:
        return 0.0
    starts = np.arange(0, len(inside), ZONE_CELLS)
    cells = np.minimum(len(inside) - starts, ZONE_CELLS)
    mass = np.add.reduceat(inside[::-1] if below else inside, starts) * ZONE_CELLS / cells
    return float(kappa * total * (cells / ZONE_CELLS * (PER_TOTAL * mass / total) ** EXPONENT).sum())


def with_expectations(clusters: tuple[Cluster, ...], drawn: LiquidationMap, kappa: float) -> tuple[Cluster, ...]:
    """The clusters with what a sweep is expected to print, and the upper end of its 80 % band.

    Neither is more than what stands in the cluster: the law was measured where a few percent of it print.
    """
    found = []
    for cluster in clusters:
        usd = expected_usd(cluster, drawn, kappa)
        found.append(
            replace(cluster, expected_usd=min(usd, cluster.usd), expected_high_usd=min(HIGH * usd, cluster.usd))
        )
    return tuple(found)
