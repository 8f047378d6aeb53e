"""Everything the engine holds of one market: its rules, open tracks, states, and the last reading of its map."""

from collections.abc import Iterable
from typing import NamedTuple

from bot.alerts.kinds import JUDGES
from bot.alerts.matching import Column, Watch
from bot.alerts.readings import MapReading
from bot.alerts.reasons import Reason
from bot.alerts.types import Kind, LogEntry, Market, Rule, RuleState, Track


class Measure(NamedTuple):
    """What a column's rules measure alike."""

    kind: Kind
    window_ms: int


NEAR = Measure(Kind.PROXIMITY, 0)


class MarketBook:
    """Changed only through its methods; columns and watches are derived from rules and states, and built when asked."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.rules: dict[int, Rule] = {}
        self.tracks: dict[str, Track] = {}
        self.reading: MapReading | None = None
        self.slot_ms = 0
        self._states: dict[str, dict[int, RuleState]] = {}
        self._columns: dict[Measure, Column] | None = None
        self._watches: dict[tuple[Measure, str], Watch] = {}
        self._noted: dict[str, dict[int, Reason]] = {}

    def columns(self) -> dict[Measure, Column]:
        """The rules as arrays, one column for each thing measured."""
        if self._columns is None:
            groups: dict[Measure, list[Rule]] = {}
            for rule in self.rules.values():
                groups.setdefault(_measure_of(rule), []).append(rule)
            self._columns = {measure: Column(rules, JUDGES[measure.kind]) for measure, rules in groups.items()}
        return self._columns

    def watch(self, measure: Measure, track: Track) -> Watch:
        """Where the rules of one column stand with a track; kept for tracks that are open."""
        watch = self._watches.get((measure, track.id))
        if watch is None:
            watch = Watch(self.columns()[measure], self._states.get(track.id, {}), seen_ms=track.seen_ms)
            if track.id in self.tracks:
                self._watches[measure, track.id] = watch
        return watch

    def state(self, rule_id: int, track_id: str) -> RuleState:
        """The state of a pair; armed where nothing has happened yet."""
        found = self._states.get(track_id, {}).get(rule_id)
        return found if found is not None else RuleState(rule_id, track_id)

    def known_states(self, track_id: str) -> Iterable[RuleState]:
        """The states of a track in which something has happened."""
        return self._states.get(track_id, {}).values()

    def noted(self, rule_id: int, track_id: str) -> Reason | None:
        """The reason that was logged last for a pair."""
        return self._noted.get(track_id, {}).get(rule_id)

    def note(self, entry: LogEntry) -> None:
        """Remember a line of the log that has been committed."""
        if entry.track_id in self.tracks:
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
        """Take over a track as it is now; a closed one goes, with all its states."""
        if track.closed is None:
            self.tracks[track.id] = track
            for measure in self._columns or ():
                watch = self._watches.get((measure, track.id))
                if watch is not None:
                    watch.loosen()
            return
        self.tracks.pop(track.id, None)
        self._states.pop(track.id, None)
        self._noted.pop(track.id, None)
        for measure in self._columns or ():
            self._watches.pop((measure, track.id), None)

    def put_states(self, track_id: str, states: Iterable[RuleState]) -> None:
        """Take over states of one track; those of rules or tracks that are gone are ignored."""
        known = [state for state in states if state.rule_id in self.rules]
        if not known or track_id not in self.tracks:
            return
        self._states.setdefault(track_id, {}).update((state.rule_id, state) for state in known)
        for measure in self._columns or ():
            watch = self._watches.get((measure, track_id))
            if watch is not None:
                watch.update(known)

    def _forget_arrays(self) -> None:
        self._columns = None
        self._watches.clear()


def _measure_of(rule: Rule) -> Measure:
    return NEAR if rule.kind is Kind.PROXIMITY else Measure(rule.kind, rule.window_ms)
