"""The liquidation prices that the rules of one market hold, as arrays, so that few rules are asked at a time.

Between the nearest price below and the nearest one above at which a rule would have to be asked, and before the first
wait that ends, a tick costs two comparisons, however many levels there are.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from bot.alerts.exposure import EXPOSURE, own_level
from bot.alerts.machine import rearm_ms
from bot.alerts.types import Phase, Repeat, Rule, RuleState
from bot.liquidation.crowding import CROWDED
from bot.liquidation.types import Floats, Side

NEVER_MS = 2**62
SLACK = 1e-9
"""The arrays only propose: a hair too much, and the state machine compares exactly."""


class OwnLevels:
    """Exposure rules by number. `states` are those of the approach, by rule; rules of other kinds are not its."""

    def __init__(self, rules: Iterable[Rule], states: Mapping[int, RuleState]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))
        held = [own_level(rule) for rule in self.rules]
        self.levels = np.array([level for level, _ in held], dtype=np.float64)
        self._sign = np.array([1.0 if side is Side.LONG else -1.0 for _, side in held], dtype=np.float64)
        # In log price from the level, away from it on the side that the position lives on.
        self._hit_at = np.array([EXPOSURE.hit_at(rule) for rule in self.rules], dtype=np.float64) / 100.0
        self._exit_at = np.array([EXPOSURE.exit_at(rule) for rule in self.rules], dtype=np.float64) / 100.0
        self._row = {rule.id: row for row, rule in enumerate(self.rules)}
        self._waits_for_hit = np.ones(len(self.rules), dtype=np.bool_)
        self._waits_for_exit = np.zeros(len(self.rules), dtype=np.bool_)
        self._due_ms = np.full(len(self.rules), NEVER_MS, dtype=np.int64)
        self.follow(states.values())

    def follow(self, states: Iterable[RuleState]) -> None:
        """Take over states of the approach."""
        for state in states:
            row = self._row.get(state.rule_id)
            if row is not None:
                self._place(row, state)
        self._bound()

    def asked(self, price: float, time_ms: int) -> tuple[Rule, ...]:
        """The rules that a price at a time may concern, by number."""
        if self._below < price < self._above and time_ms < self._first_due_ms:
            return ()
        concerned = (price <= self._low) | (price >= self._high) | (time_ms >= self._due_ms)
        return tuple(self.rules[row] for row in np.flatnonzero(concerned).tolist())

    def crowded(self, crowding: Floats, states: Mapping[int, RuleState]) -> Iterator[tuple[Rule, float]]:
        """The rules that a map may concern, with the percentile of their level: those crowded there, and those in
        whose state of the crowd something has happened. `crowding` are the percentiles of `levels`, (n,).
        """
        concerned = crowding >= CROWDED
        concerned[[self._row[rule_id] for rule_id in states if rule_id in self._row]] = True
        for row in np.flatnonzero(concerned).tolist():
            rule = self.rules[row]
            if rule.id not in states or not (crowding[row] >= CROWDED and _rests(rule, states[rule.id])):
                yield rule, float(crowding[row])

    def _place(self, row: int, state: RuleState) -> None:
        rule, phase = self.rules[row], state.phase
        self._waits_for_hit[row] = phase in (Phase.ARMED, Phase.PENDING, Phase.RECOVERING)
        self._waits_for_exit[row] = phase is Phase.FIRED
        self._due_ms[row] = NEVER_MS
        if phase is Phase.RECOVERING:
            self._due_ms[row] = rearm_ms(state, EXPOSURE.terms(rule))
        elif phase is Phase.FIRED and rule.repeat is Repeat.EVERY:
            self._due_ms[row] = state.fired_ms + rule.repeat_ms

    def _bound(self) -> None:
        """Prices at or below, and at or above which each rule is asked, (n,), and the bounds of them all."""
        hit = self.levels * np.exp(self._sign * (self._hit_at + SLACK))
        left = self.levels * np.exp(self._sign * (self._exit_at - SLACK))
        of_long, waits, fired = self._sign > 0.0, self._waits_for_hit, self._waits_for_exit
        self._low = np.where(of_long & waits, hit, np.where(~of_long & fired, left, -np.inf))
        self._high = np.where(~of_long & waits, hit, np.where(of_long & fired, left, np.inf))
        self._below = float(self._low.max(initial=-np.inf))
        self._above = float(self._high.min(initial=np.inf))
        self._first_due_ms = int(self._due_ms.min(initial=NEVER_MS))


def _rests(rule: Rule, state: RuleState) -> bool:
    """Whether a crowd that is there again, or still, is nothing to say."""
    return state.phase is Phase.DONE or (state.phase is Phase.FIRED and rule.repeat is not Repeat.EVERY)
