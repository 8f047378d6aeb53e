"""Where the rules of one column stand with a track: which of them must be looked at now.

For each track a few numbers bound everything that can happen: the largest threshold still armed, the smallest exit
still fired, the earliest wait that ends. While the measured value stays between them nobody needs to be asked, so a
look costs as much as has changed, however many rules there are.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from bot.alerts.column import Column, Places, each, set_of
from bot.alerts.machine import NEVER_MS, due_ms
from bot.alerts.size_steps import SizeClass
from bot.alerts.types import Phase, RuleState
from bot.liquidation.types import Cluster

SLACK = 1e-9
"""The bounds only propose; the exact comparison is the state machine's. So they propose a hair too much."""


class Watch:
    """One column of rules against one track: the phase of each, and the bounds within which nothing happens.

    `version` goes up with each bound that states or a closer look have moved.
    """

    __slots__ = (
        *("again", "armed", "busy", "column", "due", "due_ms", "exact", "fired", "like", "seen_ms", "version"),
        *("_pending", "_fired", "_ready", "_recovering"),
    )

    def __init__(self, column: Column, states: Mapping[int, RuleState], *, seen_ms: int) -> None:
        self.column = column
        self._ready: Places = column.everyone
        self._pending: Places = 0
        self._fired: Places = 0
        self._recovering: Places = 0
        self.due: dict[int, int] = {}
        self.like: SizeClass | None = None
        self.version = 0
        self.seen_ms = max([seen_ms, *(state.last_ms for state in states.values())])
        self.update(state for state in states.values() if state.rule_id in column.position)

    def update(self, states: Iterable[RuleState]) -> None:
        """Take over states of the column's rules."""
        column, moved = self.column, dict[Phase, list[int]]()
        for state in states:
            at = column.position[state.rule_id]
            moved.setdefault(state.phase, []).append(at)
            wait_ms = due_ms(state, column.terms[at])
            if wait_ms != NEVER_MS:
                self.due[at] = wait_ms
            else:
                self.due.pop(at, None)
        for phase, places in moved.items():
            now = set_of(places)
            self._ready = self._ready | now if phase is Phase.ARMED else self._ready & ~now
            self._pending = self._pending | now if phase is Phase.PENDING else self._pending & ~now
            self._fired = self._fired | now if phase is Phase.FIRED else self._fired & ~now
            self._recovering = self._recovering | now if phase is Phase.RECOVERING else self._recovering & ~now
        self._bound()

    @property
    def idle(self) -> bool:
        """Whether nothing measured can matter: no rule wants a cluster like this, and none has been told of it."""
        return (
            self.armed == -math.inf and self.again == -math.inf and self.fired == math.inf and self.due_ms == NEVER_MS
        )

    @property
    def waits(self) -> bool:
        """Whether some rule has to be told of each look: the time between two of them counts for it."""
        return self._pending != 0 or bool(self.due)

    def meet(self, cluster: Cluster) -> None:
        """What is measured is this cluster now: bounds worked out for one like it still hold."""
        column = self.column
        like = column.class_of(cluster)
        if like != self.like:
            self.like, self.exact = like, False
            self.armed = column.farthest(column.eligible(cluster))
            self.again = column.farthest(self._recovering)

    def follow(self, cluster: Cluster, like: SizeClass, now_ms: int) -> None:
        """As `meet`, of a cluster of this class; where rules have been told already the bounds are made exact, for most
        lie beyond those.
        """
        if like != self.like or (self.busy and not self.exact):
            if self.busy:
                self.tighten(cluster, now_ms)
            else:
                self.meet(cluster)

    def loosen(self) -> None:
        """What is measured has changed its size: any rule may have become eligible."""
        column = self.column
        self.like, self.exact = None, False
        self.armed = column.farthest(column.everyone)
        self.again = column.farthest(self._recovering)

    def _bound(self) -> None:
        """Bounds that surely hold, without asking which rules the cluster is big enough for."""
        self.version += 1
        self.busy = self._ready != self.column.everyone
        self.loosen()
        first = (self._fired & -self._fired).bit_length() - 1
        self.fired = self.column.leaves_at[first] if self._fired else math.inf
        self.due_ms = -1 if self._pending else min(self.due.values(), default=NEVER_MS)

    def tighten(self, cluster: Cluster, now_ms: int) -> None:
        """Work the bounds out exactly for this cluster; a rule that is snoozed now is due when it wakes."""
        column, due, eligible = self.column, self.due, self.column.eligible(cluster)
        self.version += 1
        self.like, self.exact = column.class_of(cluster), True
        self.armed = column.farthest(self._ready & eligible & column.awake(now_ms))
        again = self._recovering if column.firm else self._recovering & eligible
        first_ms = min(due.values()) if due else NEVER_MS
        if first_ms <= now_ms:
            late = {at for at, wait_ms in due.items() if wait_ms <= now_ms and self._fired >> at & 1}
            first_ms = min([wait_ms for at, wait_ms in due.items() if at not in late], default=NEVER_MS)
            again |= eligible & set_of(tuple(late))
        self.again = column.farthest(again)
        self.due_ms = -1 if self._pending else min(column.wakes_ms, first_ms)

    def wakes(self, metric: float, now_ms: int, *, unseen_ms: int) -> bool:
        """Whether anything may change at this metric. `TickBoard` asks the same of all tracks at once."""
        return (
            metric <= self.armed + SLACK
            or metric <= self.again + SLACK
            or metric > self.fired - SLACK
            or now_ms >= self.due_ms
            or (unseen_ms > 0 and bool(self.due))
        )

    @property
    def calm(self) -> tuple[float, float]:
        """Nothing changes at a metric strictly between these, whatever cluster it is measured of and whenever."""
        if self.waits:
            return math.inf, -math.inf
        return self.column.farthest(self._ready) + SLACK, self.fired - SLACK

    def candidates(self, metric: float, cluster: Cluster, now_ms: int, *, unseen_ms: int) -> Sequence[int]:
        """The places in the column of the rules that must be asked now, by id. Tightens the bounds on the way."""
        if not self.exact or self.due_ms <= now_ms:
            self.tighten(cluster, now_ms)
            if not self.wakes(metric, now_ms, unseen_ms=unseen_ms):
                return ()
        column, wanted = self.column, 0
        if metric <= max(self.armed, self.again) + SLACK:
            eligible = column.eligible(cluster)
            wanted = self._ready & eligible & column.awake(now_ms)
            if metric <= self.again + SLACK:
                wanted |= self._recovering if column.firm else self._recovering & eligible
            first = bisect_left(column.hit_at, metric - SLACK)
            wanted = wanted >> first << first
        chosen = set(each(wanted | self._pending))
        if metric > self.fired - SLACK:
            leaving = self._fired & ((1 << bisect_left(column.leaves_at, metric + SLACK)) - 1)
            chosen.update(at for at in each(leaving) if column.exit_at[at] < metric + SLACK)
        for at, wait_ms in self.due.items():
            if wait_ms > now_ms and unseen_ms <= 0:
                continue
            tells_again = self._fired >> at & 1  # where the hit lasts
            if not tells_again or (wait_ms <= now_ms and metric <= column.hit_at[at] + SLACK):
                chosen.add(at)
        return sorted(chosen, key=lambda at: column.rules[at].id)
