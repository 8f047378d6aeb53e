"""A track's sizes over time: kept densely for the recent past and thinly for the far, as growth windows need them."""

import math
from bisect import bisect_left, bisect_right

from bot.alerts.types import Track
from bot.liquidation.types import Cluster

Sizes = tuple[tuple[int, float], ...]
Spans = tuple[tuple[float, float], ...]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000

COMPARABLE_OVERLAP = 0.5
"""Sizes are compared only between bodies whose intersection is at least this share of their union."""

MAX_SAMPLES = 48
"""Thinned when longer, to about 34 samples: so a track's history stays a few hundred bytes."""

KEPT_MS = 27 * HOUR_MS
"""The longest growth window, 24 h, and the width of its last bucket."""

# From which age on samples are spaced how far, the oldest first: never wider than a quarter of a window that reaches
# back so far. Each spacing divides the wider, so that the oldest sample of a wide bucket is also the oldest of a narrow
# one and thinning twice loses nothing more. Younger samples are all kept.
_SPACING = (
    (8 * HOUR_MS, 2 * HOUR_MS),
    (4 * HOUR_MS, 1 * HOUR_MS),
    (2 * HOUR_MS, 30 * MINUTE_MS),
    (1 * HOUR_MS, 15 * MINUTE_MS),
)


def overlap(low: float, high: float, other_low: float, other_high: float) -> float:
    """Intersection over union of two price intervals, 0 where they do not meet."""
    shared = min(high, other_high) - max(low, other_low)
    if shared <= 0.0:
        return 0.0
    return shared / (max(high, other_high) - min(low, other_low))


def with_sample(track: Track, cluster: Cluster, slot_ms: int) -> tuple[Sizes, Spans]:
    """The track's sizes and spans with one more sample, thinned where they have grown long."""
    sizes, spans = track.sizes, track.spans
    sizes += ((slot_ms, cluster.usd),)
    spans += ((cluster.low, cluster.high),)
    return (sizes, spans) if len(sizes) <= MAX_SAMPLES else _thinned(sizes, spans)


def baseline(track: Track, *, slot_ms: int, window_ms: int) -> float | None:
    """The track's size in USD about `window_ms` before `slot_ms`, within an eighth of the window.

    Where the body is wider now, what it held then is taken over the width of now: an edge that moves over ground which
    stood there all along is no growth. None where there is no sample so near, or where the body of then is not
    comparable with that of now.
    """
    sizes, target_ms, near_ms = track.sizes, slot_ms - window_ms, _near_ms(window_ms)
    if not sizes or sizes[0][0] - target_ms > near_ms:
        return None
    best = bisect_left(sizes, (target_ms,))
    if best == len(sizes) or (best and target_ms - sizes[best - 1][0] <= sizes[best][0] - target_ms):
        best -= 1
    sample_ms, usd = sizes[best]
    if abs(sample_ms - target_ms) > near_ms or usd <= 0.0:
        return None
    behind = len(sizes) - best
    if behind <= len(track.spans):
        low, high = track.spans[-behind]
        if overlap(low, high, track.cluster.low, track.cluster.high) < COMPARABLE_OVERLAP:
            return None
        usd *= max(1.0, (track.cluster.high - track.cluster.low) / (high - low))
    return usd


def least_before(track: Track, *, slot_ms: int, window_ms: int) -> tuple[float, int]:
    """What no `baseline` of this window is below from `slot_ms` on and until when: those samples are known by now.

    (usd, until_ms); infinite where there will be none to compare with. Holds whatever samples come, or are forgotten.
    """
    sizes, near_ms = track.sizes, _near_ms(window_ms)
    first_ms = sizes[0][0] + window_ms - near_ms
    if slot_ms < first_ms:
        return math.inf, first_ms
    until_ms = slot_ms + min(window_ms // 2, window_ms - near_ms)
    since = bisect_left(sizes, (slot_ms - window_ms - near_ms,))
    last = bisect_left(sizes, (until_ms - window_ms + near_ms,), since)
    return min([usd for _, usd in sizes[since:last]], default=math.inf), until_ms


def _near_ms(window_ms: int) -> int:
    """How far from a window's begin a sample may lie to stand for it."""
    return max(window_ms // 8, MINUTE_MS)


def _thinned(sizes: Sizes, spans: Spans) -> tuple[Sizes, Spans]:
    """What the spacing leaves of them: of each bucket the oldest."""
    newest_ms = sizes[-1][0]
    kept: list[int] = []
    at = bisect_right(sizes, (newest_ms - KEPT_MS, math.inf))
    for youngest_ms, spacing_ms in _SPACING:
        end = bisect_right(sizes, (newest_ms - youngest_ms, math.inf), at)
        last_bucket = -1
        for i in range(at, end):
            bucket = sizes[i][0] // spacing_ms
            if bucket != last_bucket:
                kept.append(i)
                last_bucket = bucket
        at = end
    kept.extend(range(at, len(sizes)))
    unknown = len(sizes) - len(spans)
    return tuple([sizes[i] for i in kept]), tuple([spans[i - unknown] for i in kept if i >= unknown])
