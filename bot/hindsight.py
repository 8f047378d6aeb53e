"""A market's past as the model of today sees it, and a map taken apart by leverage: played in a worker thread."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from bot.alerts.lives import Life, biggest, count_lives, lives_of
from bot.alerts.sequels import count_sweeps, ended
from bot.alerts.types import Market
from bot.combined_markets import CombinedMarkets
from bot.liquidation import (
    DEFAULT,
    History,
    LiquidationMap,
    LiquidationPrints,
    ModelParameters,
    PositionModel,
    RiskTier,
)
from bot.liquidation.combining import COMBINED, combine_maps, lay_over
from bot.liquidation.leverage import by_leverage
from bot.liquidation.past import WINDOW, moments, past_maps
from bot.liquidation.score import nothing_printed
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Floats, Ints
from bot.liquidation.values import replace
from bot.market.history import liquidations_of_cover
from bot.market.types import BAR_MS
from bot.markets import LEAST_BARS, LiveMarket
from bot.storage.database import Database
from bot.telegram.desk import LivesView, MarketView

DAY_MS = 86_400_000
WARM_BARS = 2016
"""A week: what the model shows before that rests on a guess of what stood at its start."""

COLUMNS = 150
"""A heatmap has about so many moments: as many as its picture has columns for."""

HEAT_WINDOW = 0.25
"""How far the maps of a heatmap reach, in log price: what was shown while price was elsewhere is there too."""

KEPT = 32
"""Histories of clusters that are kept while nothing newer is known."""

VOLATILITY_SLOT_MS = 4 * 3_600_000
"""How long a volatility stands for the clusters of its time."""

BIGGEST = 5
"""So many clusters of a history are drawn and told one by one."""

FINE_RANGE_MS, COARSE_STEP_MS = DAY_MS, 3 * BAR_MS
"""A history of clusters longer than this looks at every third bar, which takes seconds and not tens of them."""


@dataclass(frozen=True, slots=True)
class Part:
    """One venue's market as its model is made: `parameters` as they are shown, `weights` None for their own."""

    venue: str
    history: History
    tiers: Sequence[RiskTier] | None
    parameters: ModelParameters
    weights: Floats | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """Maps of ascending times with the path that price took; `prints` are the liquidations that were heard."""

    maps: tuple[LiquidationMap, ...]
    bars: History
    prints: LiquidationPrints


