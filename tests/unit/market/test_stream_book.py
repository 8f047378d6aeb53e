"""What lines brought: each print once, a bound on what waits, and the stretches in which anybody listened."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.market.bad_rows import BadRows
from bot.market.bybit_topics import MOST_CHARACTERS, TOPICS_PER_REQUEST, Subscriptions, wanted_topics
from bot.market.feed import ContractNews, Print
from bot.market.stream_book import MOST_NEWS, REMEMBERED, StreamBook
from bot.market.types import Instrument
from tests.fakes.clock import VirtualClock

NOW_MS = 1_791_700_000_000


def printed(number: int, *, symbol: str = "BTCUSDT") -> Print:
    return Print(NOW_MS + number, symbol, is_long=True, price=100.0, coins=1.0)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW_MS)


@pytest.fixture
def book(clock: VirtualClock) -> StreamBook:
    return StreamBook("binance", "Binance", clock, most_waiting=10)


@given(st.lists(st.integers(0, 30), max_size=80))
def test_whatever_is_repeated_each_print_is_told_once_and_in_the_order_it_came(numbers: list[int]) -> None:
    book = StreamBook("binance", "Binance", VirtualClock(NOW_MS))
    for number in numbers:
        book.keep(printed(number))
    assert book.take().prints == tuple(printed(number) for number in dict.fromkeys(numbers))
    assert book.status().prints == len(set(numbers))
    assert book.status().last_print_ms == (NOW_MS + max(numbers) if numbers else None)


@given(st.lists(st.sampled_from(["begin", "beat", "lost", "left", "wait", "take"]), max_size=60))
def test_stretches_are_the_times_in_which_some_line_was_heard(events: list[str]) -> None:
    clock = VirtualClock(NOW_MS)
    book, lines, heard = StreamBook("binance", "Binance", clock), 0, list[tuple[int, int]]()
    alive: set[int] = set()
    gaps = 0
    since_ms = last_ms = 0
    for event in events:
        if event == "begin" and lines < 2:
            since_ms = clock.now_ms() if lines == 0 else since_ms
            lines += 1
            book.begin()
            last_ms = clock.now_ms()
        elif event == "beat" and lines:
            book.alive()
            last_ms = clock.now_ms()
        elif event in ("lost", "left") and lines:
            lines -= 1
            book.end(meant=event == "left")
            gaps += lines == 0 and event == "lost"
            if lines == 0:
                alive |= set(range(since_ms, last_ms))
        elif event == "wait":
            clock.advance(1)
        elif event == "take":
            heard += book.take().stretches
    if lines:
        alive |= set(range(since_ms, last_ms))
    heard += book.take().stretches
    told = [moment for start, end in heard for moment in range(start, end)]
    assert set(told) == alive
    assert len(told) == len(set(told)), "no moment is told twice"
    assert (book.status().gaps, book.status().alive) == (gaps, lines > 0)


def test_what_nobody_takes_is_dropped_from_the_old_end_and_counted(book: StreamBook) -> None:
    for number in range(25):
        book.keep(printed(number))
    assert [row.time_ms for row in book.take().prints] == [NOW_MS + number for number in range(15, 25)]
    assert book.status().dropped == 15
    assert book.take().prints == ()


def test_what_is_remembered_is_bounded(book: StreamBook) -> None:
    for number in range(REMEMBERED + 1):
        book.keep(printed(number))
        book.take()
    book.keep(printed(REMEMBERED))
    assert book.take().prints == ()
    book.keep(printed(0))
    assert book.take().prints == (printed(0),), "so long ago that nothing repeats it"


def test_an_old_print_is_kept_with_its_own_time(book: StreamBook) -> None:
    book.keep(printed(-8 * 60_000))
    book.keep(printed(-30))
    book.keep(printed(-86_400_000))
    assert [row.time_ms - NOW_MS for row in book.take().prints] == [-8 * 60_000, -30, -86_400_000]
    assert book.status().last_print_ms == NOW_MS - 30


def test_a_lag_is_by_this_machines_clock(book: StreamBook, clock: VirtualClock) -> None:
    assert (book.status().last_message_ms, book.status().lag_ms) == (None, None)
    book.sent_at(NOW_MS - 250)
    clock.advance(2)
    book.sent_at(None)
    assert (book.status().last_message_ms, book.status().lag_ms) == (NOW_MS + 2_000, 250)


def test_news_of_contracts_are_the_newest_of_each_and_bounded(book: StreamBook) -> None:
    for number in range(MOST_NEWS + 5):
        book.tell(ContractNews(NOW_MS, f"S{number}", trades=True, delist_ms=None))
    book.tell(ContractNews(NOW_MS + 1, f"S{MOST_NEWS}", trades=False, delist_ms=NOW_MS))
    news = book.contract_news()
    assert len(news) == MOST_NEWS
    assert not news[f"S{MOST_NEWS}"].trades


def contracts(*names: str) -> dict[str, Instrument]:
    return {name: Instrument("bybit", name, name, name[:-4], "USDT", tick_size=0.1) for name in names}


def test_bybit_is_asked_for_no_more_than_one_line_may_ask_and_first_for_what_is_worth_most() -> None:
    listed = contracts(*(f"S{number:04}USDT" for number in range(900)), "BTCUSDT")
    followed = [f"S{number:04}USDT" for number in range(800, 900)]
    topics, without_room = wanted_topics(listed, followed)
    assert without_room == 1 + 901 + 100 - len(topics) > 0
    assert topics[0] == "tickers.BTCUSDT"
    assert topics[1:101] == [f"allLiquidation.{name}" for name in followed]
    assert sum(len(topic) + 3 for topic in topics) <= MOST_CHARACTERS < sum(len(topic) + 3 for topic in topics) + 30
    few = wanted_topics(contracts("AUSDT", "BUSDT"), ["BUSDT"])
    assert few == (["tickers.AUSDT", "allLiquidation.BUSDT", "allLiquidation.AUSDT", "tickers.BUSDT"], 0)


def test_all_that_bybit_lists_is_listened_to_with_room_for_hundreds_of_prices() -> None:
    listed = contracts(*(f"{number:05}USDT" for number in range(600)))
    topics, without_room = wanted_topics(listed, list(listed)[:200])
    assert without_room == 0
    assert sum(topic.startswith("allLiquidation.") for topic in topics) == 600
    assert sum(topic.startswith("tickers.") for topic in topics) == 200


def test_a_refused_request_is_halved_until_the_refused_topic_is_alone() -> None:
    bad = BadRows("Bybit")
    subscriptions = Subscriptions(bad)
    wrong = {"t17", "t140"}
    requests = subscriptions.towards([f"t{number}" for number in range(150)])
    assert len(requests) == -(-150 // TOPICS_PER_REQUEST)
    granted: set[str] = set()
    asked = 0
    while requests:
        assert not subscriptions.settled
        asked += 1
        message = json.loads(requests.pop(0))
        grant = not wrong & set(message["args"])
        granted |= set(message["args"]) if grant else set()
        requests += subscriptions.answered(message["req_id"], granted=grant)
    assert subscriptions.settled
    assert granted == {f"t{number}" for number in range(150)} - wrong
    assert bad.counts == {"subscriptions: refused": 2}
    assert asked < 40
    assert subscriptions.towards([f"t{number}" for number in range(150)]) == []


def test_where_nothing_is_granted_nothing_is_settled() -> None:
    subscriptions = Subscriptions(BadRows("Bybit"))
    subscriptions.towards(["a"])
    assert not subscriptions.settled
    subscriptions.answered("1", granted=False)
    assert not subscriptions.settled
    assert subscriptions.answered(None, granted=False) == []
    assert subscriptions.answered("99", granted=True) == []
    assert not subscriptions.settled
