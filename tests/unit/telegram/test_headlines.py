"""The first line of every kind, as a lock screen shows it, and what stands under it."""

import pytest

from bot.alerts.exposure import APPROACH, CROWD
from bot.alerts.types import EVERYWHERE, Event, Kind, Severity, Unit
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, alert_message
from bot.telegram.limits import bare
from tests.fakes.chat import check_limits
from tests.fakes.desk import NOON_MS
from tests.unit.telegram.test_alerts_text import BTC, ENGLISH, HOUR_MS, LONGS, NEAR

QUARTER_MS = 15 * 60_000
MARKET = replace(NEAR, cluster=None, touch=(), track_id="m")
OWN = replace(MARKET, kind=Kind.EXPOSURE, track_id=APPROACH, threshold_pct=3.0)

# An event, and the first line and the rule's line that it gives.
LINES = [
    # nearness in ranges and odds reads as nearness; the rule says what was asked
    (
        replace(NEAR, unit=Unit.ATR, threshold_pct=1.5),
        "BTC 0.83% below a ≈$42.3M short cluster at 97,430",
        "Rule #3: within 1.5 ATR",
    ),
    (
        replace(NEAR, unit=Unit.ODDS, threshold_pct=60.0, window_ms=4 * HOUR_MS, label="into <news>"),
        "BTC 0.83% below a ≈$42.3M short cluster at 97,430",
        "Rule #3 “into <news>”: 60% odds in 4\xa0hr",
    ),
    (
        replace(NEAR, kind=Kind.NEW_CLUSTER, threshold_pct=0.0),
        "BTC: new ≈$42.3M short cluster at 97,670",
        "Rule #3: new cluster",
    ),
    # a sweep, with what was printed there where that is heard
    (
        replace(NEAR, kind=Kind.SWEPT, price=97_950.0),
        "BTC swept a ≈$42.3M short cluster at 97,430–97,910",
        "Rule #3: swept",
    ),
    (
        replace(NEAR, kind=Kind.SWEPT, price=97_950.0, figures=(("realised_usd", 3.1e6),)),
        "BTC swept a ≈$42.3M short cluster at 97,430–97,910, $3.1M liquidated",
        "Rule #3: swept",
    ),
    # what follows, both ways
    (
        replace(NEAR, kind=Kind.BREAKOUT, price=98_100.0, window_ms=QUARTER_MS),
        "BTC holds above 97,910 for 15\xa0min, over a swept ≈$42.3M short cluster",
        "Rule #3: breakout, 15\xa0min",
    ),
    (
        replace(NEAR, kind=Kind.BREAKOUT, cluster=LONGS, price=94_000.0, window_ms=QUARTER_MS),
        "BTC holds below 94,680 for 15\xa0min, under a swept ≈$31.2M long cluster",
        "Rule #3: breakout, 15\xa0min",
    ),
    (
        replace(NEAR, kind=Kind.STOP_HUNT, window_ms=HOUR_MS, figures=(("after_ms", 25 * 60_000.0),)),
        "BTC swept a ≈$42.3M short cluster and is back below 97,430 after 25\xa0min",
        "Rule #3: stop hunt, 1\xa0hr",
    ),
    (
        replace(NEAR, kind=Kind.STOP_HUNT, cluster=LONGS, window_ms=HOUR_MS, figures=(("after_ms", 300_000.0),)),
        "BTC swept a ≈$31.2M long cluster and is back above 95,070 after 5\xa0min",
        "Rule #3: stop hunt, 1\xa0hr",
    ),
    # a liquidation price of one's own
    (
        replace(OWN, side=Side.SHORT, value_pct=2.6, figures=(("level", 97_500.0),)),
        "BTC 2.6% below your short's liquidation price 97,500",
        "Rule #3: 97,500: within 3%, or crowded",
    ),
    (
        replace(OWN, side=Side.LONG, value_pct=0.0, figures=(("level", 96_700.0),)),
        "BTC has reached your long's liquidation price 96,700",
        "Rule #3: 96,700: within 3%, or crowded",
    ),
    (
        replace(OWN, track_id=CROWD, side=Side.LONG, value_pct=83.0, figures=(("level", 92_500.0), ("crowding", 83.0))),
        "BTC: it has become crowded at your long's liquidation price 92,500",
        "Rule #3: 92,500: within 3%, or crowded",
    ),
    # the market as a whole
    (
        replace(
            MARKET,
            kind=Kind.CASCADE,
            severity=Severity.CRITICAL,
            threshold_pct=99.0,
            side=Side.LONG,
            figures=(("minute_usd", 3.2e6), ("usual_usd", 410e3)),
        ),
        "❗ BTC: $3.2M of longs liquidated in a minute (rarely over $410K)",
        "Rule #3: cascade 99%",
    ),
    (
        replace(MARKET, kind=Kind.FLIP, threshold_pct=10.0, value_pct=58.2, side=Side.SHORT),
        "BTC: shorts are heavier now, 58% of all within 5%",
        "Rule #3: flip 10%",
    ),
    (
        replace(MARKET, kind=Kind.CONCENTRATION, threshold_pct=99.0, figures=(("deviation", -3.1),)),
        "BTC: positions are unusually concentrated",
        "Rule #3: concentration 99%",
    ),
    (
        replace(MARKET, kind=Kind.CONCENTRATION, threshold_pct=99.0, figures=(("deviation", 2.8),)),
        "BTC: positions are unusually spread out",
        "Rule #3: concentration 99%",
    ),
]


