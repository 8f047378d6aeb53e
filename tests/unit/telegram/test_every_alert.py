"""Whatever an alert tells, in every language there is and in one twice as wordy: whole, and within every limit."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.outcomes import Ending, Outcome
from bot.alerts.reasons import HELD, Reason
from bot.alerts.types import Event, Kind, Severity, Unit
from bot.delivery.messenger import Message
from bot.liquidation.types import Cluster, MapLimit, Side
from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, Matter, alert_message, asked_of, headline, rule_line, tell
from bot.telegram.groups import Told, Waited, group_message
from bot.telegram.limits import bare, utf16_length
from bot.telegram.missed_text import missed_message
from bot.telegram.receipts_text import receipt_message
from bot.telegram.texts import Catalogue, Texts
from tests.fakes.chat import check_limits
from tests.fakes.desk import NOON_MS, PNG
from tests.unit.telegram.test_alerts_text import BTC, LONGS, NEAR, SHORTS

ENGLISH = Catalogue.load().texts("en")
_KEPT = re.compile(r"<[^<>]*>|\{\w+\}|\\n")


def wordy(texts: Texts) -> Texts:
    """The same texts with every letter doubled: longer than any translation, with the same fields and tags."""

    def stretched(template: str) -> str:
        kept = _KEPT.findall(template)
        words = [re.sub(r"(\w)", r"\1\1", piece) for piece in _KEPT.split(template)]
        return "".join(word + tag for word, tag in zip(words, [*kept, ""], strict=True))

    entries: Mapping[str, Mapping[str, str]] = {
        key: {form: stretched(template) for form, template in forms.items()} for key, forms in texts.entries.items()
    }
    return Texts("en", entries)


LANGUAGES = [*Catalogue.load().languages.values(), wordy(ENGLISH)]
every_language = pytest.mark.parametrize("texts", LANGUAGES, ids=[*Catalogue.load().languages, "wordy"])

FIGURES = (
    ("realised_usd", 3.1e6),
    ("after_ms", 1_500_000.0),
    ("level", 97_500.0),
    ("minute_usd", 3.2e6),
    ("usual_usd", 410e3),
    ("short_usd", 42e6),
    ("long_usd", 31e6),
    ("deviation", -3.1),
    ("expires_ms", float(NOON_MS + 3_600_000)),
    ("life_ms", 86_400_000.0),
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Anything that an engine may tell, the figures of any size."""
    kind, side = draw(st.sampled_from(Kind)), draw(st.sampled_from(Side))
    price = draw(st.floats(1e-8, 1e6))
    low = price * draw(st.floats(0.8, 1.2))
    usd = draw(st.floats(0.0, 1e12))
    cluster = Cluster(side, low, low * 1.01, low * 1.005, usd, draw(st.floats(0, 1)), 83, usd / 20, usd / 9)
    return replace(
        NEAR,
        kind=kind,
        price=price,
        side=side,
        cluster=None if kind in (Kind.CASCADE, Kind.FLIP, Kind.CONCENTRATION, Kind.DIGEST, Kind.EXPIRY) else cluster,
        value_pct=draw(st.floats(0, 1e4)),
        threshold_pct=draw(st.floats(0.01, 500)),
        unit=draw(st.sampled_from(Unit)),
        window_ms=draw(st.integers(60_000, 30 * 86_400_000)),
        severity=draw(st.sampled_from(Severity)),
        proven=draw(st.booleans()),
        open_interest=draw(st.sampled_from(["measured", "estimated"])),
        limits=tuple(draw(st.lists(st.sampled_from(MapLimit), unique=True))),
        label=draw(st.none() | st.text(st.characters(exclude_characters="{}"), min_size=1, max_size=40)),
        figures=FIGURES,
    )


def holds(message: Message) -> None:
    """Within every limit, with no field left open."""
    check_limits(message)
    assert not re.search(r"\{\w+\}", message.text)
    for row in message.buttons:
        for button in row:
            assert not re.search(r"[{}<>]", button.text)


