"""What an alert says: first what happened, then the figures, and never more than is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.types import EVERYWHERE, Event, Kind, Severity
from bot.delivery.messenger import Message
from bot.liquidation.types import Cluster, MapLimit, Side
from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, alert_message, headline, sample_event
from bot.telegram.limits import bare, plain
from bot.telegram.texts import Catalogue, Html
from tests.fakes.chat import check_limits
from tests.fakes.desk import NOON_MS, PNG, believable_markets, market

ENGLISH = Catalogue.load().texts("en")
BTC = Contract("BTC", 0.1)
HOUR_MS = 3_600_000

SHORTS = Cluster(Side.SHORT, 97_430.0, 97_910.0, 97_670.0, 42.3e6, 0.053, 83)
LONGS = Cluster(Side.LONG, 94_680.0, 95_070.0, 94_900.0, 31.2e6, 0.041, 74)

NEAR = Event(
    time_ms=NOON_MS,
    kind=Kind.PROXIMITY,
    market=market("BTCUSDT"),
    rule_id=3,
    chat=7,
    track_id="s1",
    episode=1,
    severity=Severity.WARNING,
    price=96_620.5,
    cluster=SHORTS,
    value_pct=0.834,
    threshold_pct=1.0,
    window_ms=0,
    reason="near",
    map_ms=NOON_MS - 40_000,
    open_interest="measured",
    touch=((1, 0.34), (4, 0.61), (24, 0.88)),
    proven=True,
)
GREW = replace(NEAR, kind=Kind.GROWTH, value_pct=34.2, threshold_pct=30.0, window_ms=4 * HOUR_MS)


def shown(event: Event, contract: Contract = BTC, *, late_ms: int = 2_000, repeat: bool = False) -> Message:
    message = alert_message(event, contract, texts=ENGLISH, sent_ms=event.time_ms + late_ms, repeat=repeat)
    check_limits(message)
    return message


def first_line(event: Event, contract: Contract = BTC, *, late_ms: int = 2_000, repeat: bool = False) -> str:
    return bare(shown(event, contract, late_ms=late_ms, repeat=repeat).text).split("\n")[0]


def test_a_digest_keeps_what_it_sums_up() -> None:
    digest = replace(NEAR, kind=Kind.DIGEST, market=EVERYWHERE, cluster=None, window_ms=24 * HOUR_MS)
    lines = [Html("All: 3 alerts."), Html("Growth: 1 alert.")]
    message = alert_message(digest, Contract("", 1.0), texts=ENGLISH, sent_ms=NOON_MS, below=lines)
    assert bare(message.text).split("\n") == [
        "Your digest of the last 24\xa0hr",
        "",
        "All: 3 alerts.",
        "Growth: 1 alert.",
    ]


def test_the_end_of_a_digest_names_all_markets() -> None:
    ends = replace(NEAR, kind=Kind.EXPIRY, market=EVERYWHERE, cluster=None)
    assert first_line(ends, Contract("", 1.0)) == "Rule #3 (all your markets) has ended"


def test_a_proximity_alert_reads_whole() -> None:
    assert bare(shown(NEAR).text).split("\n") == [
        "BTC 0.83% below a ≈$42.3M short cluster at 97,430",
        "",
        "Price 96,620.5 (BTCUSDT)",
        "Cluster 97,430–97,910, densest at 97,670",
        "Open there: ≈$42.3M, 5.3% of all shorts, strength 83/100",
        "Odds of a touch: 34% in 1\xa0hr, 61% in 4\xa0hr, 88% in 24\xa0hr",
        "Rule #3: within 1%",
        "Estimate from Binance data, 42\xa0sec old.",
    ]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        # longs lie below price, so price is above them
        (replace(NEAR, cluster=LONGS, value_pct=1.62), "BTC 1.6% above a ≈$31.2M long cluster at 95,070"),
        # price within the body
        (replace(NEAR, price=97_500.0, value_pct=0.0), "BTC has entered a ≈$42.3M short cluster at 97,430–97,910"),
        # price beyond the far edge of shorts, and of longs
        (replace(NEAR, price=98_000.0, value_pct=0.1), "BTC has passed a ≈$42.3M short cluster at 97,430–97,910"),
        (
            replace(NEAR, cluster=LONGS, price=94_600.0, value_pct=0.1),
            "BTC has passed a ≈$31.2M long cluster at 94,680–95,070",
        ),
        (GREW, "BTC short cluster at 97,670 grew 34% in 4\xa0hr, to ≈$42.3M"),
        (replace(GREW, kind=Kind.NEW_CLUSTER), "BTC: new ≈$42.3M short cluster at 97,670"),
        # no dollars where open interest is not measured
        (replace(NEAR, open_interest="estimated"), "BTC 0.83% below a short cluster at 97,430 (strength 83)"),
        # nor where the map was not shown to be worth anything
        (replace(NEAR, proven=False), "BTC 0.83% below a short cluster at 97,430 (strength 83)"),
        (replace(NEAR, severity=Severity.CRITICAL), "❗ BTC 0.83% below a ≈$42.3M short cluster at 97,430"),
    ],
)
def test_the_first_line_says_it_all(event: Event, line: str) -> None:
    assert first_line(event) == line


def test_the_first_line_fits_a_lock_screen() -> None:
    assert len(first_line(NEAR)) <= 60


def test_a_late_alert_says_by_how_much_in_its_first_line() -> None:
    assert first_line(NEAR, late_ms=60_000).endswith("short cluster at 97,430")
    assert first_line(NEAR, late_ms=121_000).endswith("short cluster at 97,430 · 2\xa0min late")


def test_a_repeat_is_marked_and_silent() -> None:
    message = shown(NEAR, repeat=True)
    assert bare(message.text).startswith("Repeat: BTC 0.83% below")
    assert "the first delivery was not confirmed" in message.text
    assert message.silent
    assert not shown(NEAR).silent


def test_an_alert_of_mere_information_is_silent() -> None:
    assert shown(replace(NEAR, severity=Severity.INFO)).silent


def test_a_simulated_market_is_named_first_and_again() -> None:
    message = shown(NEAR, replace(BTC, simulated=True))
    assert bare(message.text).startswith("SIMULATED BTC 0.83% below")
    assert "none of these figures is real" in message.text


def test_a_volume_model_claims_no_dollars_anywhere() -> None:
    estimated = replace(
        NEAR,
        open_interest="estimated",
        limits=(MapLimit.VOLUME_MODEL, MapLimit.GAPS),
        cluster=replace(SHORTS, expected_usd=1e6),
    )
    text = bare(shown(estimated).text)
    assert "$" not in text
    assert "Open there: 5.3% of all shorts, strength 83/100" in text
    assert "Volume model: this contract publishes no open interest. Bars are missing in its history." in text


def test_where_nothing_is_proven_the_strength_says_so_and_no_dollars_are_named() -> None:
    unproven = replace(NEAR, proven=False, cluster=replace(SHORTS, expected_usd=1e6, expected_high_usd=2.6e6))
    for event in (unproven, replace(unproven, kind=Kind.GROWTH, value_pct=34.2)):
        text = bare(shown(event).text)
        assert "$" not in text
        assert "sweep" not in text
        assert "Open there: 5.3% of all shorts, strength 83/100 (not proven here)" in text
    assert "not proven" not in shown(NEAR).text


def test_expected_liquidations_are_told_only_where_they_are_known() -> None:
    known = replace(NEAR, cluster=replace(SHORTS, expected_usd=1.2e6, expected_high_usd=3.4e6))
    assert "Expected to be liquidated in a sweep: ≈$1.2M, up to $3.4M" in shown(known).text
    assert "sweep" not in shown(NEAR).text


def test_odds_are_left_out_inside_the_cluster() -> None:
    assert "Odds" not in shown(replace(NEAR, price=97_500.0, value_pct=0.0)).text


def test_a_growth_alert_names_its_rule() -> None:
    assert "Rule #3: grows 30% in 4\xa0hr" in shown(GREW).text


def test_an_alert_has_the_keys_a_trader_wants_next() -> None:
    buttons = [button for row in shown(NEAR).buttons for button in row]
    assert [(button.text, button.data, button.copy) for button in buttons] == [
        ("Snooze 1 hr", "z|3", None),
        ("8 hr", "z|3|8", None),
        ("Rule #3", "pf|3", None),
        ("Refresh", "a", None),
        ("Map", "m|binance:BTCUSDT", None),
        ("Why?", "y", None),
        ("Copy 97,430", None, "97430.0"),
    ]


def test_the_copied_level_is_the_edge_that_price_meets_first() -> None:
    assert shown(replace(NEAR, cluster=LONGS)).buttons[2][0].copy == "95070.0"


def test_a_sample_says_so_and_has_no_rule_to_quiet() -> None:
    view = believable_markets()["ETHUSDT"]
    event = sample_event(view, view.clusters[0], now_ms=NOON_MS)
    message = alert_message(event, Contract("ETH", 0.01), texts=ENGLISH, sent_ms=NOON_MS, sample=True)
    assert bare(message.text).startswith("Sample: ETH ")
    assert "Rule #" not in message.text
    assert [button.text for row in message.buttons for button in row] == ["Map", "Copy 3,322"]


def test_the_plain_variant_has_the_same_words() -> None:
    message = shown(NEAR)
    assert bare(plain(message).text) == bare(message.text)
    assert "<" not in plain(message).text


def test_rules_that_tell_of_one_thing_at_once_differ_in_their_own_line_alone() -> None:
    mine, theirs = (
        bare(shown(event).text).split("\n")
        for event in (NEAR, replace(NEAR, rule_id=88, label="desk", threshold_pct=2.0))
    )
    assert [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b] == [
        ("Rule #3: within 1%", "Rule #88 “desk”: within 2%")
    ]


def test_windows_of_growth_are_told_each_by_its_own_length() -> None:
    assert "4\xa0hr" in first_line(GREW)
    assert "1\xa0hr" in first_line(replace(GREW, window_ms=HOUR_MS))


def test_the_headline_stands_alone_for_a_line_of_json() -> None:
    assert bare(headline(NEAR, BTC, ENGLISH, sent_ms=NOON_MS)) == "BTC 0.83% below a ≈$42.3M short cluster at 97,430"


@given(
    kind=st.sampled_from(Kind),
    side=st.sampled_from(Side),
    price=st.floats(1e-8, 1e6),
    spread=st.floats(1e-6, 0.2),
    usd=st.floats(0, 1e12),
    value=st.floats(0, 1e4),
    base=st.text(min_size=1, max_size=30),
    source=st.sampled_from(["measured", "estimated"]),
    late_ms=st.integers(-5_000, 10**9),
    pictured=st.booleans(),
)
def test_any_event_becomes_a_message_within_the_limits(
    kind: Kind,
    side: Side,
    price: float,
    spread: float,
    usd: float,
    value: float,
    base: str,
    source: str,
    late_ms: int,
    pictured: bool,
) -> None:
    low = price * (1 + spread if side is Side.SHORT else 1 - spread)
    cluster = Cluster(side, low, low * 1.01, low * 1.005, usd, 0.1, 50)
    event = replace(NEAR, kind=kind, price=price, cluster=cluster, value_pct=value)
    event = replace(event, open_interest="measured" if source == "measured" else "estimated")
    message = alert_message(
        event,
        Contract(base, 1e-8),
        texts=ENGLISH,
        sent_ms=event.time_ms + late_ms,
        photo=PNG if pictured else None,
    )
    check_limits(message)
