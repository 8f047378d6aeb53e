"""How a map came to be: the position model played over its own past, and read along the way.

It is the model of today that looks back: with what it has learned since, and without positions that are known exactly,
for those are known only as they stand now. Each map rests on nothing later than its own time.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from bot.liquidation.maps import Maps
from bot.liquidation.margin import RiskTier
from bot.liquidation.model import PositionModel
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.types import Floats, History, Ints, LiquidationMap
from bot.liquidation.values import replace

WINDOW = 0.12
"""How far a map reaches to each side, in log price, where nothing else is asked for."""

BARS_AT_ONCE = 288


def moments(history: History, *, range_ms: int, step_ms: int, least_bars: int) -> Ints:
    """Times `step_ms` apart within the last `range_ms` of a history, the newest its end, (k,) ascending.

    Before the first one there are at least `least_bars` bars.
    """
    first = history.end_ms - range_ms
    if len(history) >= least_bars:
        first = max(first, int(history.open_ms[least_bars - 1]) + history.bar_ms)
    times: Ints = np.arange(history.end_ms, first - 1, -step_ms, dtype=np.int64)[::-1]
    return times if len(history) >= least_bars else times[:0]


def past_maps(
    history: History,
    times_ms: Ints,
    *,
    tiers: Sequence[RiskTier] | None = None,
    parameters: ModelParameters = DEFAULT,
    weights: Floats | None = None,
    window: float = WINDOW,
) -> Iterator[LiquidationMap]:
    """The map at each of these ascending times, as of the last bar closed by then; later bars are never looked at.

    `window` is as in `PositionModel.map`. Times before a history's first close have no map and
    are passed over.
    """
    closes = history.open_ms + history.bar_ms
    rows = np.searchsorted(closes, times_ms, side="right")
    model: PositionModel | None = None
    for time_ms, row in zip(times_ms.tolist(), rows.tolist(), strict=True):
        if row == 0:
            continue
        if model is None:
            model = PositionModel.rebuild(history.rows(0, row), tiers=tiers, parameters=parameters)
            begin, end = row - 1, row
            drawn = Maps.of([model.map(weights=weights, window=window)])
        while row > end:
            begin, end = end, min(end + BARS_AT_ONCE, int(rows[-1]))
            drawn = model.draw(history.rows(begin, end), weights=weights, window=window)
        yield _kept(drawn.at(row - 1 - begin), time_ms)


def _kept(drawn: LiquidationMap, time_ms: int) -> LiquidationMap:
    """A map to keep: what was drawn with it need not stay in memory."""
    copies = {name: getattr(drawn, name).copy() for name in ("low", "high", "long_usd", "short_usd")}
    return replace(drawn, time_ms=time_ms, **copies)
