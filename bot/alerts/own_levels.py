"""The liquidation prices that the rules of one market hold, as arrays, so that few rules are asked at a time.

Between the nearest price below and the nearest one above at which a rule would have to be asked, and before the first
wait that ends, a tick costs two comparisons, however many levels there are. Of a map are asked the rules in whose state
of the crowd its percentile changes something.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from bot.alerts.exposure import CROWDS, EXPOSURE, NO_LONGER_CROWDED, own_level
from bot.alerts.machine import NEVER_MS, due_ms
from bot.alerts.types import Phase, Rule, RuleState
from bot.liquidation.crowding import CROWDED
from bot.liquidation.types import Floats, Side

SLACK = 1e-9
"""The arrays only propose: a hair too much, and the state machine compares exactly."""


class OwnLevels:
    """Exposure rules by number; rules of other kinds are not its. `approaches` and `crowds` are the states of their two
    matters, by rule.

    A price between `below` and `above` concerns none of them before `due_ms`.
    """

    def __init__(
        self, rules: Iterable[Rule], approaches: Mapping[int, RuleState], crowds: Mapping[int, RuleState]
    ) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))
        held = [own_level(rule) for rule in self.rules]
        self.levels = np.array([level for level, _ in held], dtype=np.float64)
        self.levels.flags.writeable = False
        self._sign = np.array([1.0 if side is Side.LONG else -1.0 for _, side in held], dtype=np.float64)
        self._longs, self._shorts = (sorted(level for level, of in held if of is side) for side in Side)
        # In log price from the level, away from it on the side that the position lives on.
        self._hit_at = np.array([EXPOSURE.hit_at(rule) for rule in self.rules], dtype=np.float64) / 100.0
        self._exit_at = np.array([EXPOSURE.exit_at(rule) for rule in self.rules], dtype=np.float64) / 100.0
        self._row = {rule.id: row for row, rule in enumerate(self.rules)}
        self._waits_for_hit = np.ones(len(self.rules), dtype=np.bool_)
        self._waits_for_exit = np.zeros(len(self.rules), dtype=np.bool_)
        self._due_ms = np.full(len(self.rules), NEVER_MS, dtype=np.int64)
        # A percentile at or above the one, or below the other, changes the state of the crowd; any does after the wait.
        self._crowd_from = np.full(len(self.rules), CROWDED)
        self._crowd_below = np.full(len(self.rules), -np.inf)
        self._crowd_due_ms = np.full(len(self.rules), NEVER_MS, dtype=np.int64)
        self.follow(approaches.values())
        self.follow_crowds(crowds.values())

    def follow(self, states: Iterable[RuleState]) -> None:
        """Take over states of the approach."""
        for state in states:
            row = self._row.get(state.rule_id)
            if row is not None:
                self._place(row, state)
        self._bound()

    def follow_crowds(self, states: Iterable[RuleState]) -> None:
        """Take over states of the crowd."""
        for state in states:
            row = self._row.get(state.rule_id)
            if row is not None:
                self._place_crowd(row, state)
        self._first_crowd_due_ms = int(self._crowd_due_ms.min(initial=NEVER_MS))
        fired = bool((self._crowd_below > -np.inf).any())
        self._least_crowd = -np.inf if fired else float(self._crowd_from.min(initial=np.inf))

    def asked(self, price: float, time_ms: int) -> tuple[Rule, ...]:
        """The rules that a price at a time may concern, by number."""
        if self.below < price < self.above and time_ms < self.due_ms:
            return ()
        concerned = (price <= self._low) | (price >= self._high) | (time_ms >= self._due_ms)
        return tuple(self.rules[row] for row in np.flatnonzero(concerned).tolist())

    def any_within(self, low: float, high: float, *, price: float) -> bool:
        """Whether any position that a price has left alone has its level between these prices: no other is told of a
        crowd.
        """
        longs, shorts = self._longs, self._shorts
        return bisect_left(longs, low) < bisect_left(longs, price) or (
            bisect_right(shorts, price) < bisect_right(shorts, high)
        )

    def any_crowded(self, most: float, slot_ms: int) -> bool:
        """Whether a map may concern any rule; `most` is the highest percentile of `levels`, NaN where none is known."""
        return most >= self._least_crowd or slot_ms >= self._first_crowd_due_ms

    def crowded(self, crowding: Floats, slot_ms: int) -> Iterator[tuple[Rule, float]]:
        """The rules that a map concerns, with the percentile of their level: those in whose state of the crowd it
        changes something. `crowding` are the percentiles of `levels`, (n,); NaN is no data, and changes nothing.
        """
        concerned = (crowding >= self._crowd_from) | (crowding < self._crowd_below)
        if slot_ms >= self._first_crowd_due_ms:
            concerned |= (self._crowd_due_ms <= slot_ms) & ~np.isnan(crowding)
        for row in concerned.nonzero()[0].tolist():
            yield self.rules[row], float(crowding[row])

    def _place(self, row: int, state: RuleState) -> None:
        rule, phase = self.rules[row], state.phase
        self._waits_for_hit[row] = phase in (Phase.ARMED, Phase.PENDING, Phase.RECOVERING)
        self._waits_for_exit[row] = phase is Phase.FIRED
        self._due_ms[row] = due_ms(state, EXPOSURE.terms(rule))

    def _place_crowd(self, row: int, state: RuleState) -> None:
        rule, phase = self.rules[row], state.phase
        waits = {Phase.ARMED: CROWDED, Phase.PENDING: -np.inf, Phase.RECOVERING: CROWDED}
        self._crowd_from[row] = waits.get(phase, np.inf)
        self._crowd_below[row] = NO_LONGER_CROWDED if phase is Phase.FIRED else -np.inf
        self._crowd_due_ms[row] = due_ms(state, CROWDS.terms(rule))

    def _bound(self) -> None:
        """Prices at or below, and at or above which each rule is asked, (n,), and the bounds of them all."""
        hit = self.levels * np.exp(self._sign * (self._hit_at + SLACK))
        left = self.levels * np.exp(self._sign * (self._exit_at - SLACK))
        of_long, waits, fired = self._sign > 0.0, self._waits_for_hit, self._waits_for_exit
        self._low = np.where(of_long & waits, hit, np.where(~of_long & fired, left, -np.inf))
        self._high = np.where(~of_long & waits, hit, np.where(of_long & fired, left, np.inf))
        self.below = float(self._low.max(initial=-np.inf))
        self.above = float(self._high.min(initial=np.inf))
        self.due_ms = int(self._due_ms.min(initial=NEVER_MS))
