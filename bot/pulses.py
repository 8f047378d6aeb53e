"""A market's pulse: the shape of its map beside those of its own last week, played by the model of today."""

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.alerts.types import Market
from bot.hindsight import DAY_MS, Hindsight, Part, play, warm_bars
from bot.liquidation import History, ModelParameters
from bot.liquidation.shape import HOUR_MS, Shape, ShapeReport, report_shape, shape_of
from bot.liquidation.touch import STEPS_PER_HOUR, Volatility
from bot.liquidation.types import Ints
from bot.markets import LiveMarket
from bot.telegram.survey import PulseView

PAST_MS = 7 * DAY_MS
"""How far back a market's own usual band is looked for."""

MOVE_H = 4
KEPT = 256
"""Markets of which the past is kept."""

log = logging.getLogger(__name__)


def past_hours(history: History) -> Ints:
    """The whole hours of the last week at which the model had a past of its own to rest on, (k,) ascending."""
    first = max(history.end_ms - PAST_MS, int(history.open_ms[0]) + warm_bars(history) * history.bar_ms)
    hours: Ints = np.arange(-(-first // HOUR_MS), -(-history.end_ms // HOUR_MS), dtype=np.int64) * HOUR_MS
    return hours


def shapes_at(parts: Sequence[Part], path: History, times_ms: Ints) -> tuple[Shape, ...]:
    """The shape of the map at each of these ascending times; where nothing stood in it there is none."""
    return tuple(shape for drawn in play(parts, path, times_ms) if (shape := shape_of(drawn)) is not None)


def shape_report(parts: Sequence[Part], path: History, past: Sequence[Shape]) -> ShapeReport | None:
    """How the newest map stands beside its past; None where it is empty."""
    now = shapes_at(parts, path, np.array([path.end_ms], dtype=np.int64))
    return report_shape(now[0], past) if now else None


def usual_move_pct(volatility: Volatility) -> float:
    """The standard deviation of the return of the next four hours by past volatility, in percent."""
    return 100.0 * volatility.step * math.sqrt(MOVE_H * STEPS_PER_HOUR)


@dataclass(frozen=True, slots=True)
class _Past:
    """The shapes of hours that were played; `model` tells by what: where its history began, and its parameters."""

    model: tuple[int, tuple[ModelParameters, ...]]
    shapes: tuple[Shape, ...]


class Pulses:
    """Takes markets' pulses, one at a time; each hour of the past is played once a day or so."""

    def __init__(self, hindsight: Hindsight) -> None:
        self._hindsight = hindsight
        self._turn = asyncio.Lock()
        self._pasts: OrderedDict[Market, _Past] = OrderedDict()

    async def report(self, market: Market) -> tuple[LiveMarket, ShapeReport | None]:
        """The market as it is open now, and its map's shape beside its past. Raises NoMapError."""
        live, parts = await self._hindsight.parts_of(market)
        async with self._turn:
            past = await self._past(market, parts, live.history)
            return live, await asyncio.to_thread(shape_report, parts, live.history, past)

    async def _past(self, market: Market, parts: Sequence[Part], history: History) -> tuple[Shape, ...]:
        """The shapes of the last week's hours. While the model is the same, only hours that are new are played."""
        hours = past_hours(history)
        model = int(history.open_ms[0]), tuple(part.parameters for part in parts)
        known = self._pasts.get(market)
        kept = known.shapes if known is not None and known.model == model else ()
        kept = tuple(shape for shape in kept if len(hours) and shape.time_ms >= hours[0])
        new = hours[hours > kept[-1].time_ms] if kept else hours
        if len(new):
            kept = (*kept, *await asyncio.to_thread(shapes_at, parts, history, new))
            log.debug("of the past of %s %s %d hours were played", *market, len(new))
        self._pasts[market] = _Past(model, kept)
        self._pasts.move_to_end(market)
        while len(self._pasts) > KEPT:
            self._pasts.popitem(last=False)
        return kept


def pulse_view(live: LiveMarket, report: ShapeReport, *, simulated: bool) -> PulseView:
    """What a conversation is shown of an open market's pulse."""
    return PulseView(
        market=live.market,
        base=live.instrument.base,
        time_ms=report.time_ms,
        report=report,
        move_pct=usual_move_pct(live.reading.volatility),
        simulated=simulated,
    )
