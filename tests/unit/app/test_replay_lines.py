"""The lines of a replay: what alerts of one thing share is made once, and each line is what it would be alone."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.gate import Ruling
from bot.alerts.outcomes import Ending, follow
from bot.alerts.reasons import Reason
from bot.alerts.types import Event
from bot.liquidation.values import replace
from bot.reading import cluster_json
from bot.recorded_receipts import Receipt
from bot.replay_lines import ReplayLines
from bot.telegram.alerts_text import alert_message
from bot.telegram.limits import bare
from bot.telegram.receipts_text import receipt_message
from bot.telegram.texts import Catalogue
from tests.unit.telegram.test_alerts_text import BTC, NEAR
from tests.unit.telegram.test_every_alert import events

ENGLISH = Catalogue.load().texts("en")
CONTRACTS = {NEAR.market: BTC}


def lines_of(rulings: Sequence[Ruling], *, as_json: bool = True) -> list[str]:
    """As one run prints them."""
    lines = ReplayLines(CONTRACTS, ENGLISH, json=as_json)
    return [lines.alert(ruling) for ruling in rulings]


def told(event: Event) -> Ruling:
    return Ruling(event, event.dedupe_key, Reason.TOLD, event.dedupe_key, event.time_ms)


@st.composite
def crowds(draw: st.DrawFn) -> list[Ruling]:
    """A few matters, each told of to several rules, one matter after the other or mixed."""
    matters = draw(st.lists(events(), min_size=1, max_size=3))
    crowd = [
        replace(
            draw(st.sampled_from(matters)),
            rule_id=draw(st.integers(1, 3)),
            episode=draw(st.integers(1, 2)),
            reason=draw(st.sampled_from(["near", 'so "near"'])),
            label=draw(st.sampled_from([None, "A & B", "<i>"])),
            threshold_pct=draw(st.sampled_from([1.0, 2.0])),
        )
        for _ in range(draw(st.integers(1, 8)))
    ]
    return [told(event) for event in crowd]


@given(rulings=crowds(), as_json=st.booleans())
@settings(max_examples=60)
def test_a_line_is_the_same_whatever_was_told_before(rulings: list[Ruling], as_json: bool) -> None:
    alone = [lines_of([ruling], as_json=as_json)[0] for ruling in rulings]
    assert lines_of(rulings, as_json=as_json) == alone


@given(event=events())
@settings(max_examples=60)
def test_a_line_holds_the_event_and_the_text_of_its_message(event: Event) -> None:
    ruling = Ruling(event, event.dedupe_key, Reason.GROUPED, "another:alert", 123)
    message = alert_message(event, BTC, texts=ENGLISH, sent_ms=event.time_ms)
    cluster = event.cluster
    expected = {
        "time_ms": event.time_ms,
        "kind": event.kind,
        "symbol": event.market.symbol,
        "exchange": event.market.exchange,
        "rule": event.rule_id,
        "track": event.track_id,
        "episode": event.episode,
        "severity": event.severity,
        "price": event.price,
        "cluster": None if cluster is None else cluster_json(cluster, event.track_id, event.price, event.touch),
        "reason": event.reason,
        "text": bare(message.text),
        "delivery": {"reason": "grouped", "due_ms": 123, "with": "another:alert"},
    }
    (line,) = lines_of([ruling])
    assert line == json.dumps(expected, ensure_ascii=False)


@pytest.mark.parametrize("reach", [NEAR.price, 97_500.0])
def test_receipts_that_share_an_outcome_differ_in_whose_they_are(reach: float) -> None:
    outcome = follow(NEAR)
    assert outcome is not None
    came = replace(outcome, reach=reach, ending=Ending.EXPIRED, ended_ms=outcome.until_ms)
    lines = ReplayLines(CONTRACTS, ENGLISH, json=True)
    first, second = (json.loads(lines.receipt(Receipt(f"{rule}:of", rule, came))) for rule in (1, 2))
    assert [(one.pop("of"), one.pop("rule")) for one in (first, second)] == [("1:of", 1), ("2:of", 2)]
    assert first == second
    assert first["text"] == bare(receipt_message(came, BTC, texts=ENGLISH).text)
