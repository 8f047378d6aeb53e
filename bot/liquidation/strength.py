"""Strength of a cluster, 0 to 100: how rare its share of the open interest is, for its symbol and for all symbols.

A share is ranked within its side and its distance band, never against the map's own maximum, which jumps at each sweep.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.types import Cluster, Floats, Ints, Side

Bools = NDArray[np.bool_]

HOUR_MS = 3_600_000
KEPT_HOURS = 30 * 24
POOLED_WEIGHT = 200  # the pooled table counts as this many own clusters
BAND_EDGES = (0.02, 0.05)  # distance from price to peak: below 2 %, 2 to 5 %, beyond


def _per_mille(text: str) -> tuple[float, ...]:
    return tuple(float(word) / 1000.0 for word in text.split())


# Quantiles 0, 5, ..., 100 % of a cluster's share, by side and distance band: the 16,000 clusters of hourly maps of
# BTC, ETH, SOL, DOGE, AVAX, ARB and WIF (model `cohorts-1` with positions learned as in `learning`, Binance, 5-minute
# bars and open interest, 4 to 31 December 2025, each coin's own volatility). The median was 0.06 for BTC, 0.09 to 0.13
# for the other six.
_LEVELS: list[float] = np.linspace(0.0, 1.0, 21).tolist()
POOLED_SHARES = {
    (Side.LONG, 0): _per_mille("14 28 38 43 46 50 54 55 58 61 64 70 74 82 102 131 147 158 170 199 310"),
    (Side.LONG, 1): _per_mille("25 53 67 75 81 90 98 107 114 120 126 132 137 143 148 155 164 173 186 210 316"),
    (Side.LONG, 2): _per_mille("12 45 50 53 57 61 64 67 70 72 76 79 83 89 96 104 113 127 149 190 327"),
    (Side.SHORT, 0): _per_mille("17 27 29 30 32 35 37 39 42 44 46 49 55 68 88 114 134 159 175 249 321"),
    (Side.SHORT, 1): _per_mille("27 55 63 72 80 88 97 103 110 117 122 127 132 138 144 149 159 177 246 285 342"),
    (Side.SHORT, 2): _per_mille("13 49 55 59 64 68 73 76 80 83 87 91 96 103 110 118 130 153 203 249 339"),
}

_RECORD = np.dtype([("hour", "<u4"), ("group", "u1"), ("share", "<f4")])
_GROUPS = tuple((side, band) for side in Side for band in range(len(BAND_EDGES) + 1))


def distance_band(distance: float) -> int:
    """0, 1 or 2 for a distance in log price."""
    return bisect_right(BAND_EDGES, distance)


def pooled_rank(side: Side, distance: float, share: float) -> float:
    """Portion of the clusters of all symbols, on this side and in this distance band, with a smaller share."""
    return _rank_within(POOLED_SHARES[side, distance_band(distance)], share)


def _rank_within(shares: Sequence[float], share: float) -> float:
    """The quantile that a share is, of a distribution by its quantiles `_LEVELS`."""
    at = bisect_right(shares, share)
    if at in (0, len(shares)):
        return _LEVELS[max(0, at - 1)]
    slope = (_LEVELS[at] - _LEVELS[at - 1]) / (shares[at] - shares[at - 1])
    return slope * (share - shares[at - 1]) + _LEVELS[at - 1]


def pooled_strength(side: Side, distance: float, share: float) -> int:
    """Strength of a cluster whose symbol has no history yet."""
    return round(100 * pooled_rank(side, distance, share))


def _ranks_within(shares: Sequence[float], share: Floats) -> Floats:
    """`_rank_within` of many shares (k,)."""
    levels, quantiles = np.array(_LEVELS), np.array(shares)
    above = np.searchsorted(quantiles, share, side="right")
    at = above.clip(1, len(quantiles) - 1)
    slope = (levels[at] - levels[at - 1]) / (quantiles[at] - quantiles[at - 1])
    ranks: Floats = np.where(above == at, slope * (share - quantiles[at - 1]) + levels[at - 1], above > at)
    return ranks


class ShareHistory:
    """The shares of one symbol's clusters, sampled once an hour and kept for 30 days."""

    __slots__ = ("_groups", "_last_hour")

    def __init__(self) -> None:
        self._last_hour = -1
        self._groups = {group: _Group() for group in _GROUPS}

    def __len__(self) -> int:
        return sum(len(group.hours) for group in self._groups.values())

    def observe(self, time_ms: int, price: float, clusters: Iterable[Cluster]) -> bool:
        """Take the first map of each hour; False where this hour or a later one is known already."""
        hour = time_ms // HOUR_MS
        if hour <= self._last_hour:
            return False
        self._last_hour = hour
        for group in self._groups.values():
            group.forget_before(hour - KEPT_HOURS + 1)
        for cluster in clusters:
            self._groups[cluster.side, distance_band(abs(log(cluster.peak / price)))].add(hour, cluster.share)
        return True

    def strength(self, side: Side, distance: float, share: float) -> int:
        """100 (n F_own + 200 F_all) / (n + 200), n own samples of this side and distance band. Ties count half."""
        key = side, distance_band(distance)
        group, pooled = self._groups[key], _rank_within(POOLED_SHARES[key], share)
        return round(100 * ((group.count_below(share) + POOLED_WEIGHT * pooled) / (len(group.hours) + POOLED_WEIGHT)))

    def follow(self, time_ms: Ints, moment: Ints, is_short: Bools, distance: Floats, share: Floats) -> list[int]:
        """The strengths of the clusters (k,) of maps at ascending times (n,): the same as `strength` and `observe` for
        map after map. `moment` (k,), ascending, is the number of a cluster's map.
        """
        hours = time_ms // HOUR_MS
        newest = np.maximum.accumulate(np.append(self._last_hour, hours))
        maps = _Observed(hours, hours > newest[:-1], newest - KEPT_HOURS + 1)
        band = np.searchsorted(BAND_EDGES, distance, side="right")
        strengths = np.zeros(len(moment), dtype=np.int64)
        for key, group in self._groups.items():
            mine = np.flatnonzero((is_short == (key[0] is Side.SHORT)) & (band == key[1]))
            below, known = group.follow(maps, moment[mine], share[mine])
            pooled = _ranks_within(POOLED_SHARES[key], share[mine])
            strengths[mine] = np.rint(100 * ((below + POOLED_WEIGHT * pooled) / (known + POOLED_WEIGHT)))
        self._last_hour = int(newest[-1])
        rated: list[int] = strengths.tolist()
        return rated

    def to_bytes(self) -> bytes:
        """Everything `from_bytes` needs, 9 bytes a sample."""
        parts = [np.array([(self._last_hour + 1, 0, 0.0)], dtype=_RECORD)]
        for index, group in enumerate(self._groups.values()):
            part = np.empty(len(group.hours), dtype=_RECORD)
            part["hour"], part["group"], part["share"] = group.hours, index, group.shares
            parts.append(part)
        return np.concatenate(parts).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "ShareHistory":
        """The history that `to_bytes` saved. Raises ValueError where the bytes are not one."""
        rows = np.frombuffer(data, dtype=_RECORD).tolist()
        if not rows:
            raise ValueError("a share history has at least one record")
        history = cls()
        history._last_hour = rows[0][0] - 1
        for hour, index, share in rows[1:]:
            if index >= len(_GROUPS):
                raise ValueError(f"a share history has no group {index}")
            history._groups[_GROUPS[index]].add(hour, share)
        return history


