"""Why a rule says nothing: each reason from the judge as it stands, in the order in which they would have to go."""

import pytest

from bot.alerts.reasons import Reason
from bot.alerts.silence import Silence
from bot.alerts.types import ANYWHERE, Rule, Where
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, Bench, grows, long, near, reading, short

SHORTS = short(104.0, 106.0)
WEAK = long(98.0, 99.0, strength=48)
SMALL = long(98.0, 99.0, usd=1e6)


def silent(
    rule: Rule, clusters: list[Cluster] | None = None, *, price: float = 100.0, after_ms: int = 2_000
) -> tuple[Silence, ...]:
    """A market mapped and priced once, and the rule made before."""
    bench = Bench(rule)
    bench.map(reading(START, [SHORTS, WEAK] if clusters is None else clusters))
    bench.tick(START + 2_000, price)
    return bench.engine.why_silent(rule, now_ms=START + after_ms, max_age_ms=5 * MINUTE)


@pytest.mark.parametrize(
    ("rule", "clusters", "reasons"),
    [
        # Nothing is near enough; the nearer cluster would be, were it stronger.
        (near(2.0), None, [Reason.TOO_FAR, Reason.TOO_WEAK]),
        # A cluster that is too weak and too far as well is no reason.
        (near(0.5), None, [Reason.TOO_FAR]),
        # The rule takes that weak: then there is nothing else to say.
        (replace(near(0.5), min_strength=40), None, [Reason.TOO_FAR]),
        (replace(near(2.0), min_usd=10e6), [SHORTS, SMALL], [Reason.TOO_FAR, Reason.TOO_SMALL]),
        (near(2.0, side=Side.SHORT), None, [Reason.TOO_FAR, Reason.OTHER_SIDE]),
        (near(2.0, side=Side.LONG), None, [Reason.NO_CLUSTER, Reason.TOO_WEAK]),
        (near(2.0), [], [Reason.NO_CLUSTER]),
        (replace(near(2.0), where=Where(price_low=103.0), min_strength=1), None, [Reason.TOO_FAR, Reason.OUT_OF_PLACE]),
        (replace(near(5.0), where=Where(confluence=True)), [SHORTS], [Reason.NO_CLUSTER, Reason.NO_CONFLUENCE]),
        # What stops the rule itself comes first.
        (replace(near(0.5), snoozed_until_ms=START + HOUR), None, [Reason.SNOOZED, Reason.TOO_FAR]),
        (replace(near(0.5), paused_reason="breaker"), None, [Reason.PAUSED, Reason.TOO_FAR]),
        (replace(near(0.5), expires_ms=START), None, [Reason.ENDED, Reason.TOO_FAR]),
        (grows(30.0), [SHORTS], [Reason.NO_CLUSTER]),
    ],
)
def test_each_reason_has_its_name(rule: Rule, clusters: list[Cluster] | None, reasons: list[Reason]) -> None:
    assert [silence.reason for silence in silent(rule, clusters)] == reasons


def test_a_price_that_is_minutes_old_is_said_before_what_it_says() -> None:
    stale, far = silent(near(0.5), after_ms=6 * MINUTE)
    assert (stale.reason, stale.since_ms, far.reason) == (Reason.STALE, START + 2_000, Reason.TOO_FAR)


def test_without_a_map_there_is_nothing_to_judge_by() -> None:
    bench = Bench(near(1.0))
    [silence] = bench.engine.why_silent(near(1.0), now_ms=START, max_age_ms=MINUTE)
    assert silence.reason is Reason.NO_MAP


def test_growth_names_what_grew_most_and_by_how_much() -> None:
    rule = grows(30.0, HOUR)
    bench = Bench(rule)
    for slot in range(13):
        bench.map(reading(START + slot * SLOT, [short(104.0, 106.0, usd=50e6 * (1 + slot / 60))]))
    [silence] = bench.engine.why_silent(rule, now_ms=START + 12 * SLOT, max_age_ms=5 * MINUTE)
    assert (silence.reason, silence.asked) == (Reason.GREW_TOO_LITTLE, 30.0)
    assert silence.measured == pytest.approx(20.0)


def test_numbers_are_in_the_reason_s_own_unit() -> None:
    far, weak = silent(near(2.0))
    assert far.measured == pytest.approx(3.922, abs=1e-3)
    assert (weak.measured, weak.asked, weak.cluster) == (48.0, 60.0, WEAK)
    _, small = silent(replace(near(2.0), min_usd=10e6), [SHORTS, SMALL])
    assert (small.measured, small.asked) == (1e6, 10e6)


def test_asking_changes_nothing() -> None:
    rule = near(1.0)
    bench = Bench(rule)
    bench.map(reading(START, [SHORTS, WEAK]))
    bench.tick(START + 2_000, 100.0)
    before = dict(bench.store.states)
    bench.engine.why_silent(rule, now_ms=START + 4_000, max_age_ms=MINUTE)
    assert bench.store.states == before
    assert len(bench.tick(START + 4_000, 103.5).events) == 1
    assert (rule.market, rule.where) == (BTC, ANYWHERE)
