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


# Quantiles 0, 5, ..., 100 % of a cluster's share, by side and distance band: 16,600 clusters in hourly maps of BTC,
# ETH, SOL, DOGE, AVAX, ARB and WIF (Binance, 5-minute bars and open interest, 4 to 31 December 2025).
_LEVELS = np.linspace(0.0, 1.0, 21)
POOLED_SHARES = {
    (Side.LONG, 0): _per_mille("14 25 32 41 54 62 66 75 78 85 87 93 100 110 176 198 226 265 316 357 396"),
    (Side.LONG, 1): _per_mille("32 104 127 138 147 155 163 170 179 186 193 200 207 217 224 233 246 267 310 335 375"),
    (Side.LONG, 2): _per_mille("32 85 94 100 105 110 114 120 124 130 136 143 150 157 167 179 201 236 262 291 378"),
    (Side.SHORT, 0): _per_mille("13 34 40 44 47 49 51 53 56 58 61 63 66 69 79 107 162 248 315 367 429"),
    (Side.SHORT, 1): _per_mille("30 102 120 133 143 150 162 171 176 181 187 196 205 212 220 228 246 284 344 368 425"),
    (Side.SHORT, 2): _per_mille("45 110 122 130 136 142 147 152 156 161 165 170 176 183 193 208 238 282 310 337 424"),
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
