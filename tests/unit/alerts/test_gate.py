"""The gate: what rings at once, what joins, what waits and until when. Each row of a table is a timeline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.gate import GROUP_MS, HOUR_MS, Gate, Rulings
from bot.alerts.manners import Manners
from bot.alerts.reasons import Reason
from bot.alerts.types import Event, Kind, LogEntry, Severity
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, MINUTE, SLOT, START, short

S = 1_000


def event(number: int = 1, *, chat: int = 7, rule: int = 1, episode: int = 1, **changes: object) -> Event:
    happened = Event(
        time_ms=START,
        kind=Kind.PROXIMITY,
        market=BTC,
        rule_id=rule,
        chat=chat,
        track_id=f"S{number}",
        episode=episode,
        severity=Severity.WARNING,
        price=100.0,
        cluster=short(101.0, 102.0),
        value_pct=1.0,
        threshold_pct=1.0,
        window_ms=0,
        reason="near",
        map_ms=START,
        open_interest="measured",
    )
    return replace(happened, **changes)  # type: ignore[arg-type]


def told(gate: Gate, *events: Event, at_ms: int, log: tuple[LogEntry, ...] = ()) -> Rulings:
    """Rule on events and take it over, as after a commit."""
    rulings = gate.rule(events, log, now_ms=START + at_ms)
    gate.apply(rulings)
    return rulings


def reasons(rulings: Rulings) -> list[Reason]:
    return [ruling.reason for ruling in rulings.rulings]


CRITICAL = Severity.CRITICAL
QUIET = Manners(quiet_until=lambda time_ms: START + HOUR_MS if time_ms < START + HOUR_MS else 0)
MUTED = Manners(muted_until_ms=START + HOUR_MS)

TIMELINES = [
    # (what it is about, manners, budget, [(at, severity, reason, due)])
    ("one alert waits a moment for others", Manners(), 9, [(0, None, "told", 5 * S)]),
    (
        "those of five seconds are one message, due with the first",
        Manners(),
        9,
        [(0, None, "told", 5 * S), (2 * S, None, "grouped", 5 * S), (4_999, None, "grouped", 5 * S)],
    ),
    (
        "at five seconds the message has gone and the next begins",
        Manners(),
        9,
        [(0, None, "told", 5 * S), (5 * S, None, "told", 10 * S)],
    ),
    ("a critical one waits for nobody", Manners(), 9, [(0, CRITICAL, "told", 0)]),
    (
        "and takes along what was waiting",
        Manners(),
        9,
        [(0, None, "told", 5 * S), (1 * S, CRITICAL, "grouped", 1 * S), (2 * S, None, "told", 7 * S)],
    ),
    (
        "one more than the budget waits until the first is an hour old",
        Manners(),
        2,
        [
            (0, None, "told", 5 * S),
            (10 * S, None, "told", 15 * S),
            (20 * S, None, "held_budget", HOUR_MS),
            (30 * S, None, "held_budget", HOUR_MS),
        ],
    ),
    (
        "joining a message costs no budget",
        Manners(),
        1,
        [(0, None, "told", 5 * S), (1 * S, None, "grouped", 5 * S), (6 * S, None, "held_budget", HOUR_MS)],
    ),
    (
        "a critical one passes an empty budget",
        Manners(),
        1,
        [(0, None, "told", 5 * S), (9 * S, CRITICAL, "told", 9 * S)],
    ),
    (
        "what was held counts as one message when it goes",
        Manners(),
        1,
        [
            (0, None, "told", 5 * S),
            (9 * S, None, "held_budget", HOUR_MS),
            (HOUR_MS + 1, None, "held_budget", 2 * HOUR_MS),
            (2 * HOUR_MS + 1, None, "held_budget", 3 * HOUR_MS),
        ],
    ),
    (
        "after a calm hour the budget is whole again",
        Manners(),
        1,
        [(0, None, "told", 5 * S), (HOUR_MS, None, "told", HOUR_MS + 5 * S)],
    ),
    (
        "quiet hours hold until they end, critical ones too",
        QUIET,
        9,
        [
            (0, None, "held_quiet", HOUR_MS),
            (1, CRITICAL, "held_quiet", HOUR_MS),
            (HOUR_MS, None, "told", HOUR_MS + 5 * S),
        ],
    ),
    (
        "unless the chat said that critical ones pass",
        replace(QUIET, critical_passes=True),
        9,
        [(0, None, "held_quiet", HOUR_MS), (1, CRITICAL, "told", 1)],
    ),
    ("a muted chat hears nothing until then", MUTED, 9, [(0, None, "held_muted", HOUR_MS)]),
    (
        "muted into the quiet hours waits for their end",
        Manners(MUTED.muted_until_ms, lambda ms: START + 3 * HOUR_MS if ms >= START + HOUR_MS else 0),
        9,
        [(0, None, "held_muted", 3 * HOUR_MS)],
    ),
    (
        "what the budget holds does not ring in the quiet hours",
        Manners(quiet_until=lambda ms: START + 9 * HOUR_MS if ms >= START + HOUR_MS // 2 else 0),
        1,
        [(0, None, "told", 5 * S), (9 * S, None, "held_budget", 9 * HOUR_MS)],
    ),
    (
        "a message that waits has its place in the budget",
        QUIET,
        1,
        [(0, None, "held_quiet", HOUR_MS), (HOUR_MS + 1, None, "held_budget", 2 * HOUR_MS)],
    ),
]


@pytest.mark.parametrize(("about", "manners", "budget", "timeline"), TIMELINES, ids=[row[0] for row in TIMELINES])
def test_a_timeline(
    about: str, manners: Manners, budget: int, timeline: list[tuple[int, Severity | None, str, int]]
) -> None:
    gate = Gate(lambda _chat: manners, per_hour=budget)
    for number, (at_ms, severity, reason, due_ms) in enumerate(timeline):
        [ruling] = told(gate, event(number, severity=severity or Severity.WARNING), at_ms=at_ms).rulings
        assert (ruling.reason, ruling.due_ms - START) == (reason, due_ms), f"{about}: at {at_ms}"
        assert ruling.held is reason.startswith("held")


def test_of_one_evaluation_all_are_one_message_also_where_nobody_waits() -> None:
    gate = Gate(group_ms=0)
    rulings = told(gate, event(1), event(2), event(3), at_ms=0)
    assert reasons(rulings) == ["told", "grouped", "grouped"]
    assert {ruling.lead for ruling in rulings.rulings} == {event(1).dedupe_key}
    assert reasons(told(gate, event(4), at_ms=1)) == ["told"]


def test_chats_are_grouped_and_counted_apart() -> None:
    gate = Gate(per_hour=1)
    assert reasons(told(gate, event(1), event(1, chat=8), at_ms=0)) == ["told", "told"]
    assert reasons(told(gate, event(2), event(2, chat=9), at_ms=6 * S)) == ["held_budget", "told"]


def test_the_message_that_uses_the_budget_up_says_when_there_is_room_again() -> None:
    gate = Gate(per_hour=2)
    [first] = told(gate, event(1), at_ms=0).rulings
    [last] = told(gate, event(2), at_ms=MINUTE).rulings
    assert (first.budget_free_ms, first.budget) == (0, 0)
    assert (last.budget_free_ms, last.budget) == (START + HOUR_MS, 2)


def test_a_commit_that_failed_leaves_the_gate_as_it_was() -> None:
    gate = Gate(per_hour=1)
    once = gate.rule([event(1)], now_ms=START)
    again = gate.rule([event(1)], now_ms=START + 2 * S)
    assert reasons(once) == reasons(again) == ["told"]


def test_the_digest_and_the_end_of_a_rule_are_messages_of_their_own_and_never_held() -> None:
    gate = Gate(lambda _chat: MUTED, per_hour=1)
    rulings = told(gate, event(1, kind=Kind.DIGEST), event(2, kind=Kind.EXPIRY), event(3), at_ms=0)
    assert reasons(rulings) == ["told", "told", "held_muted"]
    assert [ruling.leads for ruling in rulings.rulings] == [True, True, True]


class TestFlapping:
    def turns(self, *slots: int, rule: int = 1, track: str = "S1") -> tuple[LogEntry, ...]:
        return tuple(LogEntry(START + slot * SLOT, Reason.LEFT, BTC, rule_id=rule, track_id=track) for slot in slots)

    @pytest.mark.parametrize(
        ("slots", "at_slot", "flaps"),
        [
            ((), 20, False),  # nothing ever turned
            (range(5), 5, False),  # a quarter of the checks
            (range(6), 6, True),  # three in ten
            ((0, 0, 0, 0, 0, 0), 1, False),  # many turns in one check are one
            (range(6), 20, True),  # five in twenty are left: more than a fifth
            (range(6), 21, False),  # four in twenty end it
            (range(6), 60, False),  # long ago
        ],
    )
    def test_a_pair_flaps_from_three_checks_in_ten_until_two(
        self, slots: tuple[int, ...], at_slot: int, flaps: bool
    ) -> None:
        gate = Gate()
        told(gate, at_ms=0, log=self.turns(*slots))
        [ruling] = told(gate, event(1), at_ms=at_slot * SLOT).rulings
        assert (ruling.reason is Reason.HELD_FLAPPING) is flaps
        assert not flaps or ruling.due_ms == START + at_slot * SLOT + HOUR_MS

    def test_a_price_that_passes_cluster_after_cluster_does_not_flap(self) -> None:
        gate = Gate(per_hour=100)
        for slot in range(20):
            assert reasons(told(gate, event(slot), at_ms=slot * SLOT)) == ["told"]

    def test_another_rule_on_the_same_cluster_is_counted_apart(self) -> None:
        gate = Gate()
        told(gate, at_ms=0, log=self.turns(*range(6)))
        rulings = told(gate, event(1, rule=2), event(1, rule=1), at_ms=6 * SLOT)
        assert rulings.rulings[0].reason is Reason.TOLD


class TestRestart:
    def test_the_hour_s_messages_and_what_waits_are_remembered(self) -> None:
        gate = Gate(per_hour=2)
        log: list[LogEntry] = []
        for number, at_ms in enumerate((0, MINUTE, 2 * MINUTE)):
            log += told(gate, event(number), at_ms=at_ms).log(START + at_ms)
        hold = gate.hold_of(7, now_ms=START + 3 * MINUTE)
        assert hold is not None
        after = Gate(per_hour=2)
        after.restore(log, {7: hold})
        for one in (gate, after):
            [ruling] = told(one, event(9), at_ms=3 * MINUTE).rulings
            assert (ruling.reason, ruling.lead, ruling.due_ms) == ("held_budget", event(2).dedupe_key, START + HOUR_MS)

    def test_a_pair_that_flapped_flaps_on(self) -> None:
        log = TestFlapping().turns(*range(6))
        after = Gate()
        after.restore(log, {})
        assert reasons(told(after, event(1), at_ms=6 * SLOT)) == ["held_flapping"]


def test_when_wishes_change_what_waits_gets_its_new_time() -> None:
    wishes = {7: MUTED}
    gate = Gate(lambda chat: wishes[chat])
    told(gate, event(1), at_ms=0)
    wishes[7] = Manners()
    hold = gate.rescheduled(7, now_ms=START + MINUTE)
    assert hold is not None
    assert hold.until_ms == START + MINUTE
    gate.put_hold(7, hold)
    assert gate.hold_of(7, now_ms=START + MINUTE) is None
    assert gate.rescheduled(7, now_ms=START + MINUTE) is None


def test_what_is_over_is_let_go_and_changes_no_ruling() -> None:
    gate = Gate(per_hour=1)
    told(gate, event(1), at_ms=0)
    gate.forget_idle(now_ms=START + MINUTE)
    assert reasons(told(gate, event(2), at_ms=MINUTE)) == ["held_budget"]
    gate.forget_idle(now_ms=START + 5 * HOUR_MS)
    assert reasons(told(gate, event(3), at_ms=5 * HOUR_MS)) == ["told"]


steps = st.lists(
    st.tuples(st.integers(0, 30 * MINUTE), st.sampled_from([Severity.INFO, Severity.WARNING, CRITICAL])), max_size=60
)


@given(steps=steps, budget=st.integers(1, 5), quiet=st.booleans())
def test_no_hour_has_more_messages_than_the_budget_but_for_critical_ones_and_nothing_is_lost(
    steps: list[tuple[int, Severity]], budget: int, quiet: bool
) -> None:
    day = 24 * HOUR_MS

    def quiet_until(time_ms: int) -> int:
        return time_ms - time_ms % day + 6 * HOUR_MS if quiet and time_ms % day < 6 * HOUR_MS else 0

    gate = Gate(lambda _chat: Manners(quiet_until=quiet_until), per_hour=budget)
    at_ms, sent, rulings = 0, {}, []
    for number, (pause_ms, severity) in enumerate(steps):
        at_ms += pause_ms
        [ruling] = told(gate, event(number, severity=severity), at_ms=at_ms).rulings
        rulings.append(ruling)
        if ruling.leads:
            sent[ruling.lead] = ruling.due_ms if ruling.held else START + at_ms
        assert ruling.lead in sent, "whatever joins, joins a message that there is"
        assert START + at_ms <= ruling.due_ms
        assert not ruling.held or quiet_until(ruling.due_ms) == 0, "what was held rings at an hour at which it may"
        assert ruling.held or severity is CRITICAL or ruling.due_ms <= START + at_ms + GROUP_MS
    urgent = {ruling.lead for ruling in rulings if ruling.leads and ruling.event.severity is CRITICAL}
    times = sorted(time_ms for lead, time_ms in sent.items() if lead not in urgent)
    for first, after in zip(times, times[budget:], strict=False):
        assert after - first >= HOUR_MS
