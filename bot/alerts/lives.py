"""The lives of clusters: when each was born, how large it grew, and how it ended, from one map after another."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.alerts.tracks import match
from bot.alerts.types import CloseReason, Market, Track
from bot.liquidation.clusters import find_clusters
from bot.liquidation.types import Cluster, History, LiquidationMap, Side
from bot.liquidation.values import replace


@dataclass(frozen=True, slots=True)
class Life:
    """One cluster through time: `times_ms` and `bodies` (k,) tell where it stood at each map that saw it.

    `witnessed` is False where it stood when the watching began, or may only have come into the map's window: it is
    older than it looks. `ended_ms` is 0, and `end` None, while it stands.
    """

    id: str
    side: Side
    witnessed: bool
    times_ms: tuple[int, ...]
    bodies: tuple[Cluster, ...]
    ended_ms: int = 0
    end: CloseReason | None = None

    @property
    def born_ms(self) -> int:
        return self.times_ms[0]

    @property
    def best(self) -> Cluster:
        """The body at its largest."""
        return max(self.bodies, key=lambda body: body.usd)

    @property
    def best_ms(self) -> int:
        """When it was at its largest."""
        return self.times_ms[self.bodies.index(self.best)]

    @property
    def best_strength(self) -> int:
        return max(body.strength for body in self.bodies)

    def lasted_ms(self, now_ms: int) -> int:
        """How long it lived, or has lived by `now_ms`."""
        return (self.ended_ms or now_ms) - self.born_ms


@dataclass(frozen=True, slots=True)
class LifeCount:
    """How many clusters there were and what became of them; the median life in ms, None where it is not known yet."""

    total: int
    swept: int
    faded: int
    merged: int
    standing: int
    median_ms: int | None


def lives_of(
    maps: Iterable[LiquidationMap], bars: History, *, market: Market, day_volatility: Callable[[int], float]
) -> tuple[Life, ...]:
    """Every cluster of ascending `maps`, in the order of birth; `bars` are the path that price took meanwhile.

    `day_volatility` tells what was known of it at a time in ms, as a fraction.
    """
    closes = bars.open_ms + bars.bar_ms
    open_tracks: tuple[Track, ...] = ()
    seen: dict[str, Life] = {}
    before_ms: int | None = None
    for drawn in maps:
        clusters = find_clusters(drawn, day_volatility=day_volatility(drawn.time_ms))
        low, high = np.nan, np.nan
        if before_ms is not None:
            first, end = np.searchsorted(closes, (before_ms, drawn.time_ms), side="right")
            if first < end:
                low, high = float(bars.low[first:end].min()), float(bars.high[first:end].max())
        matched = match(
            open_tracks,
            clusters,
            market=market,
            slot_ms=drawn.time_ms,
            low=low,
            high=high,
            mapped_before=before_ms is not None,
            price=drawn.price,
        )
        for track in matched:
            seen[track.id] = _after(seen.get(track.id), track, drawn.time_ms)
        open_tracks = tuple(track for track in matched if track.closed is None)
        before_ms = drawn.time_ms
    return tuple(seen.values())


def _after(life: Life | None, track: Track, time_ms: int) -> Life:
    """The life after a map at `time_ms` that left this track. One that faded ended when it was last seen."""
    if life is None:
        life = Life(track.id, track.cluster.side, track.appeared, (), ())
    if track.closed is not None:
        ended_ms = time_ms if track.closed is CloseReason.SWEPT else track.seen_ms
        return replace(life, ended_ms=max(ended_ms, life.born_ms), end=track.closed)
    if track.seen_ms != time_ms:
        return life
    return replace(life, times_ms=(*life.times_ms, time_ms), bodies=(*life.bodies, track.cluster))


def count_lives(lives: Sequence[Life], now_ms: int) -> LifeCount:
    """What became of them. The median counts those whose birth was seen."""
    ends = [life.end for life in lives]
    return LifeCount(
        total=len(lives),
        swept=ends.count(CloseReason.SWEPT),
        faded=ends.count(CloseReason.FADED),
        merged=ends.count(CloseReason.MERGED),
        standing=ends.count(None),
        median_ms=median_life_ms([life for life in lives if life.witnessed], now_ms),
    )


def median_life_ms(lives: Sequence[Life], now_ms: int) -> int | None:
    """When half are gone, by the estimator of Kaplan and Meier (1958): those that still stand have lived at least so
    long. None where fewer than half have ended so far.
    """
    spans = sorted((life.lasted_ms(now_ms), life.end is None) for life in lives)
    surviving, left = 1.0, len(spans)
    for lasted_ms in sorted({lasted for lasted, _ in spans}):
        stand = [stands for lasted, stands in spans if lasted == lasted_ms]
        surviving *= 1.0 - stand.count(False) / left
        left -= len(stand)
        if surviving <= 0.5:
            return lasted_ms
    return None


def biggest(lives: Iterable[Life], count: int) -> tuple[Life, ...]:
    """The largest at their best, the largest first."""
    return tuple(sorted(lives, key=lambda life: (-life.best.usd, life.born_ms, life.id))[:count])
