"""Prices come from the stream while it is heard, and from requests whenever it is not or lacks something."""

from collections.abc import Collection, Mapping

import numpy as np
import pytest

from bot.clock import StepClock
from bot.market.exchange import ExchangeUnavailableError
from bot.market.feed import ContractNews, FeedStatus, Heard
from bot.market.price_book import AHEAD_MS, PriceBook
from bot.market.simulator import SimulatedMarket
from bot.market.types import Tick
from bot.price_reader import ALL_AGAIN_MS, MISSING_AGAIN_MS, QUIET_MS, PriceReader
from tests.unit.app.scenes import START_MS, CountedExchange, playing

SIM = "SIMUSDT"


class Stream:
    """A stream of which a test says what it brings."""

    name = "simulated"

    def __init__(self) -> None:
        self.prices = PriceBook(self.name)
        self.alive = True
        self.last_message_ms = START_MS
        self.followed: Collection[str] = ()

    def brings(self, time_ms: int, price: float, symbol: str = SIM) -> None:
        self.last_message_ms = time_ms
        self.prices.take(symbol, time_ms, price)

    def follow(self, symbols: Collection[str]) -> None:
        self.followed = symbols

    def contract_news(self) -> Mapping[str, ContractNews]:
        return {}

    async def run(self) -> None:
        raise NotImplementedError

    def take(self) -> Heard:
        return Heard()

    def status(self) -> FeedStatus:
        return FeedStatus(self.alive, None, 0, 0, 1, last_message_ms=self.last_message_ms)


class Rig:
    def __init__(self, market: SimulatedMarket) -> None:
        self.clock = StepClock(START_MS)
        self.exchange: CountedExchange = playing(market, self.clock)
        self.stream = Stream()
        self.reader = PriceReader(self.exchange, self.stream, self.clock)

    async def look(
        self, ms: int = 2_000, *, brings: float | None = None, wanted: Collection[str] = (SIM,)
    ) -> tuple[bool, dict[str, float]]:
        """A tick later, with or without a price on the stream: whether it asked, and what is new."""
        self.clock.step_to(self.clock.now_ms() + ms)
        if brings is not None:
            self.stream.brings(self.clock.now_ms(), brings)
        asked = await self.reader.ask_if_due(wanted)
        tick = self.reader.news()
        return asked, dict(zip(tick.symbols, tick.price.tolist(), strict=True))


@pytest.fixture
def rig(market: SimulatedMarket) -> Rig:
    return Rig(market)


async def test_while_the_stream_brings_all_that_is_wanted_it_is_asked_only_now_and_then(rig: Rig) -> None:
    assert (await rig.look(brings=100.0))[0], "the exchange's clock is not known yet"
    asked = [(await rig.look(brings=100.0 + number)) for number in range(1, 151)]
    assert [price[SIM] for _, price in asked] == [100.0 + number for number in range(1, 151)]
    assert sum(one for one, _ in asked) == 150 * 2_000 // ALL_AGAIN_MS == 1
    assert set(rig.stream.followed) == {SIM}


async def test_a_stream_that_falls_quiet_is_not_waited_for(rig: Rig) -> None:
    await rig.look(brings=100.0)
    quiet = [(await rig.look())[0] for _ in range(6)]
    assert quiet == [False, False, True, True, True, True]
    assert 2 * 2_000 < QUIET_MS < 3 * 2_000
    assert not (await rig.look(brings=101.0))[0]
    rig.stream.alive = False
    assert (await rig.look(brings=101.0))[0]


async def test_a_wanted_price_that_the_stream_does_not_bring_is_asked_for_at_a_slower_pace(rig: Rig) -> None:
    asked = []
    for _ in range(20):
        rig.stream.brings(rig.clock.now_ms() + 2_000, 5.0, "OTHERUSDT")
        asked.append((await rig.look())[0])
    # What is asked for is fresh for 15 s, so that it is asked for again at every eighth or ninth look.
    assert 1 < sum(asked) <= 20 * 2_000 / MISSING_AGAIN_MS
    assert not any(asked[number] and asked[number + 1] for number in range(19))


async def test_what_the_exchange_itself_has_no_price_of_is_not_asked_for_again_and_again(rig: Rig) -> None:
    await rig.look(brings=100.0)
    asked = [(await rig.look(brings=100.0, wanted={SIM, "SETTLINGUSDT"}))[0] for _ in range(60)]
    assert sum(asked) == 1


async def test_an_answer_older_than_the_stream_never_replaces_its_price(rig: Rig) -> None:
    ahead_ms = rig.clock.now_ms() + 60_000
    rig.stream.brings(ahead_ms, 123.0)
    rig.stream.alive = False
    assert (await rig.look()) == (True, {SIM: 123.0})
    assert (await rig.look()) == (True, {})


async def test_what_the_stream_brought_is_there_though_the_exchange_does_not_answer(rig: Rig) -> None:
    rig.exchange.goes_down()
    rig.stream.brings(START_MS + 1, 100.0)
    with pytest.raises(ExchangeUnavailableError):
        await rig.reader.ask_if_due({SIM})
    assert rig.reader.news().price.tolist() == [100.0]


async def test_an_exchange_that_did_not_answer_is_asked_again_soon_though_its_stream_lives(rig: Rig) -> None:
    rig.exchange.goes_down()
    with pytest.raises(ExchangeUnavailableError):
        await rig.look(brings=100.0)
    rig.exchange.comes_back()
    asked = [(await rig.look(brings=100.0))[0] for _ in range(20)]
    assert asked.index(True) + 1 == MISSING_AGAIN_MS // 2_000
    assert sum(asked) == 1


async def test_without_a_stream_each_tick_asks_and_tells_what_is_new(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    exchange = playing(market, clock)
    reader = PriceReader(exchange, None, clock)
    for _ in range(3):
        assert await reader.ask_if_due(set())
        assert len(reader.news().symbols) == 1
        assert len(reader.news().symbols) == 0
        clock.step_to(clock.now_ms() + 300_000)


def test_a_price_book_merges_what_comes_in_parts_and_keeps_the_newest() -> None:
    book = PriceBook("binance")
    book.take("A", 10, 1.0)
    book.take_tick(Tick("binance", ("A", "B"), np.array([9, 9]), np.array([7.0, 8.0])))
    first = book.news()
    assert dict(zip(first.symbols, first.price.tolist(), strict=True)) == {"A": 1.0, "B": 8.0}
    assert first.exchange == "binance"
    book.take("A", 10, 2.0)
    assert book.news().symbols == ()
    assert book.lacking(["A", "B", "C"], since_ms=10) == {"B", "C"}
    assert book.lacking(["A", "B", "C"], since_ms=1) == {"C"}


def test_a_price_from_the_future_is_dropped_and_does_not_outlast_the_true_ones() -> None:
    book, now_ms = PriceBook("binance"), 1_000_000_000
    book.keep_time(lambda: now_ms)
    book.take("A", now_ms + AHEAD_MS + 1, 9.0)
    book.take("A", now_ms, 1.0)
    assert book.news().price.tolist() == [1.0]
    assert book.dropped == {"mark prices: a time in the future": 1}
