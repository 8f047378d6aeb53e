"""What came of an alert: each row of the tables is one way that price can go after it."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.following import Following
from bot.alerts.hit_rate import Against, HitRate, hit_rate
from bot.alerts.outcomes import HORIZON_H, Ending, Outcome, follow, followed_of, printed_usd
from bot.alerts.types import CloseReason, Event, Kind, Severity, Unit
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Cluster, MapLimit
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, ETH, HOUR, MINUTE, SLOT, START, long, short

UNTIL = START + 4 * HOUR
SHORTS, LONGS = short(102.0, 104.0), long(96.0, 98.0)


def alert(
    cluster: Cluster | None = SHORTS, *, kind: Kind = Kind.PROXIMITY, price: float = 100.0, rule: int = 1
) -> Event:
    return Event(
        time_ms=START,
        kind=kind,
        market=BTC,
        rule_id=rule,
        chat=7,
        track_id="S1",
        episode=1,
        severity=Severity.INFO,
        price=price,
        cluster=cluster,
        value_pct=2.0,
        threshold_pct=2.0,
        window_ms=0,
        reason="",
        map_ms=START,
        open_interest="measured",
        touch=((1, 0.2), (4, 0.4), (24, 0.8)),
        proven=True,
    )


def followed(event: Event) -> Outcome:
    outcome = follow(event)
    assert outcome is not None
    return outcome


class Scene:
    """One market, and what is followed in it; `due` stores what it finds, as a caller would."""

    def __init__(self, *events: Event) -> None:
        self.following = Following()
        self.known: dict[str, Outcome] = {}
        self.keep([followed(event) for event in events])

    def keep(self, outcomes: list[Outcome] | tuple[Outcome, ...]) -> None:
        self.following.apply(outcomes)
        self.known.update((one.alert, one) for one in outcomes)

    def due(self, time_ms: int, closed: CloseReason | None = None) -> list[Outcome]:
        """The receipts of this recompute."""
        found = self.following.due(BTC, {} if closed is None else {"S1": closed}, time_ms=time_ms)
        self.keep(found)
        return [one for one in found if one.ended_ms == time_ms]

    def after(self, *prices: float, closed: CloseReason | None = None, time_ms: int = START + HOUR) -> list[Outcome]:
        """Prices a minute apart, then a recompute."""
        for minute, price in enumerate(prices, start=1):
            self.following.see(BTC, price, START + minute * MINUTE)
        return self.due(time_ms, closed)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in HORIZON_H])
def test_what_tells_of_nothing_still_to_come_is_not_followed(kind: Kind) -> None:
    assert follow(alert(kind=kind)) is None
    assert follow(alert(None, kind=Kind.PROXIMITY)) is None


def test_the_chance_is_that_of_the_horizon() -> None:
    assert (followed(alert()).chance, followed(alert()).until_ms) == (0.4, UNTIL)
    grown = followed(alert(kind=Kind.GROWTH))
    assert (grown.chance, grown.until_ms) == (0.8, START + 24 * HOUR)


def test_a_zone_that_price_is_in_already_is_no_hit_and_no_miss() -> None:
    inside = followed(alert(price=103.0))
    assert (inside.chance, inside.touched_ms) == (None, START)
    assert hit_rate([inside]) == HitRate(alerts=1, inside=1)


@pytest.mark.parametrize(
    ("cluster", "prices", "closed", "time_ms", "ending", "touched", "reach"),
    [
        # Through the zone as told: swept, whatever the tracks say.
        (SHORTS, (101.0, 104.5, 103.0), None, START + HOUR, Ending.SWEPT, 2, 104.5),
        (LONGS, (99.0, 95.5, 97.0), None, START + HOUR, Ending.SWEPT, 2, 95.5),
        # Touched, and the body of now (which has grown narrower) swept.
        (SHORTS, (101.0, 102.5), CloseReason.SWEPT, START + HOUR, Ending.SWEPT, 2, 102.5),
        # Touched, nothing more: the horizon ends it.
        (SHORTS, (102.0, 101.0), None, UNTIL, Ending.EXPIRED, 1, 102.0),
        # Never touched.
        (SHORTS, (101.0, 101.9, 99.0), None, UNTIL, Ending.EXPIRED, 0, 101.9),
        (LONGS, (99.0, 98.1, 101.0), None, UNTIL, Ending.EXPIRED, 0, 98.1),
        # Price went the other way: as near as at the alert.
        (SHORTS, (99.0, 98.0), None, UNTIL, Ending.EXPIRED, 0, 100.0),
        # The zone dissolved, before and after a touch.
        (SHORTS, (101.0,), CloseReason.FADED, START + HOUR, Ending.FADED, 0, 101.0),
        (SHORTS, (103.0,), CloseReason.FADED, START + HOUR, Ending.FADED, 1, 103.0),
    ],
)
def test_each_way_to_an_end(
    cluster: Cluster,
    prices: tuple[float, ...],
    closed: CloseReason | None,
    time_ms: int,
    ending: Ending,
    touched: int,
    reach: float,
) -> None:
    [receipt] = Scene(alert(cluster)).after(*prices, closed=closed, time_ms=time_ms)
    assert (receipt.ending, receipt.ended_ms, receipt.reach) == (ending, time_ms, reach)
    assert receipt.touched_ms == (START + touched * MINUTE if touched else 0)
    assert (receipt.short_of_pct <= 0) == bool(touched)


@pytest.mark.parametrize("closed", [None, CloseReason.MERGED, CloseReason.SWEPT])
def test_what_stands_merges_or_is_swept_elsewhere_is_followed_on(closed: CloseReason | None) -> None:
    scene = Scene(alert())
    assert scene.after(101.0, closed=closed) == []
    assert scene.following.follows(BTC)


def test_a_zone_that_faded_gets_its_receipt_at_once_and_its_verdict_at_the_horizon() -> None:
    scene = Scene(alert())
    [receipt] = scene.after(101.0, closed=CloseReason.FADED)
    assert not receipt.settled_ms
    assert hit_rate(scene.known.values()).open == 1
    scene.following.see(BTC, 103.0, START + 2 * HOUR)
    assert scene.due(START + 2 * HOUR + SLOT) == []
    assert hit_rate(scene.known.values()).touched == 1
    assert not scene.following.follows(BTC)


def test_what_comes_after_the_time_is_up_does_not_count() -> None:
    scene = Scene(alert())
    scene.following.see(BTC, 101.0, UNTIL)
    scene.following.see(BTC, 105.0, UNTIL + 1)
    [receipt] = scene.due(UNTIL + SLOT)
    assert (receipt.ending, receipt.touched_ms, receipt.reach) == (Ending.EXPIRED, 0, 101.0)
    rate = hit_rate(scene.known.values())
    assert (rate.known, rate.touched, rate.expected) == (1, 0, 0.4)


def test_what_was_not_stored_is_found_again() -> None:
    scene = Scene(alert())
    scene.following.see(BTC, 104.5, START + MINUTE)
    first = scene.following.due(BTC, {}, time_ms=START + SLOT)
    assert scene.following.due(BTC, {}, time_ms=START + SLOT) == first != ()
    scene.following.apply(first)
    assert scene.following.due(BTC, {}, time_ms=START + 2 * SLOT) == ()


def test_a_price_before_an_alert_does_not_count_for_it() -> None:
    scene = Scene()
    scene.keep([followed(alert(rule=1))])
    scene.following.see(BTC, 101.5, START + MINUTE)
    later = replace(followed(alert(rule=2)), time_ms=START + 2 * MINUTE, price=99.0, reach=99.0)
    scene.keep([later])
    scene.following.see(BTC, 100.5, START + 3 * MINUTE)
    reaches = {receipt.rule_id: receipt.reach for receipt in scene.due(UNTIL + HOUR)}
    assert reaches == {1: 101.5, 2: 100.5}


def test_after_a_restart_the_bars_tell_what_no_price_showed() -> None:
    stored = followed(alert())
    after = Following([stored])
    opens = START + SLOT * np.arange(-1, 50)
    low, high = np.full(51, 99.0), np.full(51, 101.0)
    high[0] = 110.0  # before the alert
    high[5] = 102.5
    high[50] = 110.0  # after its horizon
    after.catch_up(BTC, opens, low, high, bar_ms=SLOT)
    [touched] = after.due(BTC, {}, time_ms=START + 6 * SLOT)
    assert (touched.touched_ms, touched.reach, touched.ending) == (START + 5 * SLOT, 102.5, None)
    after.apply([touched])
    after.see(BTC, 104.0, START + HOUR)
    [swept] = after.due(BTC, {}, time_ms=START + HOUR + SLOT)
    assert swept.ending is Ending.SWEPT


@given(
    st.lists(st.floats(95.0, 105.0), min_size=1, max_size=40),
    st.integers(0, 39),
    st.floats(100.5, 104.0),
    st.floats(0.1, 3.0),
)
def test_following_finds_what_the_whole_path_says(prices: list[float], begin: int, near: float, width: float) -> None:
    """Whatever else is followed and asked for meanwhile."""
    begin = min(begin, len(prices) - 1)
    scene = Scene(alert(short(101.0, 103.0), rule=1))
    mine = replace(
        followed(alert(short(near, near + width), price=99.5, rule=2)), time_ms=START + begin * MINUTE, reach=99.5
    )
    for minute, price in enumerate(prices):
        if minute == begin:
            scene.keep([mine])
        scene.following.see(BTC, price, START + minute * MINUTE + 1)
        if minute % 7 == 0:
            scene.due(START + minute * MINUTE + 2)
    scene.due(UNTIL + HOUR)
    found, seen = scene.known[mine.alert], prices[begin:]
    upto = next((i for i, price in enumerate(seen) if price >= near + width), len(seen) - 1)
    touched = next((i for i, price in enumerate(seen) if price >= near), None)
    assert found.touched_ms == (0 if touched is None else START + (begin + touched) * MINUTE + 1)
    assert found.reach >= max(99.5, *seen[: upto + 1])
    assert (found.ending is Ending.SWEPT) == (max(seen) >= near + width)


@given(
    st.lists(st.floats(97.8, 102.2), min_size=1, max_size=30),
    st.integers(1, 5),
    st.lists(st.floats(101.5, 103.0), max_size=4),
    st.integers(0, 30),
)
def test_a_path_seen_whole_says_what_its_prices_do_and_nothing_is_due_before_what_is_awaited(
    prices: list[float], step: int, nears: list[float], lasts_minutes: int
) -> None:
    events = [alert(short(near, near + 1.0), rule=rule) for rule, near in enumerate(nears)]
    known = []
    for at_once in (False, True):
        scene = Scene(*events, alert(LONGS, rule=9))
        scene.keep([replace(followed(alert(rule=10)), until_ms=START + lasts_minutes * MINUTE)])
        for number, at in enumerate(range(0, len(prices), step)):
            path = prices[at : at + step]
            times = [START + minute * MINUTE for minute in range(at + 1, at + 1 + len(path))]
            below, above, until_ms = scene.following.awaited(BTC)
            quiet = below < min(path) and max(path) < above and times[-1] < until_ms
            if at_once:
                scene.following.see_path(BTC, path, times)
            for price, time_ms in () if at_once else zip(path, times, strict=True):
                scene.following.see(BTC, price, time_ms)
            if quiet or number % 2:
                changed = scene.following.due(BTC, {}, time_ms=times[-1])
                assert not (quiet and changed)
                scene.keep(changed)
        scene.due(UNTIL + HOUR)
        known.append(scene.known)
    assert known[0] == known[1]


def test_work_is_what_is_decided_however_many_wait() -> None:
    """A thousand levels wait; a price that reaches one asks after one."""
    scene = Scene(*(alert(short(102.0 + i / 100, 103.0 + i / 100), rule=i) for i in range(1000)))
    scene.following.see(BTC, 102.005, START + MINUTE)
    assert len(scene.following.due(BTC, {}, time_ms=START + SLOT)) == 1


def prints(*rows: tuple[int, bool, float, float]) -> LiquidationPrints:
    time_ms, is_long, price, usd = (np.array(column) for column in zip(*rows, strict=True))
    return LiquidationPrints(time_ms.astype(np.int64), is_long.astype(np.bool_), price, usd)


def test_realised_liquidations_are_those_of_the_side_the_zone_and_the_time() -> None:
    receipt = replace(followed(alert()), ended_ms=START + HOUR)
    feed = prints(
        (START - 1, False, 103.0, 1.0),
        (START + 1, False, 103.0, 10.0),
        (START + 2, True, 103.0, 100.0),
        (START + 3, False, 101.0, 1_000.0),
        (START + 4, False, 104.05, 10_000.0),
        (START + HOUR, False, 103.0, 100_000.0),
    )
    assert printed_usd(receipt, feed, [(START - HOUR, START + 2 * HOUR)]) == 10_010.0
    assert printed_usd(receipt, feed, [(START, START + 58 * MINUTE)]) == 10_010.0
    assert printed_usd(receipt, feed, [(START, START + 50 * MINUTE)]) is None
    assert printed_usd(receipt, feed, []) is None


@pytest.mark.parametrize(
    ("touched", "against"),
    [(4, Against.BELOW), (12, Against.LIKE), (16, Against.LIKE), (20, Against.ABOVE)],
)
def test_a_hit_rate_is_held_against_chance_and_bad_ones_are_called_so(touched: int, against: Against) -> None:
    sample = replace(followed(alert()), settled_ms=UNTIL)
    hits = [replace(sample, touched_ms=START + 1)] * touched
    rate = hit_rate([*hits, *[sample] * (30 - touched)])
    assert rate.rate == pytest.approx(touched / 30)
    assert rate.chance == pytest.approx(0.4)
    assert rate.against is against
    assert hit_rate(hits[:5]).against is Against.TOO_FEW
    assert math.isclose((rate + rate).expected, 24.0)


@pytest.mark.parametrize("name", Event.__struct_fields__)
def test_alerts_alike_in_what_is_followed_have_one_outcome_but_for_whose_it_is(name: str) -> None:
    event = alert()
    others: dict[str, Any] = {
        "kind": Kind.GROWTH,
        "market": ETH,
        "severity": Severity.CRITICAL,
        "cluster": LONGS,
        "touch": ((4, 0.5),),
        "open_interest": "estimated",
        "proven": False,
        "side": LONGS.side,
        "unit": Unit.ATR,
        "limits": (MapLimit.GAPS,),
        "figures": (("level", 1.0),),
    }
    value = getattr(event, name)
    otherwise = value + 1 if isinstance(value, int | float) else f"{value}!"
    other = replace(event, **{name: others.get(name, otherwise)})
    assert other != event
    if followed_of(other) == followed_of(event):
        one, first = (replace(followed(each), alert="", chat=0, rule_id=0) for each in (other, event))
        assert one == first
