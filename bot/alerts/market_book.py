"""Everything the engine holds of one market: its rules, tracks, states, its pulse and the last reading of its map."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from bot.alerts.column import Column
from bot.alerts.exposure import APPROACH, CROWD
from bot.alerts.judge import Measure
from bot.alerts.kinds import AT_MAPS, JUDGES, MATTERS
from bot.alerts.map_post import MapPost
from bot.alerts.matching import Watch
from bot.alerts.own_levels import OwnLevels
from bot.alerts.pulse import Pulse
from bot.alerts.readings import Liquidation, MapReading, Marks, no_marks
from bot.alerts.reasons import LASTING, Reason
from bot.alerts.size_steps import SizeSteps
from bot.alerts.types import CloseReason, Kind, LogEntry, Market, Rule, RuleState, Track, Unit
from bot.liquidation.touch import Volatility, touch_spread_over
from bot.liquidation.values import replace

HOUR_MS = 3_600_000
AFTER_MS = 4 * HOUR_MS
"""How long a swept cluster is remembered for what price does after it."""

PRINTED_MS = 15 * 60_000
"""How long liquidations are remembered for a sweep to be told with what it printed."""


_SWEPT = Measure(Kind.SWEPT)


class MarketBook:
    """Changed only through its methods; columns and watches are derived from rules and states, and built when asked.

    `fallen` are the tracks swept lately, with their bodies at their best. `printed` are the newest liquidations, oldest
    first; None where the venue's are not heard.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.rules: dict[int, Rule] = {}
        self.tracks: dict[str, Track] = {}
        self.fallen: dict[str, Track] = {}
        self.slot_ms = 0
        self.pulse = Pulse(market)
        self.printed: tuple[Liquidation, ...] | None = None
        self._reading: MapReading | None = None
        self._step = math.nan
        self._atr_pct: float | None = None
        self._states: dict[str, dict[int, RuleState]] = {}
        self._columns: dict[Measure, Column] | None = None
        self._measure_of: dict[int, Measure] = {}
        self._measures: dict[frozenset[Kind], Sequence[Measure]] = {}
        self._levels: OwnLevels | None = None
        self._watches: dict[str, dict[Measure, Watch]] = {}
        self._calm: dict[Measure, tuple[float, float] | None] = {}
        self._posts: dict[str, MapPost] = {}
        self._noted: dict[str, dict[int, Reason]] = {}

    @property
    def reading(self) -> MapReading | None:
        """The newest map."""
        return self._reading

    @reading.setter
    def reading(self, reading: MapReading) -> None:
        self._reading = reading
        self._step = math.nan if reading.volatility is None else reading.volatility.step
        self._atr_pct = None

    @property
    def surroundings(self) -> tuple[Volatility | None, Marks]:
        """What filters ask of the newest map beside its clusters: volatility, and what else stands at a cluster."""
        reading = self._reading
        return (None, no_marks) if reading is None else (reading.volatility, reading.marks)

    def mapped_before(self, reading: MapReading, *, within_ms: int) -> bool:
        """Whether the market was mapped so shortly before, by the same model, that a new body is a new cluster."""
        versions = {track.model_version for track in self.tracks.values()}
        if self._reading is not None:
            versions.add(self._reading.model_version)
        return versions == {reading.model_version} and reading.slot_ms - self.slot_ms <= within_ms

    def columns(self) -> Mapping[Measure, Column]:
        """The rules as arrays, one column for each thing measured."""
        if self._columns is None:
            groups: dict[Measure, list[Rule]] = {}
            for rule in self.rules.values():
                if rule.kind in JUDGES and rule.kind is not Kind.EXPOSURE:
                    groups.setdefault(JUDGES[rule.kind].measure(rule), []).append(rule)
            steps: dict[bool, SizeSteps] = {}
            for at_maps in (False, True):
                alike = [rules for measure, rules in groups.items() if (measure.kind in AT_MAPS) is at_maps]
                steps[at_maps] = SizeSteps(chain.from_iterable(alike))
            self._columns = {
                measure: Column(rules, JUDGES[measure.kind], steps[measure.kind in AT_MAPS])
                for measure, rules in groups.items()
            }
            self._measures = {}
            self._measure_of = {rule.id: measure for measure, rules in groups.items() for rule in rules}
        return self._columns

    def measures(self, kinds: frozenset[Kind]) -> Sequence[Measure]:
        """What there are columns for of these kinds, in a fixed order; the same object until rules change."""
        columns = self.columns()
        found = self._measures.get(kinds)
        if found is None:
            found = self._measures[kinds] = tuple(sorted(measure for measure in columns if measure.kind in kinds))
        return found

    def levels(self) -> OwnLevels:
        """The exposure rules as arrays."""
        if self._levels is None:
            rules = (rule for rule in self.rules.values() if rule.kind is Kind.EXPOSURE)
            self._levels = OwnLevels(rules, self.states_of(APPROACH), self.states_of(CROWD))
        return self._levels

    def scale(self, measure: Measure) -> float:
        """What a distance in percent is divided by to be this measure's metric; NaN where it is not known now."""
        match measure.unit:
            case Unit.PERCENT:
                return 1.0
            case Unit.ATR:
                if self._atr_pct is None:
                    self._atr_pct = math.nan if self._reading is None else self._reading.atr_pct()
                return self._atr_pct
            case Unit.ODDS:
                return 100.0 * touch_spread_over(measure.window_ms / HOUR_MS, self._step)

    def watch(self, measure: Measure, track_id: str, *, seen_ms: int) -> Watch:
        """Where the rules of one column stand with a track or matter; kept while that is remembered."""
        watches = self._watches.get(track_id)
        watch = None if watches is None else watches.get(measure)
        if watch is None:
            watch = Watch(self.columns()[measure], self._states.get(track_id, {}), seen_ms=seen_ms)
            if self._remembers(track_id):
                self._watches.setdefault(track_id, {})[measure] = watch
        return watch

    def calm(self, measure: Measure, matters: tuple[str, str], *, seen_ms: int) -> tuple[float, float] | None:
        """Nothing changes while the metric of the first of two matters is strictly between these, and the other's minus
        as much; None where no rule asks for them.
        """
        if measure not in self._calm:
            self._calm[measure] = None
            if measure in self.columns():
                one, other = [self.watch(measure, matter, seen_ms=seen_ms).calm for matter in matters]
                self._calm[measure] = max(one[0], -other[1]), min(one[1], -other[0])
        return self._calm[measure]

    def map_post(self, track_id: str, *, seen_ms: int) -> MapPost:
        """The watches before a track that recomputes ask; kept as they are."""
        post = self._posts.get(track_id)
        if post is None:
            measures = self.measures(AT_MAPS)
            post = MapPost(measures, [self.watch(measure, track_id, seen_ms=seen_ms) for measure in measures])
            if self._remembers(track_id):
                self._posts[track_id] = post
        return post

    def state(self, rule_id: int, track_id: str) -> RuleState:
        """The state of a pair; armed where nothing has happened yet."""
        found = self._states.get(track_id, {}).get(rule_id)
        return found if found is not None else RuleState(rule_id, track_id)

    def states_of(self, track_id: str) -> Mapping[int, RuleState]:
        """The states of a track in which something has happened, by rule."""
        return self._states.get(track_id, {})

    def matters(self) -> Iterable[str]:
        """What states are remembered of that is no cluster."""
        return [name for name in self._states if name in MATTERS]

    def noted(self, rule_id: int, track_id: str) -> Reason | None:
        """The reason that was logged last for a pair, where that is one that lasts."""
        return self._noted.get(track_id, {}).get(rule_id)

    def note(self, entry: LogEntry) -> None:
        """Remember a line of the log that has been committed."""
        if entry.reason not in LASTING:
            if entry.track_id in self._noted:
                self._noted[entry.track_id].pop(entry.rule_id, None)
        elif self._remembers(entry.track_id):
            self._noted.setdefault(entry.track_id, {})[entry.rule_id] = entry.reason

    def firings_since(self, rule_id: int, since_ms: int) -> int:
        """On how many open tracks a rule has fired after `since_ms`."""
        found = (states.get(rule_id) for states in self._states.values())
        return sum(1 for state in found if state is not None and state.fired_ms > since_ms)

    def put_rule(self, rule: Rule) -> None:
        self.rules[rule.id] = rule
        self._forget_arrays()

    def drop_rule(self, rule_id: int) -> None:
        self.rules.pop(rule_id, None)
        for states in self._states.values():
            states.pop(rule_id, None)
        for reasons in self._noted.values():
            reasons.pop(rule_id, None)
        self._forget_arrays()

    def put_track(self, track: Track) -> None:
        """Take over a track as it is now; a closed one goes with all its states, a swept one is remembered a while."""
        if track.closed is None:
            self.tracks[track.id] = track
            watch = self._watches.get(track.id, {}).get(_SWEPT)
            if watch is not None and watch.like is not None:
                watch.loosen()  # judged by the body at its best
            return
        self.tracks.pop(track.id, None)
        self._forget(track.id)
        if track.closed is CloseReason.SWEPT:
            self.fallen[track.id] = replace(track, cluster=track.at_best)

    def let_fall(self, slot_ms: int) -> None:
        """Forget the tracks that were swept too long before `slot_ms`."""
        for track in self.past(slot_ms):
            del self.fallen[track.id]
            self._forget(track.id)

    def past(self, slot_ms: int) -> list[Track]:
        """The swept tracks that nobody waits for any more at `slot_ms`."""
        return [track for track in self.fallen.values() if track.closed_ms + AFTER_MS < slot_ms]

    def put_states(self, track_id: str, states: Sequence[RuleState]) -> None:
        """Take over states of its rules on one track; those of a track that is gone are ignored."""
        if not self._remembers(track_id):
            return
        kept, told = self._states.setdefault(track_id, {}), dict[Measure | None, list[RuleState]]()
        last: Measure | None = None
        mine: list[RuleState] = []
        for state in states:
            kept[state.rule_id] = state
            measure = self._measure_of.get(state.rule_id)
            if measure is not last or not told:
                last, mine = measure, told.setdefault(measure, [])
            mine.append(state)
        watches, post = self._watches.get(track_id, {}), self._posts.get(track_id)
        for measure, mine in told.items():
            if measure in watches:
                watches[measure].update(mine)
                self._calm.pop(measure, None)
        if post is not None and not told.keys().isdisjoint(post.measures):
            post.stir()
        if self._levels is not None and track_id == APPROACH:
            self._levels.follow(states)
        elif self._levels is not None and track_id == CROWD:
            self._levels.follow_crowds(states)

    def put_printed(self, news: Iterable[Liquidation]) -> None:
        """Remember liquidations newer than those known, and that they are heard."""
        known = self.printed or ()
        both = (*known, *(one for one in news if not known or one.time_ms > known[-1].time_ms))
        since_ms = both[-1].time_ms - PRINTED_MS if both else 0
        self.printed = tuple(one for one in both if one.time_ms >= since_ms)

    def _remembers(self, track_id: str) -> bool:
        return track_id in self.tracks or track_id in self.fallen or track_id in MATTERS

    def _forget(self, track_id: str) -> None:
        """What is remembered of a track beside itself."""
        for of_tracks in (self._states, self._noted, self._watches, self._posts):
            of_tracks.pop(track_id, None)

    def _forget_arrays(self) -> None:
        self._columns = None
        self._levels = None
        self._watches.clear()
        self._calm.clear()
        self._posts.clear()
