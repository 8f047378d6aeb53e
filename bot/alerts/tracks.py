"""Identity: which cluster of this recompute is which of the last.

Without it each recompute finds every cluster anew and every cooldown is void. Bodies are matched by the overlap of
their price intervals; measured, that loses an identity once in four days of a cluster's life, where matching the
nearest centres loses three a day.
"""

import math
from collections.abc import Iterable, Sequence

from bot.alerts.history import overlap, with_sample
from bot.alerts.types import CloseReason, Market, Track
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace

MIN_OVERLAP = 0.2
"""Intersection over union from which two bodies may be the same cluster."""

GRACE = 6
"""Recomputes for which an unmatched track is kept."""

COVERED = 0.5
"""A body of which another covers this share is part of it: of a merge or a split, not a neighbour."""

SEEN_WHOLE = 0.11
"""A body with its peak farther from price than this, in log price, may only have come into the map's window of 12 %."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def match(
    tracks: Iterable[Track],
    clusters: Sequence[Cluster],
    *,
    market: Market,
    slot_ms: int,
    low: float,
    high: float,
    model_version: str = "",
    mapped_before: bool = True,
    price: float = math.nan,
) -> tuple[Track, ...]:
    """The tracks after the recompute of `slot_ms`: those that go on, those that end now (`closed` set), those born.

    `low` and `high` are the extremes of price since the last recompute, over the bars that this map has seen and the
    last had not; NaN where unknown. `mapped_before` tells that the market was mapped shortly before, so that a
    cluster where nothing stood is a new one and not merely first seen; nor is one at the far end of the window around
    `price` (NaN: not asked).
    """
    done: list[Track] = []
    standing: list[Track] = []
    for track in tracks:
        if _reached(track.cluster, track.cluster.low, track.cluster.high, low=low, high=high):
            done.append(replace(track, closed=CloseReason.SWEPT, closed_ms=slot_ms))
        else:
            standing.append(track)

    heir_of = _assign(standing, clusters)
    for i, track in enumerate(standing):
        if i in heir_of:
            done.append(_seen(track, clusters[heir_of[i]], slot_ms, model_version))
        else:
            done.append(_missed(track, clusters, slot_ms, low=low, high=high))

    if len(heir_of) == len(clusters):
        return tuple(done)

    taken = set(heir_of.values())
    born = [cluster for j, cluster in enumerate(clusters) if j not in taken]
    ordinal = {Side.LONG: 0, Side.SHORT: 0}
    for cluster in sorted(born, key=lambda c: (c.side, c.low)):
        in_view = math.isnan(price) or abs(math.log(cluster.peak / price)) < SEEN_WHOLE
        fresh = mapped_before and in_view and not any(covers(track.cluster, cluster) for track in standing)
        done.append(_born(cluster, market, slot_ms, ordinal[cluster.side], model_version, appeared=fresh))
        ordinal[cluster.side] += 1
    return tuple(done)


def track_id(side: Side, born_ms: int, ordinal: int) -> str:
    """A name that needs no counter: the side's letter and the birth slot in base 36 seconds, `L` + `t6zjz0`."""
    name = ("L" if side is Side.LONG else "S") + _base36(born_ms // 1000)
    return name if ordinal == 0 else f"{name}-{_base36(ordinal)}"


def _assign(tracks: Sequence[Track], clusters: Sequence[Cluster]) -> dict[int, int]:
    """Track index -> cluster index. Greedy over all pairs that overlap enough, in the order of their `_rank`."""
    pairs = _overlapping(tracks, clusters)
    heir_of = dict(pairs)
    if len(heir_of) == len(set(heir_of.values())) == len(pairs):
        return heir_of  # none has a rival, as nearly always
    heir_of.clear()
    taken: set[int] = set()
    for i, j in sorted(pairs, key=lambda pair: _rank(tracks[pair[0]].cluster, clusters[pair[1]])):
        if i not in heir_of and j not in taken:
            heir_of[i] = j
            taken.add(j)
    return heir_of


def _overlapping(tracks: Sequence[Track], clusters: Sequence[Cluster]) -> list[tuple[int, int]]:
    """The pairs of a track and a cluster of its side, by index, that overlap enough."""
    pairs: list[tuple[int, int]] = []
    for i, track in enumerate(tracks):
        old = track.cluster
        side, low, high = old.side, old.low, old.high
        for j, new in enumerate(clusters):
            if new.side is not side or new.high <= low or high <= new.low:
                continue
            if overlap(low, high, new.low, new.high) >= MIN_OVERLAP:
                pairs.append((i, j))
    return pairs


def _rank(old: Cluster, new: Cluster) -> tuple[bool, float]:
    """Which pairs of bodies that overlap come first, the least of all.

    Pairs of which one body lies (by half) within the other go first, by the product of their sizes: at a merge the
    heavier parent wins, at a split the heavier child. Neighbours that merely touch follow, by overlap.
    """
    shared = min(old.high, new.high) - max(old.low, new.low)
    if shared < COVERED * min(old.high - old.low, new.high - new.low):
        return True, -overlap(old.low, old.high, new.low, new.high)
    return False, -old.usd * new.usd


def _seen(track: Track, cluster: Cluster, slot_ms: int, model_version: str) -> Track:
    """The track with its new body. Sizes of another model are not comparable and are forgotten."""
    if track.model_version == model_version:
        sizes, spans = with_sample(track, cluster, slot_ms)
    else:
        sizes, spans = ((slot_ms, cluster.usd),), ((cluster.low, cluster.high),)
    return Track(  # by position, which is the faster: one is made of every cluster of every map
        track.id,
        track.market,
        cluster,
        track.born_ms,
        slot_ms,
        0,
        sizes,
        model_version,
        None,
        spans,
        track.appeared,
        0,
        max(track.best_strength, cluster.strength),
    )


def _missed(track: Track, clusters: Sequence[Cluster], slot_ms: int, *, low: float, high: float) -> Track:
    """One recompute without the body: swept if price went past its peak, else kept for the grace, then closed."""
    body = track.cluster
    if _reached(body, body.peak, body.peak, low=low, high=high):
        return replace(track, closed=CloseReason.SWEPT, closed_ms=slot_ms)
    missed = track.missed + 1
    if missed < GRACE:
        return replace(track, missed=missed)
    merged = any(covers(cluster, body) for cluster in clusters)
    reason = CloseReason.MERGED if merged else CloseReason.FADED
    return replace(track, missed=missed, closed=reason, closed_ms=slot_ms)


def _born(cluster: Cluster, market: Market, slot_ms: int, ordinal: int, model_version: str, *, appeared: bool) -> Track:
    return Track(
        id=track_id(cluster.side, slot_ms, ordinal),
        market=market,
        cluster=cluster,
        born_ms=slot_ms,
        seen_ms=slot_ms,
        sizes=((slot_ms, cluster.usd),),
        model_version=model_version,
        spans=((cluster.low, cluster.high),),
        appeared=appeared,
        best_strength=cluster.strength,
    )


def _reached(cluster: Cluster, long_level: float, short_level: float, *, low: float, high: float) -> bool:
    """Whether price came down to `long_level` under a long body, or up to `short_level` over a short one."""
    return low <= long_level if cluster.side is Side.LONG else high >= short_level


def covers(cover: Cluster, body: Cluster) -> bool:
    """Whether one body covers so much of another of its side that the other is part of it."""
    shared = min(cover.high, body.high) - max(cover.low, body.low)
    return cover.side is body.side and shared > 0.0 and shared >= COVERED * (body.high - body.low)


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
