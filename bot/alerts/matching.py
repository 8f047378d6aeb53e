"""Rules of one market as arrays, and where each stands with each track: which of them must be looked at now.

For each track a few numbers bound everything that can happen: the largest threshold still armed, the smallest exit
still fired, the earliest wait that ends. While the measured value stays between them nobody needs to be asked, so a
look costs as much as has changed, however many rules there are.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.alerts.filters import floors
from bot.alerts.judge import Judge
from bot.alerts.machine import Terms, rearm_ms
from bot.alerts.size_steps import SizeClass, SizeSteps
from bot.alerts.types import Phase, Rule, RuleState
from bot.liquidation.types import Cluster, Side

NEVER_MS = 2**62
SLACK = 1e-9
"""The arrays only propose; the exact comparison is the state machine's. So they propose a hair too much."""

_ARMED, _PENDING, _FIRED, _RECOVERING, _INERT = range(5)  # an array without any phase but ARMED is all noughts
_CODES = {
    Phase.ARMED: _ARMED,
    Phase.PENDING: _PENDING,
    Phase.FIRED: _FIRED,
    Phase.RECOVERING: _RECOVERING,
    Phase.DONE: _INERT,
    Phase.CLOSED: _INERT,
}
_SIDES = {None: 0, Side.LONG: 1, Side.SHORT: 2}
_KEPT_CLASSES, _KEPT_REACHES = 64, 4_096


class Column:
    """Rules of one market that measure the same thing, sorted by `hit_at`. Every array has shape (n,).

    `leaves_at` are the least exits of the rules from each place on. `steps` are those of all the market's rules, so
    that a cluster is of one class to every column.
    """

    __slots__ = (
        *("exit_at", "hit_at", "judge", "leaves_at", "min_strength", "min_usd", "peak_high"),
        *("_eligible", "_reaches", "class_of", "firm", "peak_low", "position", "rules", "side", "silent_ms", "terms"),
        *("_awake", "_awake_from_ms", "_takers", "wakes_ms"),
    )

    def __init__(self, rules: Iterable[Rule], judge: Judge, steps: SizeSteps) -> None:
        keyed = sorted(((judge.hit_at(rule), rule.id, rule) for rule in rules), key=lambda row: row[:2])
        self.judge = judge
        self.rules = tuple(rule for _, _, rule in keyed)
        self.position = {rule.id: i for i, rule in enumerate(self.rules)}
        self.hit_at = np.array([hit_at for hit_at, _, _ in keyed], dtype=np.float64)
        self.exit_at = np.array([judge.exit_at(rule) for rule in self.rules], dtype=np.float64)
        self.leaves_at = np.minimum.accumulate(self.exit_at[::-1])[::-1]
        kept: dict[Terms, Terms] = {}  # most rules of a column share theirs
        self.terms = tuple(kept.setdefault(terms, terms) for terms in map(judge.terms, self.rules))
        self.firm = any(terms.firm for terms in kept)
        self.side = np.array([_SIDES[rule.side] for rule in self.rules], dtype=np.int8)
        self.min_strength, self.min_usd = (
            np.array([floors(rule) for rule in self.rules], dtype=np.float64).reshape(-1, 2).T
        )
        self.peak_low = np.array([rule.where.price_low or 0.0 for rule in self.rules], dtype=np.float64)
        self.peak_high = np.array([rule.where.price_high or np.inf for rule in self.rules], dtype=np.float64)
        self.silent_ms = np.array([silent_until_ms(rule) for rule in self.rules], dtype=np.int64)
        self.class_of = steps.class_of
        self.wakes_ms = -1
        self._awake_from_ms = 0
        self._awake: NDArray[np.bool_] | None = None
        self._eligible: dict[SizeClass, NDArray[np.bool_]] = {}
        self._takers: dict[SizeClass, NDArray[np.bool_]] = {}
        self._reaches: dict[SizeClass, float] = {}

    def __len__(self) -> int:
        return len(self.rules)

    @property
    def reach(self) -> float:
        """The largest threshold: no rule is hit by a metric above it."""
        return float(self.hit_at[-1]) if len(self.hit_at) else -np.inf

    def eligible(self, cluster: Cluster) -> NDArray[np.bool_]:
        """Which rules this cluster is on the side of, big enough for, and in the price range of; not to be written."""
        like = self.class_of(cluster)
        found = self._eligible.get(like)
        if found is None:
            if len(self._eligible) >= _KEPT_CLASSES:
                self._eligible.clear()
            found = self._eligible[like] = self._work_out(cluster)
        return found

    def takers(self, cluster: Cluster, now_ms: int) -> NDArray[np.bool_]:
        """Which of those may fire now: neither snoozed nor paused, until the next one wakes at `wakes_ms`."""
        if not self._awake_from_ms <= now_ms < self.wakes_ms:
            self._look_who_sleeps(now_ms)
        if self._awake is None:
            return self.eligible(cluster)
        like = self.class_of(cluster)
        found = self._takers.get(like)
        if found is None:
            if len(self._takers) >= _KEPT_CLASSES:
                self._takers.clear()
            found = self._takers[like] = self.eligible(cluster) & self._awake
        return found

    def farthest(self, chosen: NDArray[np.bool_]) -> float:
        """The largest threshold of these rules; minus infinity where there is none."""
        places = chosen.nonzero()[0]
        return float(self.hit_at[places[-1]]) if len(places) else -np.inf

    def reach_to(self, cluster: Cluster) -> float:
        """The largest threshold of the rules that this cluster is eligible for; minus infinity where there is none."""
        like = self.class_of(cluster)
        found = self._reaches.get(like)
        if found is None:
            if len(self._reaches) >= _KEPT_REACHES:
                self._reaches.clear()
            found = self._reaches[like] = self.farthest(self.eligible(cluster))
        return found

    def _look_who_sleeps(self, now_ms: int) -> None:
        asleep = self.silent_ms > now_ms
        self._awake = ~asleep if asleep.any() else None
        self._awake_from_ms, self.wakes_ms = now_ms, int(self.silent_ms[asleep].min(initial=NEVER_MS))
        self._takers.clear()

    def _work_out(self, cluster: Cluster) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = (self.min_strength <= cluster.strength) & (self.min_usd <= cluster.usd)
        good &= (self.peak_low <= cluster.peak) & (cluster.peak <= self.peak_high)
        good &= (self.side == 0) | (self.side == _SIDES[cluster.side])
        return good


