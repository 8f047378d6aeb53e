"""The engine's life under everything at once: price, clusters, gaps, restarts, lost commits, clocks, and people."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.alerts.exposure import APPROACH, away_pct
from bot.alerts.filters import distance_pct, meets_floor
from bot.alerts.grammar import ParseError, parse_watch
from bot.alerts.growth import growth_pct
from bot.alerts.kinds import JUDGES, MATTERS
from bot.alerts.proximity import exit_pct, passed
from bot.alerts.readings import Liquidation, MapReading
from bot.alerts.types import CloseReason, Event, Kind, Phase, Repeat, Rule, Track, Unit
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, Bench, long, reading, short, standing

Pair = tuple[int, str]

DAY = 24 * HOUR
LINES = (
    *("BTC 1.5atr", "BTC 60% in 4h", "BTC 2% once", "BTC 2% every 10min", "BTC 2% beyond 0.5% odds 10%"),
    *("BTC new", "BTC swept", "BTC breakout 10min", "BTC hunt", "BTC cascade 95% 10k", "BTC cascade long 1M"),
    *("BTC flip", "BTC flip short", "BTC concentration 80%", "BTC exposure long 96", "BTC exposure short 104 1%"),
    *("BTC 2% for 3h", "BTC swept for 1d", "digest daily", "digest weekly for 2d"),
)
ONE_TIME = frozenset({Kind.NEW_CLUSTER, Kind.SWEPT, Kind.BREAKOUT, Kind.STOP_HUNT})
"""Kinds that have one thing to say of a cluster."""


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
        self.flipped: dict[int, Side] = {}
        self.short_share = 0.5
        self.bins = 8
        self.recompute()
        for line in ("BTC 2%", "BTC swept", "BTC breakout 10min", "BTC hunt", "BTC flip", "BTC cascade 95% 10k"):
            self.someone_types_a_rule(line)

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

    @rule(share=st.sampled_from([0.2, 0.45, 0.55, 0.8]), bins=st.sampled_from([1, 8, 9]))
    def positions_shift(self, share: float, bins: int) -> None:
        self.short_share, self.bins = share, bins

    @rule(usd=st.sampled_from([2e3, 50e3, 3e6]), side=st.sampled_from(Side), minutes=st.sampled_from([0, 0, 1, 40]))
    def liquidations_are_printed(self, usd: float, side: Side, minutes: int) -> None:
        self.time_ms += minutes * MINUTE + 500
        news = [Liquidation(self.time_ms, "BTCUSDT", side, self.price, usd)]
        changes = self.bench.prints(news, heard_ms=self.time_ms)
        for event in changes:
            assert event.figure("minute_usd") is not None
            assert event.side is side
        self._check(changes)
        assert self.bench.prints(news, heard_ms=self.time_ms) == [], "heard twice, counted once"

    @rule()
    def an_hour_of_small_liquidations(self) -> None:
        for minute in range(60):
            self.time_ms += MINUTE
            news = [Liquidation(self.time_ms, "BTCUSDT", Side(["long", "short"][minute % 2]), self.price, 1e3 + minute)]
            self._check(self.bench.prints(news, heard_ms=self.time_ms))

    @rule(index=st.integers(0, 5), back=st.booleans())
    def price_goes_through_a_cluster(self, index: int, back: bool) -> None:
        if index >= len(self.bodies):
            return
        body, home = self.bodies[index], self.price
        for _ in range(3):
            self._tick(body.low * 0.997 if body.side is Side.LONG else body.high * 1.003, 60_000)
            self.recompute()
        if back:
            self._tick(home, 60_000)
            self.recompute()

    @rule(slots=st.sampled_from([1, 1, 1, 2, 15]))
    def recompute(self, slots: int = 1) -> None:
        self.slot_ms = max(self.slot_ms + slots * SLOT, (self.time_ms - 75_000) // SLOT * SLOT)
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
        drawn = standing(1e8 * (1 - self.short_share), 1e8 * self.short_share, bins=self.bins, price=self.price)
        found = reading(
            self.slot_ms,
            self.bodies,
            price=self.price,
            low=self.low,
            high=self.high,
            drawn=drawn,
            volatility=Volatility(self.price, self.slot_ms, (1e-6,) * 4, (100.0,) * 4),
            atr_pct=0.5,
        )
        self.low = self.high = self.price
        self.newest = found
        self._check(self.bench.map(found).events)

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

    @rule()
    def the_clock_is_looked_at(self) -> None:
        events = self.bench.clock(self.time_ms)
        for event in events:
            held = self.bench.store.rules[event.rule_id]
            if event.kind is Kind.EXPIRY:
                over = held.expires_ms <= self.time_ms
                assert held.paused_reason == ("expired" if over else None)
            else:
                assert (event.kind, event.time_ms % DAY) == (Kind.DIGEST, 8 * HOUR)
        self._count(events)
        assert self.bench.clock(self.time_ms) == []

    @rule(hours=st.sampled_from([9, 30]))
    def nothing_happens_for_long(self, hours: int) -> None:
        self.time_ms += hours * HOUR

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

    @rule(target=made, line=st.sampled_from(LINES))
    def someone_types_a_rule(self, line: str) -> int:
        found = parse_watch(line, lambda typed: BTC if typed == "BTC" else None, now_ms=self.time_ms)
        assert not isinstance(found, ParseError)
        return self._add(replace(found[0], id=self.next_id, chat=7, created_ms=self.time_ms))

    @rule(rule_id=made, factor=st.sampled_from([0.5, 1.5]))
    def someone_edits_a_rule(self, rule_id: int, factor: float) -> None:
        held = self.bench.engine.rule(rule_id)
        if held is not None and held.kind in (Kind.PROXIMITY, Kind.GROWTH) and held.unit is Unit.PERCENT:
            self.bench.add(replace(held, threshold_pct=held.threshold_pct * factor))
            for (owner, track_id), state in self.bench.store.states.items():
                if owner == rule_id:
                    self.left[owner, track_id] = state.phase is not Phase.FIRED
                    self.last.pop((owner, track_id), None)

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
        book = self.bench.engine._books[BTC]
        open_ids = {*book.tracks, *book.fallen, *MATTERS}
        for (_, track_id), state in self.bench.store.states.items():
            assert track_id in open_ids or state.phase is Phase.CLOSED or state.rule_id not in self.bench.store.rules

    def _add(self, drafted: Rule) -> int:
        for state in self.bench.add(drafted).states:
            self.left[drafted.id, state.track_id] = False
        self.next_id += 1
        return drafted.id

    def _tick(self, price: float, wait_ms: int) -> None:
        self.time_ms += wait_ms
        self.price = min(max(price, 80.0), 120.0)
        self.low, self.high = min(self.low, self.price), max(self.high, self.price)
        changes = self.bench.tick(self.time_ms, self.price, now_ms=self.time_ms + min(self.clock_ms, 0))
        self._check(changes.events)

    def _check(self, events: Sequence[Event]) -> None:
        """What ticks, maps and liquidations brought: due, explained, counted."""
        for event in events:
            self._check_due(event)
            assert event.reason.startswith("BTCUSDT")
            assert event.reason.endswith(".")
        self._count(events)
        tracks = self.bench.engine.tracks(BTC)
        for rule_id, held in self.bench.store.rules.items():
            for track in tracks:
                if held.kind in (Kind.PROXIMITY, Kind.GROWTH) and self._is_out(held, track):
                    self.left[rule_id, track.id] = True
        for event in events:
            self.left[event.rule_id, event.track_id] = False

    def _count(self, events: Sequence[Event]) -> None:
        assert len({(event.rule_id, event.track_id) for event in events}) == len(events)
        for event in events:
            self._check_counted(event)

    def _check_due(self, event: Event) -> None:
        """The condition holds now, for a rule awake; of a body that stands in the newest map, or was swept."""
        held = self.bench.store.rules[event.rule_id]
        assert held.snoozed_until_ms <= max(self.time_ms, self.slot_ms)
        assert not held.expires_ms or held.paused_reason != "expired"
        if event.cluster is None:
            assert held.side in (None, event.side)
            if event.track_id == APPROACH:
                assert away_pct(held, event.price) <= held.threshold_pct
            return
        track = self.bench.store.tracks[BTC, event.track_id]
        assert meets_floor(held, event.cluster)
        if event.kind in (Kind.SWEPT, Kind.BREAKOUT, Kind.STOP_HUNT):
            self._check_swept(event, track)
        elif event.kind is Kind.PROXIMITY and held.unit is Unit.PERCENT:
            assert passed(self.price, track.cluster) or distance_pct(self.price, track.cluster) <= held.threshold_pct
        elif event.kind is Kind.GROWTH:
            grown = growth_pct(track, slot_ms=self.slot_ms, window_ms=held.window_ms)
            assert grown is not None
            assert grown >= held.threshold_pct
        elif event.kind is Kind.NEW_CLUSTER:
            assert track.appeared
            assert track.born_ms > self.slot_ms - max(held.window_ms, HOUR)

    def _check_swept(self, event: Event, track: Track) -> None:
        """Price is through; beyond or back by the close where the kind says so."""
        above = track.cluster.side is Side.SHORT
        if event.kind is Kind.SWEPT:
            assert track.closed is CloseReason.SWEPT or (
                self.price >= track.cluster.high if above else self.price <= track.cluster.low
            )
            return
        assert track.closed is CloseReason.SWEPT
        beyond = self.price >= track.cluster.high if above else self.price <= track.cluster.low
        back = self.price <= track.cluster.low if above else self.price >= track.cluster.high
        assert beyond if event.kind is Kind.BREAKOUT else back

    def _check_counted(self, event: Event) -> None:
        """An exit and the cooldown since the last one, the next episode, a key never used."""
        pair = (event.rule_id, event.track_id)
        held = self.bench.store.rules[event.rule_id]
        earlier = self.last.get(pair)
        if event.kind in ONE_TIME:
            assert earlier is None or earlier.kind is not event.kind or held.kind is Kind.GROWTH
        if held.repeat is Repeat.ONCE:
            assert not [each for (owner, _), each in self.last.items() if owner == event.rule_id]
        if event.kind is Kind.FLIP and event.side is not None:
            assert self.flipped.get(event.rule_id) is not event.side or held.side is not None
            self.flipped[event.rule_id] = event.side
        if event.kind in (Kind.PROXIMITY, Kind.GROWTH) and held.repeat is Repeat.EPISODE and held.unit is Unit.PERCENT:
            assert self.left[pair], "no two firings without an exit between"
        if earlier is not None:
            assert event.episode == earlier.episode + 1
            if held.kind in JUDGES:
                terms = JUDGES[held.kind].terms(held)
                wait_ms = min(terms.cooldown_ms, terms.every_ms) if terms.every_ms else terms.cooldown_ms
                assert event.time_ms - earlier.time_ms >= wait_ms
            if held.kind is Kind.GROWTH:
                assert event.cluster is not None
                assert earlier.cluster is not None
                assert event.cluster.usd >= earlier.cluster.usd * (1 + held.threshold_pct / 100)
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
