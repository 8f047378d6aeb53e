"""Crossings staged on a recording: price comes within a rule's distance of a strong cluster at a chosen second.

A recording knows each bar's open, high, low and close, not when inside its five minutes they came. So the day and the
bars are the recorded ones, the maps are the bot's own, and only the seconds are chosen: price stands at the bar's open
until the crossing and then goes to its low or high. The fake plays such a path from the recording's `prices.csv.gz`.
"""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from bot.liquidation import Cluster, History, RiskTier
from bot.liquidation.values import replace
from bot.market.bad_rows import BadRows
from bot.market.binance_brackets import parse_brackets
from bot.market.history import align
from bot.market.types import Bars, Floats, OpenInterest
from bot.reading import read_history
from tests.fakes.binance_tables import brackets_body
from tests.fakes.recorded_market import BAR_MS, DAY_MS, RecordedMarket, read_market

RAMP_MS = 6_000
HISTORY_MS = 30 * DAY_MS
LEAST_HISTORY_BARS = 2 * DAY_MS // BAR_MS

# The bot's newest row of open interest may be missing, so its map can differ a little from the one read here.
CLEAR_PCT = 0.12
STRONG, PERHAPS_STRONG = 70, 50
"""The default floor is 60: what is below 50 here does not fire there, what is above 70 does."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """`at_ms` is the recorded open of the bar that must be now, `shift_ms` what is added to recorded times."""

    symbol: str
    at_ms: int
    shift_ms: int
    cross_ms: int
    before: float
    beyond: float

    def path(self) -> Iterator[tuple[int, float]]:
        """(recorded ms, price): level until the crossing, then a straight line of six seconds, then level again."""
        yield self.at_ms - BAR_MS, self.before
        for ms in range(0, RAMP_MS + 1, 250):
            share = ms / RAMP_MS
            yield self.cross_ms - self.shift_ms + ms, self.before + (self.beyond - self.before) * share


def inside_a_bar(moment_ms: int) -> int:
    """`moment_ms`, or where the bar ends before the ramp would, the first second of the next one."""
    offset_ms = moment_ms % BAR_MS
    return moment_ms if offset_ms <= BAR_MS - 2 * RAMP_MS else moment_ms - offset_ms + BAR_MS + 1000


def find_crossing(recording: Path, symbol: str, *, within_pct: float, now_ms: int, cross_ms: int) -> Crossing | None:
    """A crossing at `cross_ms` for rules of `within_pct` made between `now_ms` and then; None where there is none.

    Of the bars that go farthest, the first one whose open is clear of every new cluster and whose low or high is
    well within the distance of a strong one; on the map at its open and, where the bar before it is the one that is
    open at `now_ms`, on the map at that one's open too.
    """
    market = read_market(recording / "binance" / symbol, symbol=symbol, shift_ms=0)
    history, tiers = _history(market), _tiers(recording, symbol)
    now_bar_ms, bars_ahead = now_ms // BAR_MS * BAR_MS, cross_ms // BAR_MS - now_ms // BAR_MS
    for bar, beyond in _farthest(market):
        before = float(market.open[bar])
        maps = (_clusters(history, tiers, bar - back, now_bar_ms) for back in range(bars_ahead + 1))
        if all(_crosses(clusters, before, beyond, within_pct) for clusters in maps):
            at_ms = int(market.open_ms[bar - bars_ahead])
            return Crossing(symbol, at_ms, now_bar_ms - at_ms, cross_ms, before, beyond)
    return None


def stage(recording: Path, folder: Path, crossing: Crossing) -> None:
    """Make the recording of one contract in `folder`: its files as they are, and the path of its price."""
    staged = folder / "binance" / crossing.symbol
    staged.mkdir(parents=True)
    for file in (recording / "binance" / crossing.symbol).iterdir():
        (staged / file.name).symlink_to(file.resolve())
    with gzip.open(staged / "prices.csv.gz", "wt", encoding="utf-8") as out:
        out.write("time_ms,price\n")
        out.writelines(f"{time_ms},{price:.10g}\n" for time_ms, price in crossing.path())


def _farthest(market: RecordedMarket) -> Iterator[tuple[int, float]]:
    """(bar, its low or high), those first that are farthest from the bar's open."""
    down, up = np.log(market.open / market.low), np.log(market.high / market.open)
    for bar in np.argsort(-np.maximum(down, up)).tolist():
        if bar > LEAST_HISTORY_BARS:
            yield bar, float(market.low[bar] if down[bar] > up[bar] else market.high[bar])


def _clusters(history: History, tiers: Sequence[RiskTier], bar: int, now_bar_ms: int) -> tuple[Cluster, ...]:
    """The clusters of the map that a bot has while `bar` is open and its clock says `now_bar_ms`."""
    start_ms = -(-(now_bar_ms - HISTORY_MS) // DAY_MS) * DAY_MS  # its history begins at a midnight
    since = max(0, bar - (now_bar_ms - start_ms) // BAR_MS)
    arrays = {field.name: getattr(history, field.name) for field in fields(History)}
    rows = {name: values[since:bar] for name, values in arrays.items() if name != "bar_ms"}
    return read_history(replace(history, **rows), tiers=tiers).clusters


def _crosses(clusters: Sequence[Cluster], before: float, beyond: float, within_pct: float) -> bool:
    """Whether a strong cluster comes into reach, and none is so near the distance that it might fire earlier."""
    if not clusters:
        return False
    strength = np.array([cluster.strength for cluster in clusters])
    was_pct, is_pct = _distances_pct(clusters, before), _distances_pct(clusters, beyond)
    unsure = (np.abs(was_pct - within_pct) < CLEAR_PCT) & (strength >= PERHAPS_STRONG)
    comes = (was_pct > within_pct) & (is_pct < within_pct - CLEAR_PCT) & (strength >= STRONG)
    return bool(comes.any() and not unsure.any())


def _distances_pct(clusters: Sequence[Cluster], price: float) -> Floats:
    edges = np.array([min(max(price, cluster.low), cluster.high) for cluster in clusters])
    return np.asarray(100 * np.abs(np.log(price / edges)))


def _history(market: RecordedMarket) -> History:
    bars = Bars(
        open_ms=market.open_ms,
        open=market.open,
        high=market.high,
        low=market.low,
        close=market.close,
        volume=market.volume,
        quote_volume=market.quote_volume,
        taker_buy_volume=market.taker_buy,
    )
    return align(bars, OpenInterest(market.oi_ms, market.oi_coins))


def _tiers(recording: Path, symbol: str) -> Sequence[RiskTier]:
    body = brackets_body(recording / "binance" / "tiers.json", [symbol])
    return parse_brackets(body, least_symbols=1, bad=BadRows("the fake"))[symbol]