class Watch:
    """One column of rules against one track: the phase of each, and the bounds within which nothing happens.

    `version` goes up with each bound that states or a closer look have moved.
    """

    __slots__ = (
        *("again", "armed", "busy", "column", "due", "due_ms", "exact", "fired", "like", "pending", "phases"),
        *("seen_ms", "version", "_codes"),
    )

    def __init__(self, column: Column, states: Mapping[int, RuleState], *, seen_ms: int) -> None:
        self.column = column
        self._codes = bytearray(len(column))  # the phases as bytes are searched faster, as an array compared faster
        self.phases = np.frombuffer(self._codes, dtype=np.uint8)
        self.due: dict[int, int] = {}
        self.like: SizeClass | None = None
        self.version = 0
        self.seen_ms = max([seen_ms, *(state.last_ms for state in states.values())])
        self.update(state for state in states.values() if state.rule_id in column.position)

    def update(self, states: Iterable[RuleState]) -> None:
        """Take over states of the column's rules."""
        position = self.column.position
        for state in states:
            self._place(position[state.rule_id], state)
        self._bound()

    @property
    def idle(self) -> bool:
        """Whether nothing measured can matter: no rule wants a cluster like this, and none has been told of it."""
        return self.armed == -np.inf and self.again == -np.inf and self.fired == np.inf and self.due_ms == NEVER_MS

    def meet(self, cluster: Cluster) -> None:
        """What is measured is this cluster now: bounds worked out for one like it still hold."""
        like = self.column.class_of(cluster)
        if like != self.like:
            self.loosen()
            self.like, self.armed = like, self.column.reach_to(cluster)

    def follow(self, cluster: Cluster, like: SizeClass, now_ms: int) -> None:
        """As `meet`, of a cluster of this class; where rules have been told already the bounds are made exact, for most
        lie beyond those.
        """
        if like != self.like:
            self.meet(cluster)
        if self.busy and not self.exact:
            self.tighten(cluster, now_ms)

    def loosen(self) -> None:
        """What is measured has changed its size: any rule may have become eligible."""
        self.like, self.exact = None, False
        self.armed = self.column.reach
        last = self._codes.rfind(_RECOVERING) if self.busy else -1
        self.again = float(self.column.hit_at[last]) if last >= 0 else -np.inf

    def _bound(self) -> None:
        """Bounds that surely hold, without asking which rules the cluster is big enough for."""
        codes, column = self._codes, self.column
        self.version += 1
        self.fired, self.pending = np.inf, False
        self.busy = codes.count(_ARMED) < len(codes)
        self.loosen()
        if self.busy:
            if (first := codes.find(_FIRED)) >= 0:
                self.fired = float(column.leaves_at[first])
            self.pending = _PENDING in codes
        self.due_ms = -1 if self.pending else min(self.due.values(), default=NEVER_MS)

    def tighten(self, cluster: Cluster, now_ms: int) -> None:
        """Work the bounds out exactly for this cluster; a rule that is snoozed now is due when it wakes."""
        column, phases = self.column, self.phases
        self.version += 1
        self.like = column.class_of(cluster)
        self.exact = True
        takers, eligible = column.takers(cluster, now_ms), column.eligible(cluster)
        self.armed = column.farthest(takers & (phases == _ARMED) if self.busy else takers)
        self.due_ms = column.wakes_ms
        if not self.busy:
            return
        again = phases == _RECOVERING
        self.again = column.farthest(again if column.firm else again & eligible)
        due = self.due
        if due and min(due.values()) <= now_ms:
            late = [at for at, due_ms in due.items() if due_ms <= now_ms and phases[at] == _FIRED]
            due = {at: due_ms for at, due_ms in due.items() if at not in late}
            self.again = max(self.again, *(float(column.hit_at[at]) for at in late if eligible[at]), -np.inf)
        self.due_ms = -1 if self.pending else min(self.due_ms, *due.values(), NEVER_MS)

    def wakes(self, metric: float, now_ms: int, *, unseen_ms: int) -> bool:
        """Whether anything may change at this metric. `TickBoard` asks the same of all tracks at once."""
        return (
            metric <= self.armed + SLACK
            or metric <= self.again + SLACK
            or metric > self.fired - SLACK
            or now_ms >= self.due_ms
            or (unseen_ms > 0 and bool(self.due))
        )

    def may_wake(self, metric: float, now_ms: int, *, unseen_ms: int) -> bool:
        """Whether anything may change at this metric, whatever cluster it is measured of."""
        if self.pending or metric > self.fired - SLACK:
            return True
        if self.due and (unseen_ms > 0 or now_ms >= min(self.due.values())):
            return True
        last = max(self._codes.rfind(_ARMED), self._codes.rfind(_RECOVERING))
        return last >= 0 and metric <= self.column.hit_at.item(last) + SLACK

    def candidates(self, metric: float, cluster: Cluster, now_ms: int, *, unseen_ms: int) -> Sequence[int]:
        """The places in the column of the rules that must be asked now, by id. Tightens the bounds on the way."""
        if not self.exact or self.due_ms <= now_ms:
            self.tighten(cluster, now_ms)
            if not self.wakes(metric, now_ms, unseen_ms=unseen_ms):
                return ()
        column, phases = self.column, self.phases
        chosen: set[int] = set()
        if metric <= max(self.armed, self.again) + SLACK:
            first = int(column.hit_at.searchsorted(metric - SLACK))
            near = phases[first:]
            hit = (near == _ARMED) & column.takers(cluster, now_ms)[first:]
            if metric <= self.again + SLACK:
                again = near == _RECOVERING
                hit |= again if column.firm else again & column.eligible(cluster)[first:]
            chosen.update((first + hit.nonzero()[0]).tolist())
        if metric > self.fired - SLACK:
            chosen.update(((phases == _FIRED) & (column.exit_at < metric + SLACK)).nonzero()[0].tolist())
        if self.pending:
            chosen.update((phases == _PENDING).nonzero()[0].tolist())
        for at, due_ms in self.due.items():
            if phases[at] != _FIRED:
                wanted = due_ms <= now_ms or unseen_ms > 0
            else:  # to be told again, where the hit lasts
                wanted = due_ms <= now_ms and metric <= column.hit_at[at] + SLACK
            if wanted:
                chosen.add(at)
        return sorted(chosen, key=lambda at: column.rules[at].id)

    def _place(self, at: int, state: RuleState) -> None:
        self._codes[at] = _CODES[state.phase]
        rule = self.column.rules[at]
        if state.phase is Phase.RECOVERING:
            self.due[at] = rearm_ms(state, self.column.terms[at])
        elif state.phase is Phase.FIRED and rule.repeat_ms:
            self.due[at] = state.fired_ms + rule.repeat_ms
        else:
            self.due.pop(at, None)


def silent_until_ms(rule: Rule) -> int:
    """Until when a rule may not fire; a paused one never may."""
    return NEVER_MS if rule.paused_reason is not None else rule.snoozed_until_ms
