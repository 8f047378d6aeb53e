"""Strength of a cluster, 0 to 100: how rare its share of the open interest is, for its symbol and for all symbols.

A share is ranked within its side and its distance band, never against the map's own maximum, which jumps at each sweep.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from math import log

import numpy as np

from bot.liquidation.types import Cluster, Floats, Side

HOUR_MS = 3_600_000
KEPT_HOURS = 30 * 24
POOLED_WEIGHT = 200  # the pooled table counts as this many own clusters
BAND_EDGES = (0.02, 0.05)  # distance from price to peak: below 2 %, 2 to 5 %, beyond


def _per_mille(text: str) -> Floats:
    return np.array([float(word) for word in text.split()]) / 1000.0


# Quantiles 0, 5, ..., 100 % of a cluster's share, by side and distance band: the 14,600 clusters of hourly maps of
# BTC, ETH, SOL, DOGE, AVAX, ARB and WIF (model `cohorts-1`, Binance, 5-minute bars and open interest, 4 to 31 December
# 2025, each coin's own volatility). The median was 0.08 for BTC, 0.10 to 0.13 for the other six.
_LEVELS = np.linspace(0.0, 1.0, 21)
POOLED_SHARES = {
    (Side.LONG, 0): _per_mille("13 26 40 49 50 52 61 64 66 77 86 105 122 132 152 170 187 192 265 319 356"),
    (Side.LONG, 1): _per_mille("24 57 70 81 91 98 108 115 124 130 136 140 145 154 161 168 175 189 208 277 357"),
    (Side.LONG, 2): _per_mille("10 45 52 57 62 66 70 74 79 84 90 98 105 112 120 130 146 161 186 227 324"),
    (Side.SHORT, 0): _per_mille("12 22 23 25 27 29 31 33 34 36 38 60 71 79 97 112 140 179 201 272 350"),
    (Side.SHORT, 1): _per_mille("21 59 69 77 85 92 99 107 114 122 133 139 145 154 161 174 193 246 290 314 367"),
    (Side.SHORT, 2): _per_mille("9 48 57 63 70 76 80 85 91 96 102 108 116 122 129 142 159 188 217 264 362"),
}

_RECORD = np.dtype([("hour", "<u4"), ("group", "u1"), ("share", "<f4")])
_GROUPS = tuple((side, band) for side in Side for band in range(len(BAND_EDGES) + 1))


def distance_band(distance: float) -> int:
    """0, 1 or 2 for a distance in log price."""
    return bisect_right(BAND_EDGES, distance)


def pooled_rank(side: Side, distance: float, share: float) -> float:
    """Portion of the clusters of all symbols, on this side and in this distance band, with a smaller share."""
    return float(np.interp(share, POOLED_SHARES[side, distance_band(distance)], _LEVELS))


def pooled_strength(side: Side, distance: float, share: float) -> int:
    """Strength of a cluster whose symbol has no history yet."""
    return round(100 * pooled_rank(side, distance, share))


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
        group = self._groups[side, distance_band(distance)]
        n = len(group.hours)
        rank = (group.count_below(share) + POOLED_WEIGHT * pooled_rank(side, distance, share)) / (n + POOLED_WEIGHT)
        return round(100 * rank)

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