class _Observed(NamedTuple):
    """Maps in order of time, (n,): their hours and whether they are sampled; `oldest` (n + 1,) is the first hour that
    is not forgotten yet at each of them, and after the last.
    """

    hour: Ints
    sampled: Bools
    oldest: Ints


class _Group:
    """Samples of one side and distance band: in order of time, and ranked. Shares are float32."""

    __slots__ = ("hours", "ranked", "shares")

    def __init__(self) -> None:
        self.hours = array("I")
        self.shares = array("f")
        self.ranked = array("f")

    def add(self, hour: int, share: float) -> None:
        self.hours.append(hour)
        self.shares.append(share)
        insort(self.ranked, self.shares[-1])

    def forget_before(self, hour: int) -> None:
        old = bisect_left(self.hours, hour)
        for share in self.shares[:old]:
            del self.ranked[bisect_left(self.ranked, share)]
        del self.hours[:old], self.shares[:old]

    def count_below(self, share: float) -> float:
        single = float(np.float32(share))
        return 0.5 * (bisect_left(self.ranked, single) + bisect_right(self.ranked, single))

    def follow(self, maps: _Observed, at: Ints, share: Floats) -> tuple[Floats, Floats]:
        """Take the shares (k,) of the maps `at` (k,), ascending, as they come: how many samples were below each of them
        by then (ties count half), and how many there were, (k,) each.
        """
        single, ranked, oldest = share.astype(np.float32), np.array(self.ranked), maps.oldest[at, None]
        known, below = np.full(len(at), float(len(ranked))), np.zeros(len(at))
        below += 0.5 * (np.searchsorted(ranked, single) + np.searchsorted(ranked, single, side="right"))
        # That was before the first map. On the way some samples come, and the oldest ones go.
        taken = np.flatnonzero(maps.sampled[at])
        hours, shares = maps.hour[at[taken]], single[taken]
        leaving = bisect_left(self.hours, int(maps.oldest[-1]))
        come = (at[taken] < at[:, None]) & (hours >= oldest)
        gone = np.array(self.hours[:leaving], dtype=np.int64) < oldest
        for sign, changed, those in ((1.0, come, shares), (-1.0, gone, np.array(self.shares[:leaving]))):
            if not len(those):
                continue
            lower, tied = changed & (those < single[:, None]), changed & (those == single[:, None])
            known += sign * changed.sum(axis=1)
            below += sign * (lower.sum(axis=1) + 0.5 * tied.sum(axis=1))
        for hour, one in zip(hours.tolist(), shares.tolist(), strict=True):
            self.add(hour, one)
        self.forget_before(int(maps.oldest[-1]))
        return below, known