@every_language
@given(event=events(), late_ms=st.integers(0, 10**9), pictured=st.booleans(), repeat=st.booleans())
@settings(max_examples=60)
def test_an_alert_of_any_kind_and_size(texts: Texts, event: Event, late_ms: int, pictured: bool, repeat: bool) -> None:
    photo = PNG if pictured else None
    contract = Contract("1000PEPE", 1e-8, simulated=True)
    holds(alert_message(event, contract, texts=texts, sent_ms=NOON_MS + late_ms, repeat=repeat, photo=photo))


@every_language
@given(
    group=st.lists(events(), min_size=2, max_size=40),
    reason=st.none() | st.sampled_from(sorted(HELD)),
    pictured=st.booleans(),
)
@settings(max_examples=10)
def test_many_alerts_in_one_message(texts: Texts, group: list[Event], reason: Reason | None, pictured: bool) -> None:
    told = [Told(event, BTC) for event in group]
    waited = None if reason is None else Waited(NOON_MS - 3_600_000, reason)
    photo = PNG if pictured and waited is None else None
    holds(group_message(told, texts, sent_ms=NOON_MS, waited=waited, photo=photo))
    missed = [(2, NOON_MS - 3_600_000, event) for event in group]
    holds(missed_message(missed, lambda _: BTC, texts=texts, now_ms=NOON_MS + 86_400_000))


@every_language
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("touched_ms", [0, NOON_MS + 60_000])
@pytest.mark.parametrize("chance", [None, 0.42])
def test_a_receipt_of_every_end(
    texts: Texts, side: Side, ending: Ending, touched_ms: int, chance: float | None
) -> None:
    outcome = Outcome(
        *("3:binance:BTCUSDT:s1:1:proximity", 7, 3, Kind.PROXIMITY, NEAR.market, "s1", side),
        *(NOON_MS, NOON_MS + 14_400_000, 96_620.5, 97_430.0, 97_910.0, 97_500.0),
        chance=chance,
        touched_ms=touched_ms,
        ended_ms=NOON_MS + 14_400_000,
        ending=ending,
        printed_usd=1.2e6,
        expected_usd=9e5,
        expected_high_usd=2.3e6,
    )
    message = receipt_message(outcome, replace(BTC, simulated=True), texts=texts, reply_to=3, repeat=True)
    holds(message)
    assert [button.copy for row in message.buttons for button in row if button.copy]


@pytest.mark.parametrize("texts", LANGUAGES[:-1], ids=lambda texts: texts.language)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("cluster", [LONGS, SHORTS], ids=lambda cluster: cluster.side)
@pytest.mark.parametrize("proven", [True, False])
def test_the_first_line_is_short_enough_for_a_lock_screen(
    texts: Texts, kind: Kind, cluster: Cluster, proven: bool
) -> None:
    event = replace(NEAR, kind=kind, cluster=cluster, side=cluster.side, proven=proven, figures=FIGURES)
    line = bare(headline(replace(event, window_ms=14_400_000), BTC, texts, sent_ms=NOON_MS))
    assert utf16_length(line) <= 110
    assert "BTC" in line or kind is Kind.DIGEST


@given(event=events(), other=events(), name=st.sampled_from(Event.__struct_fields__))
@settings(max_examples=200)
def test_alerts_of_one_matter_differ_in_no_line_but_the_rules(event: Event, other: Event, name: str) -> None:
    """Whatever field two events differ in: where they count as one matter, their shared lines are the same."""
    other = replace(event, **{"rule_id": 9, "chat": 8, "reason": "other", name: getattr(other, name)})
    if Matter(event) == Matter(other):
        made = [tell(Matter(one), BTC, ENGLISH, NOON_MS + 5_000) for one in (event, other)]
        assert made[0] == made[1]
    else:
        assert name not in ("rule_id", "chat", "episode", "reason", "label")


@given(event=events(), other=events(), name=st.sampled_from(Event.__struct_fields__))
@settings(max_examples=200)
def test_a_rules_line_names_nothing_but_what_was_asked(event: Event, other: Event, name: str) -> None:
    other = replace(event, **{"chat": 8, "episode": 5, name: getattr(other, name)})
    if asked_of(other) == asked_of(event):
        assert rule_line(other, ENGLISH) == rule_line(event, ENGLISH)
    else:
        assert name not in ("chat", "episode")