@pytest.mark.parametrize(("event", "head", "rule"), LINES)
def test_every_kind_says_what_happened_and_which_rule_asked(event: Event, head: str, rule: str) -> None:
    message = alert_message(event, BTC, texts=ENGLISH, sent_ms=event.time_ms)
    check_limits(message)
    lines = bare(message.text).split("\n")
    assert lines[0] == head
    assert rule in lines
    assert len(lines[0]) <= 90, "a lock screen shows no more"
    assert message.silent is (event.severity is Severity.INFO)


def test_a_swept_cluster_is_shown_as_it_was_and_without_odds() -> None:
    text = bare(alert_message(replace(NEAR, kind=Kind.SWEPT), BTC, texts=ENGLISH, sent_ms=NOON_MS).text)
    assert "At its largest: ≈$42.3M, strength 83/100" in text
    assert "Odds" not in text


def test_a_cascade_is_told_as_measured_and_not_as_an_estimate() -> None:
    event = replace(MARKET, kind=Kind.CASCADE, side=Side.LONG)
    text = bare(alert_message(event, BTC, texts=ENGLISH, sent_ms=NOON_MS).text)
    assert text.endswith("Liquidations as Binance prints them, which is a sample of all.")
    assert "Estimate" not in text


@pytest.mark.parametrize(
    ("expires_ms", "head"),
    [
        (NOON_MS + 4 * HOUR_MS, "Rule #3 (BTC) ends 16:00 UTC"),
        (NOON_MS, "Rule #3 (BTC) has ended"),
    ],
)
def test_a_rule_that_ends_can_be_kept_by_one_tap(expires_ms: int, head: str) -> None:
    figures = (("expires_ms", float(expires_ms)), ("life_ms", 72.0 * HOUR_MS))
    message = alert_message(replace(MARKET, kind=Kind.EXPIRY, figures=figures), BTC, texts=ENGLISH, sent_ms=NOON_MS)
    check_limits(message)
    assert bare(message.text) == head
    (renew, for_good), _ = message.buttons
    assert (renew.text, renew.data) == ("Renew for 3\xa0days", "e|3|4320")
    assert for_good.data == "e|3|0"


def test_a_digest_begins_with_what_it_is() -> None:
    event = replace(MARKET, kind=Kind.DIGEST, market=EVERYWHERE, price=0.0, window_ms=7 * 24 * HOUR_MS)
    message = alert_message(event, Contract("", 1.0), texts=ENGLISH, sent_ms=NOON_MS)
    assert bare(message.text).startswith("Your digest of the last 7\xa0days")
