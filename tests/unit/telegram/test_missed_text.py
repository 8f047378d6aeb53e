"""The summary after an outage: one message, whatever it sums up."""

from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.types import Kind, Market
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.missed import AlertFolding, missed_in
from bot.storage.codec import event_to_plain
from bot.telegram.headlines import Contract
from bot.telegram.limits import bare
from bot.telegram.missed_text import missed_message
from bot.telegram.texts import Catalogue
from tests.fakes.chat import check_limits
from tests.unit.storage.values import BTC, NOW, ZRX, cluster, event

ENGLISH = Catalogue.load().texts("en")
FOLDING = AlertFolding(900_000)
MINUTE_MS = 60_000


def read(*payloads: object, repeat: bool = False) -> str:
    summary = FOLDING.sum_up(payloads)  # type: ignore[arg-type]
    message = missed_message(
        missed_in(summary),
        lambda event: Contract(event.market.symbol.removesuffix("USDT"), 0.0001),
        texts=ENGLISH,
        now_ms=NOW + 120 * MINUTE_MS,
        repeat=repeat,
    )
    check_limits(message)
    assert message.silent is repeat
    return bare(message.text)


def missed(minute: int, market: Market = ZRX, **changes: object) -> dict[str, object]:
    return event_to_plain(replace(event(market=market), time_ms=NOW + minute * MINUTE_MS, **changes))  # type: ignore[arg-type]


def test_alerts_are_summed_up_by_market_kind_and_side() -> None:
    text = read(
        missed(0),
        missed(30, BTC, kind=Kind.GROWTH, window_ms=3_600_000),
        missed(10, price=0.2371),
        missed(5, cluster=cluster(side=Side.SHORT)),
    )
    assert text.splitlines() == [
        "While I was away: 4 alerts",
        "Between 05:46 UTC and 06:16 UTC; none could be sent in time.",
        "",
        "06:16 UTC: BTC long cluster at 0.232 grew 1.1% in 1\xa0hr (strength 71)",
        "05:56 UTC, the last of 2: ZRX 1.1% above a long cluster at 0.2342 (strength 71)",
        "05:51 UTC: ZRX has passed a short cluster at 0.2301–0.2342 (strength 71)",
    ]


def test_a_summary_takes_up_another() -> None:
    first = FOLDING.sum_up([missed(0), missed(1)])
    assert FOLDING.is_summary(first)
    assert FOLDING.takes(first)
    assert "3 alerts" in read(first, missed(2))


def test_a_repeat_says_so() -> None:
    assert read(missed(0), repeat=True).startswith("Repeat: While I was away: 1 alert\n")


def test_only_alerts_are_summed_up() -> None:
    assert FOLDING.takes(missed(0))
    assert not FOLDING.takes({"notice": "topic_gone", "chat": 1})


@given(st.lists(st.tuples(st.integers(0, 90), st.text(min_size=1, max_size=20), st.sampled_from(Kind)), min_size=1))
def test_any_outage_fits_one_message(alerts: list[tuple[int, str, Kind]]) -> None:
    text = read(*(missed(minute, Market("binance", f"{name}USDT"), kind=kind) for minute, name, kind in alerts))
    assert f"{len(alerts)} alert" in text
