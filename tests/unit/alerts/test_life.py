"""The engine's life under everything at once: price, clusters, gaps, restarts, lost commits, clocks, and people."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.alerts.filters import distance_pct, meets_floor
from bot.alerts.growth import growth_pct
from bot.alerts.kinds import JUDGES
from bot.alerts.proximity import exit_pct, passed
from bot.alerts.readings import MapReading
from bot.alerts.types import Changes, Event, Kind, Phase, Rule, Track
from bot.liquidation.types import Cluster, Side
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, Bench, long, reading, short

Pair = tuple[int, str]


class Life(RuleBasedStateMachine):
    """Whatever happens, each alert is due, explained, counted, and told once."""

    made = Bundle("made")

    @initialize()
    def begin(self) -> None:
        self.bench = Bench(tick_ms=60_000)
        self.slot_ms = START
        self.time_ms = START + 75_000
        self.price = 100.0
        self.low = self.high = 100.0
        self.clock_ms = 0
        self.next_id = 1
        self.bodies: list[Cluster] = [long(95, 97), short(103, 105)]
        self.newest: MapReading | None = None
        self.left: dict[Pair, bool] = defaultdict(lambda: True)
        self.last: dict[Pair, Event] = {}
        self.keys: set[str] = set()
        self.recompute()

    # The market

    @rule(percent=st.floats(-3, 3), seconds=st.sampled_from([2, 60, 150]))
    def price_moves(self, percent: float, seconds: int) -> None:
        self._tick(self.price * (1 + percent / 100), seconds * 1_000)

    @rule(index=st.integers(0, 5), minutes=st.sampled_from([4, 20, 36]), times=st.integers(1, 3))
    def price_visits_a_cluster_and_goes_home(self, index: int, minutes: int, times: int) -> None:
        if index >= len(self.bodies):
            return
        body, home = self.bodies[index], self.price
        for _ in range(times):
            self._tick(body.high * 1.003 if body.side is Side.LONG else body.low * 0.997, 60_000)
            for minute in range(0, minutes, 2):
                self._tick(home, 120_000)
                if minute % 6 == 4:
                    self.recompute()

    @rule(minutes=st.sampled_from([10, 90]))
    def nothing_is_seen(self, minutes: int) -> None:
        self.time_ms += minutes * MINUTE

    @rule(index=st.integers(0, 3), factor=st.sampled_from([0.3, 0.6, 1.4, 2.0]))
    def a_cluster_grows_or_shrinks(self, index: int, factor: float) -> None:
        if index < len(self.bodies):
            self.bodies[index] = replace(self.bodies[index], usd=self.bodies[index].usd * factor)

    @rule(index=st.integers(0, 3), share=st.sampled_from([0.3, 0.5, 0.8]))
    def a_cluster_splits(self, index: int, share: float) -> None:
        if index < len(self.bodies) and len(self.bodies) < 6:
            body = self.bodies.pop(index)
            cut = body.low + share * (body.high - body.low)
            self.bodies.append(replace(body, high=cut, peak=(body.low + cut) / 2, usd=body.usd * share))
            self.bodies.append(replace(body, low=cut, peak=(cut + body.high) / 2, usd=body.usd * (1 - share)))

    @rule(side=st.sampled_from(Side))
    def clusters_of_a_side_merge(self, side: Side) -> None:
        merging = [body for body in self.bodies if body.side is side]
        if len(merging) > 1:
            self.bodies = [body for body in self.bodies if body.side is not side]
            low, high = min(body.low for body in merging), max(body.high for body in merging)
            usd = sum(body.usd for body in merging)
            self.bodies.append(replace(merging[0], low=low, high=high, peak=(low + high) / 2, usd=usd))

    @rule(index=st.integers(0, 3))
    def a_cluster_vanishes(self, index: int) -> None:
        if index < len(self.bodies):
            del self.bodies[index]

    @rule(distance=st.floats(0.2, 6), side=st.sampled_from(Side), strength=st.sampled_from([40, 75, 99]))
    def a_cluster_appears(self, distance: float, side: Side, strength: int) -> None:
        if len(self.bodies) < 6:
            near = self.price * (1 - distance / 100 if side is Side.LONG else 1 + distance / 100)
            body = long(near * 0.99, near) if side is Side.LONG else short(near, near * 1.01)
            self.bodies.append(replace(body, strength=strength))

    @rule(slots=st.sampled_from([1, 1, 1, 2, 15]))
    def recompute(self, slots: int = 1) -> None:
        self.slot_ms += slots * SLOT
        self.time_ms = max(self.time_ms, self.slot_ms + 75_000)
        self.bodies = [
            body
            for body in self.bodies
            if (
                self.low > body.low and body.high < self.price
                if body.side is Side.LONG
                else self.high < body.high and body.low > self.price
            )
        ]
        found = reading(self.slot_ms, self.bodies, price=self.price, low=self.low, high=self.high)
        self.low = self.high = self.price
        self.newest = found
        self._check(self.bench.map(found), found.slot_ms)

    # The machine

    @precondition(lambda self: self.newest is not None)
    @rule()
    def a_slot_runs_twice(self) -> None:
        assert self.newest is not None
        assert not self.bench.map(self.newest)

    @rule()
    def a_tick_comes_twice(self) -> None:
        self._tick(self.price, 2_000)
        assert not self.bench.tick(self.time_ms, self.price)
        assert not self.bench.tick(self.time_ms, self.price * 1.05)

    @rule(hours=st.sampled_from([-1, 0, 1]))
    def the_clock_steps(self, hours: int) -> None:
        self.clock_ms = hours * HOUR

    @rule()
    def the_process_restarts(self) -> None:
        self.bench.restart()
        if self.newest is not None:
            assert not self.bench.map(self.newest)

    @rule(percent=st.floats(-2, 2))
    def a_commit_fails(self, percent: float) -> None:
        price, moment = self.price * (1 + percent / 100), self.time_ms + 1_000
        prices, times = np.array([price]), np.array([moment])
        lost = self.bench.engine.evaluate_tick("binance", ("BTCUSDT",), prices, times, now_ms=moment)
        again = self.bench.engine.evaluate_tick("binance", ("BTCUSDT",), prices, times, now_ms=moment)
        assert lost == again or not lost

    # People

    @rule(target=made, threshold=st.sampled_from([0.5, 1.0, 2.0, 4.0]), side=st.none() | st.sampled_from(Side))
    def someone_watches_price(self, threshold: float, side: Side | None) -> int:
        return self._add(Rule(self.next_id, 7, BTC, Kind.PROXIMITY, threshold, side=side))

    @rule(target=made, threshold=st.sampled_from([10.0, 30.0]), window=st.sampled_from([15 * MINUTE, HOUR]))
    def someone_watches_growth(self, threshold: float, window: int) -> int:
        return self._add(Rule(self.next_id, 7, BTC, Kind.GROWTH, threshold, window))

    @rule(rule_id=made)
    def someone_deletes_a_rule(self, rule_id: int) -> None:
        self.bench.store.rules.pop(rule_id, None)
        self.bench.engine.remove_rule(rule_id)

    @rule(rule_id=made, minutes=st.sampled_from([0, 5, 60]))
    def someone_snoozes_a_rule(self, rule_id: int, minutes: int) -> None:
        held = self.bench.engine.rule(rule_id)
        if held is not None:
            snoozed = replace(held, snoozed_until_ms=self.time_ms + minutes * MINUTE)
            self.bench.store.rules[rule_id] = snoozed
            self.bench.engine.replace_rule(snoozed)

    # What always holds

    @invariant()
    def states_are_of_open_tracks_or_closed(self) -> None:
        if not hasattr(self, "bench"):
            return
        open_ids = {track.id for track in self.bench.engine.tracks(BTC)}
        for (_, track_id), state in self.bench.store.states.items():
            assert track_id in open_ids or state.phase is Phase.CLOSED or state.rule_id not in self.bench.store.rules

    def _add(self, drafted: Rule) -> int:
        look = self.bench.engine.first_look(drafted)
        self.bench.store.rules[drafted.id] = drafted
        self.bench.store.commit(Changes(states=look.states))
        self.bench.engine.add_rule(drafted, look.states)
        for state in look.states:
            self.left[drafted.id, state.track_id] = False
        self.next_id += 1
        return drafted.id

    def _tick(self, price: float, wait_ms: int) -> None:
        self.time_ms += wait_ms
        self.price = min(max(price, 80.0), 120.0)
        self.low, self.high = min(self.low, self.price), max(self.high, self.price)
        changes = self.bench.tick(self.time_ms, self.price, now_ms=self.time_ms + min(self.clock_ms, 0))
        self._check(changes, self.time_ms)

    def _check(self, changes: Changes, moment: int) -> None:
        tracks = {track.id: track for track in self.bench.engine.tracks(BTC)}
        for event in changes.events:
            self._check_due(event, tracks[event.track_id])
            self._check_counted(event)
            assert event.reason.startswith("BTCUSDT")
            assert event.reason.endswith(".")
        assert len({(event.rule_id, event.track_id) for event in changes.events}) == len(changes.events)
        for rule_id, held in self.bench.store.rules.items():
            for track in tracks.values():
                if self._is_out(held, track):
                    self.left[rule_id, track.id] = True
        for event in changes.events:
            self.left[event.rule_id, event.track_id] = False

    def _check_due(self, event: Event, track: Track) -> None:
        """The condition holds now, for a rule awake and a body in the newest map."""
        held = self.bench.store.rules[event.rule_id]
        moment = self.time_ms if held.kind is Kind.PROXIMITY else self.slot_ms
        assert held.snoozed_until_ms <= moment
        assert track.missed == 0
        assert meets_floor(held, track.cluster)
        if event.kind is Kind.PROXIMITY:
            assert passed(self.price, track.cluster) or distance_pct(self.price, track.cluster) <= held.threshold_pct
        elif event.kind is Kind.GROWTH:
            grown = growth_pct(track, slot_ms=self.slot_ms, window_ms=held.window_ms)
            assert grown is not None
            assert grown >= held.threshold_pct
        else:
            assert track.appeared
            assert track.born_ms > self.slot_ms - held.window_ms

    def _check_counted(self, event: Event) -> None:
        """An exit and the cooldown since the last one, the next episode, a key never used."""
        pair = (event.rule_id, event.track_id)
        assert self.left[pair], "no two firings without an exit between"
        earlier = self.last.get(pair)
        if earlier is not None:
            held = self.bench.store.rules[event.rule_id]
            assert event.time_ms - earlier.time_ms >= JUDGES[held.kind].terms(held).cooldown_ms
            if held.kind is Kind.GROWTH:
                assert event.cluster is not None
                assert earlier.cluster is not None
                assert event.cluster.usd >= earlier.cluster.usd * (1 + held.threshold_pct / 100)
        assert event.episode == (1 if earlier is None else earlier.episode + 1)
        assert event.dedupe_key not in self.keys
        self.keys.add(event.dedupe_key)
        self.last[pair] = event

    def _is_out(self, held: Rule, track: Track) -> bool:
        if held.kind is Kind.PROXIMITY:
            return distance_pct(self.price, track.cluster) > exit_pct(held.threshold_pct)
        grown = growth_pct(track, slot_ms=self.slot_ms, window_ms=held.window_ms)
        return grown is not None and grown < held.threshold_pct / 2


Life.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
test_life = Life.TestCase
