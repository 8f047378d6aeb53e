"""What /cascade says: runaways with their band, the loads, which books are missing, and that a caption holds it."""

import pytest

from bot.alerts.types import Market
from bot.liquidation.combining import COMBINED
from bot.liquidation.depth import Depth
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.telegram.cascade_text import CascadeText, load_words
from bot.telegram.cascade_view import CascadeView, cascade_of
from bot.telegram.desk import MarketView
from bot.telegram.limits import CAPTION_UNITS, bare, visible_length
from bot.telegram.table import COLUMNS
from bot.telegram.texts import Catalogue
from tests.fakes.desk import NOON_MS, market_view
from tests.fakes.order_book import believable_book
from tests.fakes.several_desk import parts_of

CATALOGUE = Catalogue.load()
PRICE = 96_620.5


def btc(clusters: int = 6, **changes: object) -> MarketView:
    """BTC with so many clusters on each side, 1.5 % apart."""
    found = [
        (side, PRICE * (1 + sign * away) - 300, PRICE * (1 + sign * away) + 300, 42.3e6, 83)
        for side, sign in ((Side.SHORT, 1), (Side.LONG, -1))
        for away in (0.015 * number for number in range(1, clusters + 1))
    ]
    return replace(market_view("BTCUSDT", base="BTC", tick_size=0.1, price=PRICE, clusters=found), **changes)  # type: ignore[arg-type]


def cascade_in(view: MarketView, usd_a_percent: float, *markets: Market) -> CascadeView:
    book: Depth = believable_book(view.price, usd_a_percent=usd_a_percent)
    found = cascade_of(view, [shown.cluster for shown in view.clusters], dict.fromkeys(markets or view.joined, book))
    assert found is not None
    return found


def told(view: MarketView, cascade: CascadeView, language: str = "en", room: int = CAPTION_UNITS) -> str:
    return CascadeText(view, CATALOGUE.texts(language), now_ms=NOON_MS).told(cascade, room=room)


def test_a_chain_that_runs_from_cluster_to_cluster_is_told_with_its_band() -> None:
    text = bare(told(btc(), cascade_in(btc(), 3.2e6)))
    assert "a chain may run from one cluster into the next, at most to" in text
    assert "By the middle estimate" in text
    assert "It would force" in text


def test_a_chain_that_nothing_holds_runs_beyond_the_map_and_says_how_far_that_is() -> None:
    text = bare(told(btc(), cascade_in(btc(), 0.4e6)))
    assert "at most beyond the map. By the middle estimate it runs beyond the map, too." in text
    assert ">1" in text


def test_a_deep_book_holds_every_chain() -> None:
    text = bare(told(btc(), cascade_in(btc(), 100e6)))
    assert text.count("the orders hold every cluster at once, even with 60% of it forced") == 1
    assert "may run" not in text
    assert "20%" not in text
    rows = [line.split()[0] for line in text.splitlines() if "×" in line]
    assert rows == sorted(rows, key=lambda level: -float(level.replace(",", "")))
    assert len(rows) == 8


def test_no_dollars_are_named_where_the_map_is_not_proven() -> None:
    view = btc(proven=False)
    assert "$" not in told(view, cascade_in(view, 3.2e6))


def test_the_loads_come_highest_first_and_the_rest_is_left_out() -> None:
    cascade = cascade_in(btc(), 5e6)
    assert [chain.absorption for chain in cascade.above.chains] == sorted(
        (chain.absorption for chain in cascade.above.chains), reverse=True
    )
    rows = [line for line in bare(told(btc(), cascade, room=4096)).splitlines() if "×" in line]
    assert len(rows) == 8
    assert all(len(row) <= COLUMNS for row in rows)


def test_exchanges_without_a_book_are_named() -> None:
    view = btc(market=Market(COMBINED, "BTCUSDT"), parts=parts_of("BTCUSDT"))
    assert [market.exchange for market in view.joined] == ["binance", "bybit", "okx"]
    some = cascade_in(view, 5e6, Market("binance", "BTCUSDT"))
    assert some.missing == ("bybit", "okx")
    assert "No order book from Bybit, OKX now" in bare(told(view, some))
    assert "No order book from" not in told(view, cascade_in(view, 5e6))
    assert cascade_of(view, [], {}) is None


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
@pytest.mark.parametrize("usd_a_percent", [0.4e6, 3.2e6, 100e6])
def test_the_longest_answer_fits_below_a_picture_in_every_language(language: str, usd_a_percent: float) -> None:
    view = btc(market=Market(COMBINED, "BTCUSDT"), parts=parts_of("BTCUSDT"), simulated=True)
    some = cascade_in(view, usd_a_percent, Market("binance", "BTCUSDT"))
    text = told(view, some, language)
    assert visible_length(text) <= CAPTION_UNITS
    assert text.count("×") >= 4


def test_what_a_caption_does_not_hold_is_left_out_in_order() -> None:
    cascade = cascade_in(btc(), 0.4e6)
    whole = told(btc(), cascade, room=4096)
    most = visible_length(whole)
    less = [told(btc(), cascade, room=most - units) for units in (1, 100, 150, 250)]
    assert all("known" not in text for text in less)
    assert [text.count("×") for text in (whole, *less)] == sorted(
        (text.count("×") for text in (whole, *less)), reverse=True
    )
    assert "load</i>" in less[0]
    assert "load</i>" not in less[-1]


def test_a_load_is_written_in_two_figures() -> None:
    texts = CATALOGUE.texts("en")
    assert [load_words(load, texts) for load in (0.004, 0.123, 1.94, 48.3, 1e5, float("inf"))] == [
        "<0.1×",
        "0.12×",
        "1.9×",
        "48×",
        "—",
        "—",
    ]
