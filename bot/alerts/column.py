"""Rules of one market that measure the same thing, side by side: whom a cluster concerns, and from which value on.

A set of rules is a number whose bits are their places, so that sets are cut and joined in one step however many rules
there are.
"""

import math
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from bot.alerts.filters import floors
from bot.alerts.judge import Judge
from bot.alerts.machine import NEVER_MS, Terms
from bot.alerts.size_steps import SizeClass, SizeSteps
from bot.alerts.types import Rule
from bot.liquidation.types import Cluster, Side

Places = int
"""A set of places in a column: bit 0 is the first."""

_SIDES = {None: 0, Side.LONG: 1, Side.SHORT: 2}
_KEPT_CLASSES = 256
_FEW, _SHORT = 16, 1024
"""Bit by bit costs places times rules: it is for few places, and for columns of few rules."""


class Column:
    """Rules sorted by `hit_at`, each with the value from which on it is hit and out. Every array has shape (n,).

    `leaves_at` are the least exits of the rules from each place on. `steps` are those of all the market's rules that
    are asked at once (by recomputes, or by ticks): to all those columns a cluster is of one class.
    """

    __slots__ = (
        *("class_of", "everyone", "exit_at", "firm", "hit_at", "judge", "leaves_at", "position", "rules", "terms"),
        *("_awake", "_awake_from_ms", "_eligible", "wakes_ms"),
        *("_min_strength", "_min_usd", "_peak_high", "_peak_low", "_side", "_silent_ms"),
    )

    def __init__(self, rules: Iterable[Rule], judge: Judge, steps: SizeSteps) -> None:
        keyed = sorted(((judge.hit_at(rule), rule.id, rule) for rule in rules), key=lambda row: row[:2])
        self.judge = judge
        self.rules = tuple(rule for _, _, rule in keyed)
        self.position = {rule.id: at for at, rule in enumerate(self.rules)}
        self.everyone: Places = (1 << len(keyed)) - 1
        self.hit_at = array("d", (hit_at for hit_at, _, _ in keyed))
        self.exit_at = array("d", map(judge.exit_at, self.rules))
        self.leaves_at = array("d", accumulate(reversed(self.exit_at), min))
        self.leaves_at.reverse()
        kept: dict[Terms, Terms] = {}  # most rules of a column share theirs
        self.terms = tuple(kept.setdefault(terms, terms) for terms in map(judge.terms, self.rules))
        self.firm = any(terms.firm for terms in kept)
        self.class_of = steps.class_of
        self.wakes_ms = -1
        self._awake_from_ms = 0
        self._awake: Places = 0
        self._eligible: dict[SizeClass, Places] = {}
        self._side = np.array([_SIDES[rule.side] for rule in self.rules], dtype=np.int8)
        self._min_strength, self._min_usd = (
            np.array([floors(rule) for rule in self.rules], dtype=np.float64).reshape(-1, 2).T
        )
        self._peak_low = np.array([rule.where.price_low or 0.0 for rule in self.rules], dtype=np.float64)
        self._peak_high = np.array([rule.where.price_high or np.inf for rule in self.rules], dtype=np.float64)
        self._silent_ms = np.array([silent_until_ms(rule) for rule in self.rules], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.rules)

    def eligible(self, cluster: Cluster) -> Places:
        """The rules that this cluster is on the side of, big enough for, and in the price range of."""
        like = self.class_of(cluster)
        found = self._eligible.get(like)
        if found is None:
            if len(self._eligible) >= _KEPT_CLASSES:
                self._eligible.clear()
            found = self._eligible[like] = self._work_out(cluster)
        return found

    def awake(self, now_ms: int) -> Places:
        """The rules that may fire now: neither snoozed nor paused, until the next one wakes at `wakes_ms`."""
        if not self._awake_from_ms <= now_ms < self.wakes_ms:
            asleep = self._silent_ms > now_ms
            self._awake = _places(~asleep)
            self._awake_from_ms, self.wakes_ms = now_ms, int(self._silent_ms[asleep].min(initial=NEVER_MS))
        return self._awake

    def farthest(self, places: Places) -> float:
        """The largest threshold of these rules; minus infinity where there is none."""
        return self.hit_at[places.bit_length() - 1] if places else -math.inf

    def _work_out(self, cluster: Cluster) -> Places:
        good: NDArray[np.bool_] = (self._min_strength <= cluster.strength) & (self._min_usd <= cluster.usd)
        good &= (self._peak_low <= cluster.peak) & (cluster.peak <= self._peak_high)
        good &= (self._side == 0) | (self._side == _SIDES[cluster.side])
        return _places(good)


def set_of(places: Sequence[int]) -> Places:
    """The set of these places."""
    if len(places) > _FEW:
        chosen = np.zeros(max(places) + 1, dtype=np.bool_)
        chosen[np.array(places)] = True
        return _places(chosen)
    found = 0
    for place in places:
        found |= 1 << place
    return found


def each(places: Places) -> list[int]:
    """The places of a set, in order."""
    if places.bit_length() > _SHORT:
        row = np.frombuffer(places.to_bytes((places.bit_length() + 7) // 8, "little"), dtype=np.uint8)
        chosen: list[int] = np.unpackbits(row, bitorder="little").nonzero()[0].tolist()
        return chosen
    found = []
    while places:
        lowest = places & -places
        found.append(lowest.bit_length() - 1)
        places ^= lowest
    return found


def silent_until_ms(rule: Rule) -> int:
    """Until when a rule may not fire; a paused one never may."""
    return NEVER_MS if rule.paused_reason is not None else rule.snoozed_until_ms


def _places(chosen: NDArray[np.bool_]) -> Places:
    return int.from_bytes(np.packbits(chosen, bitorder="little").tobytes(), "little")
