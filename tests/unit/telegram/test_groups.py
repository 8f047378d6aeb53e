"""Several alerts in one message: what its first line says, what is listed, and that it always fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.preferences import Preferences
from bot.alerts.reasons import Reason
from bot.alerts.types import Event, Kind, Market, Severity
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from bot.telegram.groups import MOST_ROWS, Told, Waited, group_message, strongest_first
from bot.telegram.headlines import Contract
from bot.telegram.limits import bare, visible_length
from bot.telegram.texts import Catalogue
from tests.fakes.chat import check_limits
from tests.fakes.desk import NOON_MS, PNG

ENGLISH = Catalogue.load().texts("en")
MINUTE = 60_000


def told(
    base: str = "BTC", *, strength: int = 80, rule: int = 3, kind: Kind = Kind.PROXIMITY, **changes: object
) -> Told:
    event = Event(
        time_ms=NOON_MS,
        kind=kind,
        market=Market("binance", f"{base}USDT"),
        rule_id=rule,
        chat=1,
        track_id="S1",
        episode=1,
        severity=Severity.WARNING,
        price=100.0,
        cluster=Cluster(Side.SHORT, 101.0, 102.0, 101.5, 40e6, 0.1, strength),
        value_pct=0.99,
        threshold_pct=1.0,
        window_ms=4 * 60 * MINUTE,
        reason="near",
        map_ms=NOON_MS - 40_000,
        open_interest="measured",
        proven=True,
    )
    return Told(replace(event, **changes), Contract(base, 0.1))  # type: ignore[arg-type]


def lines(*group: Told, **options: object) -> list[str]:
    message = group_message(group, ENGLISH, **{"sent_ms": NOON_MS + 5_000, **options})  # type: ignore[arg-type]
    check_limits(message)
    return bare(message.text).split("\n")


def test_two_alerts_of_a_market_are_the_stronger_one_and_the_other_under_it() -> None:
    first, _, other, *_ = lines(told(strength=70, rule=4), told(strength=91, kind=Kind.GROWTH, value_pct=34.0))
    assert first == "BTC short cluster at 101.5 grew 34% in 4\xa0hr, to ≈$40M, and 1 more"
    assert other == "BTC 0.99% below a ≈$40M short cluster at 101, rule #4"


def test_many_markets_at_once_are_a_sweep_with_a_row_each() -> None:
    group = [told(base, strength=strength) for base, strength in (("ETH", 70), ("BTC", 90), ("SOL", 80), ("ARB", 60))]
    first, _, *rows = lines(*group)
    assert first == "4 markets at once, strongest: BTC, SOL, ETH"
    assert [row.split() for row in rows[:4]] == [
        [base, "near", "shorts", "101", "0.99%"] for base in ("BTC", "SOL", "ETH", "ARB")
    ]
    message = group_message(group, ENGLISH, sent_ms=NOON_MS)
    assert [button.text for button in message.buttons[0]] == ["Map of BTC", "Map of SOL", "Map of ETH"]
    assert [button.data for button in message.buttons[1]] == ["mu|1", "rn", "y"]


def test_what_was_held_says_since_when_and_why_with_each_one_s_time_and_is_silent() -> None:
    group = [told(base, time_ms=NOON_MS + i * MINUTE) for i, base in enumerate(("BTC", "ETH"))]
    waited = Waited(NOON_MS, Reason.HELD_QUIET)
    message = group_message(group, ENGLISH, sent_ms=NOON_MS + 300 * MINUTE, waited=waited)
    first, cause, zone, _, *rows = bare(message.text).split("\n")
    assert first == "Held since 12:00 UTC: 2 alerts"
    assert cause == "They came in your quiet hours."
    assert zone == "Times in the table are UTC."
    assert [row.split()[0] for row in rows[:2]] == ["12:00", "12:01"]
    assert message.silent


def test_the_table_of_a_chat_that_chose_its_zone_needs_no_name_of_it() -> None:
    group = [told(base, time_ms=NOON_MS) for base in ("BTC", "ETH")]
    texts = ENGLISH.read_by(Preferences(zone="Europe/Istanbul"))
    message = group_message(group, texts, sent_ms=NOON_MS, waited=Waited(NOON_MS, Reason.HELD_QUIET))
    first, _, empty, row, *_ = bare(message.text).split("\n")
    assert (first, empty, row.split()[0]) == ("Held since 15:00: 2 alerts", "", "15:00")


def test_a_group_is_late_by_its_oldest_and_critical_by_any() -> None:
    group = [told("BTC"), told("ETH", severity=Severity.CRITICAL), told("SOL", time_ms=NOON_MS - 5 * MINUTE)]
    assert lines(*group)[0] == "❗ 3 markets at once, strongest: ETH, SOL, BTC · 5\xa0min late"


def test_only_information_makes_no_sound_and_a_repeat_none() -> None:
    quiet = [told(base, severity=Severity.INFO) for base in ("BTC", "ETH", "SOL")]
    assert group_message(quiet, ENGLISH, sent_ms=NOON_MS).silent
    assert not group_message([*quiet, told("ARB")], ENGLISH, sent_ms=NOON_MS).silent
    again = group_message([told("ARB"), *quiet], ENGLISH, sent_ms=NOON_MS, repeat=True)
    assert again.silent
    assert bare(again.text).startswith("Repeat: 4 markets at once")


def test_a_simulated_market_is_called_so() -> None:
    group = [replace(told(base), contract=Contract(base, 0.1, simulated=True)) for base in ("BTC", "ETH", "SOL")]
    first, note, *_ = lines(*group)
    assert first.startswith("SIMULATED 3 markets at once")
    assert note == "A simulated market: none of these figures is real."


def test_the_severe_come_first_then_the_strong_then_the_big_then_the_old() -> None:
    loud, strong = told("A", severity=Severity.CRITICAL, strength=1), told("B", strength=90)
    big, small = told("C", strength=50), told("D", strength=50)
    assert big.event.cluster is not None
    big = replace(big, event=replace(big.event, cluster=replace(big.event.cluster, usd=90e6)))
    whole = told("E", cluster=None, kind=Kind.CASCADE)
    assert strongest_first([whole, small, big, strong, loud]) == [loud, strong, big, small, whole]


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.DIGEST, Kind.EXPIRY}))
def test_every_kind_has_its_row(kind: Kind) -> None:
    of_market = kind in (Kind.CASCADE, Kind.FLIP, Kind.CONCENTRATION)
    group = [told(base, kind=kind) for base in ("BTC", "ETH", "SOL")]
    if of_market:
        group = [replace(one, event=replace(one.event, cluster=None)) for one in group]
    rows = lines(*group)[2:5]
    assert [row.split()[0] for row in rows] == ["BTC", "ETH", "SOL"]


def test_beyond_what_a_phone_shows_the_strongest_are_listed_and_the_rest_counted() -> None:
    group = [told(f"C{number}", strength=number) for number in range(1, 55)]
    text = lines(*group)
    assert text[2].split()[0] == "C54"
    assert "and 34 more" in text
    assert sum(line.startswith("C") for line in text) == MOST_ROWS


bases = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)


@given(
    group=st.lists(st.tuples(bases, st.integers(1, 100), st.booleans()), min_size=2, max_size=120),
    photo=st.booleans(),
    held=st.booleans(),
)
def test_any_group_fits_tells_how_many_there_are_and_is_never_empty(
    group: list[tuple[str, int, bool]], photo: bool, held: bool
) -> None:
    told_of = [told(base, strength=strength) for base, strength, _ in group]
    waited = Waited(NOON_MS, Reason.HELD_BUDGET) if held else None
    picture = PNG if photo else None
    message = group_message(told_of, ENGLISH, sent_ms=NOON_MS, waited=waited, photo=picture, photo_name="p")
    check_limits(message)
    assert visible_length(message.text) <= (1024 if photo else 4096)
    if held:
        assert f"{len(group)} alert" in bare(message.text)