def heat_step_ms(range_ms: int) -> int:
    """How far apart the moments of a heatmap lie: a whole number of bars."""
    return max(1, -(-range_ms // (COLUMNS * BAR_MS))) * BAR_MS


def life_step_ms(range_ms: int) -> int:
    """How often a history of clusters looks."""
    return BAR_MS if range_ms <= FINE_RANGE_MS else COARSE_STEP_MS


def warm_bars(history: History) -> int:
    """How many bars the model gets before its past is shown: a week, of a young market a quarter of what there is."""
    return max(LEAST_BARS, min(WARM_BARS, len(history) // 4))


def play(parts: Sequence[Part], path: History, times_ms: Ints, *, window: float = WINDOW) -> tuple[LiquidationMap, ...]:
    """The map at each time; several parts are added up at the price of `path`, as far as each had begun by then."""
    played = [
        {
            drawn.time_ms: drawn
            for drawn in past_maps(
                part.history,
                times_ms,
                tiers=part.tiers,
                parameters=part.parameters,
                weights=part.weights,
                window=window,
            )
        }
        for part in parts
    ]
    if len(parts) == 1:
        return tuple(played[0].values())
    rows = np.searchsorted(path.open_ms + path.bar_ms, times_ms, side="right") - 1
    together = []
    for time_ms, row in zip(times_ms.tolist(), rows.tolist(), strict=True):
        there = {part.venue: maps[time_ms] for part, maps in zip(parts, played, strict=True) if time_ms in maps}
        if row >= 0 and there:
            together.append(replace(_added(there, float(path.close[row])), time_ms=time_ms))
    return tuple(together)


def play_heat(parts: Sequence[Part], path: History, range_ms: int) -> tuple[tuple[LiquidationMap, ...], History]:
    """The maps of a heatmap of the last `range_ms`, and the bars since the first of them."""
    times = moments(path, range_ms=range_ms, step_ms=heat_step_ms(range_ms), least_bars=warm_bars(path))
    return play(parts, path, times, window=HEAT_WINDOW), _since(path, times)


def play_lives(parts: Sequence[Part], path: History, market: Market, range_ms: int) -> tuple[tuple[Life, ...], History]:
    """The clusters of the last `range_ms`, found by the volatility of their own time, and the bars since the first."""
    times = moments(path, range_ms=range_ms, step_ms=life_step_ms(range_ms), least_bars=warm_bars(path))
    closes = path.open_ms + path.bar_ms

    @cache
    def volatility_of(slot: int) -> float:
        known = int(np.searchsorted(closes, slot * VOLATILITY_SLOT_MS, side="right"))
        return Volatility.from_closes(closes[:known], path.close[:known]).day

    lives = lives_of(
        play(parts, path, times),
        path,
        market=market,
        day_volatility=lambda time_ms: volatility_of(time_ms // VOLATILITY_SLOT_MS),
    )
    return lives, _since(path, times)


def _since(path: History, times_ms: Ints) -> History:
    return path.within(int(times_ms[0]) if len(times_ms) else path.end_ms, None)


def _added(maps: dict[str, LiquidationMap], price: float) -> LiquidationMap:
    laid = {venue: lay_over(drawn, price=price, scale=price / drawn.price) for venue, drawn in maps.items()}
    return combine_maps(laid).map


def parted(parts: Sequence[Part], drawn: LiquidationMap, range_ms: int | None) -> tuple[LiquidationMap, ...]:
    """`drawn` by leverage: in each bin as the models of its parts stand there together."""
    of_parts: list[tuple[LiquidationMap, ...]] = []
    for part in parts:
        since_ms = None if range_ms is None else part.history.end_ms - range_ms
        whole = PositionModel.rebuild(
            part.history, tiers=part.tiers, parameters=part.parameters, since_ms=since_ms
        ).map(weights=part.weights)
        classes = by_leverage(
            whole,
            part.history,
            tiers=part.tiers,
            parameters=part.parameters,
            weights=part.weights,
            since_ms=since_ms,
        )
        scale = drawn.price / whole.price
        of_parts.append(tuple(lay_over(one, price=drawn.price, scale=scale) for one in classes))
    return _divided(drawn, of_parts)


def _divided(drawn: LiquidationMap, of_parts: Sequence[tuple[LiquidationMap, ...]]) -> tuple[LiquidationMap, ...]:
    """`drawn` in the proportions of the summed classes; where these have nothing it belongs to the last."""
    shares = {}
    for name in ("long_usd", "short_usd"):
        classes = np.sum([[getattr(one, name) for one in classes] for classes in of_parts], axis=0)
        classes[-1, classes.sum(axis=0) <= 0.0] = 1.0
        shares[name] = getattr(drawn, name) * classes / classes.sum(axis=0)
    return tuple(
        replace(drawn, long_usd=long, short_usd=short)
        for long, short in zip(shares["long_usd"], shares["short_usd"], strict=True)
    )


def lives_view(view: MarketView, lives: Sequence[Life], bars: History, *, range_ms: int) -> LivesView:
    """What is told of the lives of a market's clusters."""
    end_ms = bars.end_ms if len(bars) else view.map.time_ms
    return LivesView(
        market=view,
        from_ms=int(bars.open_ms[0]) if len(bars) else end_ms,
        end_ms=end_ms,
        step_ms=life_step_ms(range_ms),
        count=count_lives(lives, end_ms),
        biggest=biggest(lives, BIGGEST),
        gone=biggest(ended(lives), BIGGEST),
        sweeps=count_sweeps(lives, bars),
        bars=bars,
    )


class Hindsight:
    """Looks back for the desk, one market at a time: playing takes a processor for a second or more."""

    def __init__(self, markets: CombinedMarkets, db: Database) -> None:
        self._markets = markets
        self._db = db
        self._turn = asyncio.Lock()
        self._lives: OrderedDict[tuple[Market, int, int], tuple[tuple[Life, ...], History]] = OrderedDict()

    async def past(self, market: Market, range_ms: int) -> Past:
        """What a heatmap of the last `range_ms` shows. Raises NoMapError."""
        live, parts = await self.parts_of(market)
        async with self._turn:
            maps, bars = await asyncio.to_thread(play_heat, parts, live.history, range_ms)
        start_ms = maps[0].time_ms if maps else live.history.end_ms
        return Past(maps, bars, await self._heard(market, live, start_ms, live.history.end_ms))

    async def lives(self, market: Market, range_ms: int) -> tuple[tuple[Life, ...], History]:
        """The clusters of the last `range_ms` with the path of price meanwhile. Raises NoMapError."""
        live, parts = await self.parts_of(market)
        key = market, live.history.end_ms, range_ms
        async with self._turn:
            if key not in self._lives:
                self._lives[key] = await asyncio.to_thread(play_lives, parts, live.history, market, range_ms)
            self._lives.move_to_end(key)
            while len(self._lives) > KEPT:
                self._lives.popitem(last=False)
            return self._lives[key]

    async def by_leverage(
        self, market: Market, drawn: LiquidationMap, range_ms: int | None
    ) -> tuple[LiquidationMap, ...]:
        """A map of this market by leverage. Raises NoMapError."""
        _, parts = await self.parts_of(market)
        async with self._turn:
            return await asyncio.to_thread(parted, parts, drawn, range_ms)

    async def parts_of(self, market: Market) -> tuple[LiveMarket, list[Part]]:
        """The market with what it is made of; a venue left out of its map now is left out of its past.

        Raises NoMapError.
        """
        live = await self._markets.open(market)
        if market.exchange != COMBINED:
            return live, [self._part(live)]
        joined = [Market(part.venue, part.symbol) for part in live.reading.parts if part.left_out is None]
        return live, [self._part(await self._markets.open(each)) for each in joined]

    def _part(self, live: LiveMarket) -> Part:
        calibration = self._markets.calibration_of(live.market)
        shown = live.parameters if calibration.learned else DEFAULT
        return Part(live.market.exchange, live.history, live.tiers, shown, calibration.weights)

    async def _heard(self, market: Market, live: LiveMarket, start_ms: int, end_ms: int) -> LiquidationPrints:
        """The prints of every venue of the market, in the prices of its own."""
        found = [nothing_printed()]
        for part in self._markets.parts(market):
            cover = await self._db.prints.cover(part.exchange, start_ms=start_ms, end_ms=end_ms)
            known = self._markets.get(part)
            if not cover or known is None:
                continue
            rows = await self._db.prints.load(part, start_ms=start_ms, end_ms=end_ms)
            heard = liquidations_of_cover(rows, cover, exchange=part.exchange, tiers=known.tiers)
            scale = float(live.history.close[-1]) / float(known.history.close[-1])
            found.append(replace(heard, price=heard.price * scale))
        return _merged(found)


def _merged(found: Sequence[LiquidationPrints]) -> LiquidationPrints:
    order = np.argsort(np.concatenate([one.time_ms for one in found]), kind="stable")
    columns = ("time_ms", "is_long", "price", "usd")
    return LiquidationPrints(*(np.concatenate([getattr(one, name) for one in found])[order] for name in columns))
