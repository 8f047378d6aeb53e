"""The books of exchanges: asked for once in a few seconds, and no trouble of one is another's."""

import asyncio
from collections import Counter

import numpy as np

from bot.alerts.types import Market
from bot.liquidation.depth import Depth
from bot.liquidation.types import Floats
from bot.market.exchange import ExchangeError, ExchangeUnavailableError, RateLimitedError
from bot.order_books import MOST_KEPT, OrderBooks
from tests.fakes.clock import VirtualClock

BTC = Market("one", "BTCUSDT")


class Teller:
    """An exchange of which only the book is asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.trouble: ExchangeError | None = None
        self.levels = 50
        self.asked: Counter[str] = Counter()

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        self.asked[symbol] += 1
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        step: Floats = 1e-3 * np.arange(1.0, min(levels, self.levels) + 1)
        return Depth(self.asked[symbol], 100 - step, step, 100 + step, step)


class Bookless:
    name = "bookless"


def books_of(*tellers: object) -> tuple[OrderBooks, VirtualClock]:
    clock = VirtualClock(1_000_000)
    return OrderBooks({one.name: one for one in tellers}, clock), clock  # type: ignore[attr-defined, misc]


async def test_a_book_is_asked_for_once_by_all_who_want_it_within_seconds() -> None:
    teller = Teller("one")
    books, clock = books_of(teller)
    found = await asyncio.gather(*(books.read(BTC) for _ in range(5)))
    await clock.sleep(4.0)
    assert await books.read(BTC) is found[0]
    assert teller.asked == {"BTCUSDT": 1}
    await clock.sleep(1.5)
    assert await books.read(BTC) is not found[0]
    assert await books.read(BTC, within_s=600.0) is not None
    assert teller.asked == {"BTCUSDT": 2}


async def test_who_wants_more_levels_than_are_known_has_them_asked_for() -> None:
    teller = Teller("one")
    books, _ = books_of(teller)
    for levels, asked in ((20, 1), (10, 1), (50, 2), (20, 2)):
        depth = await books.read(BTC, levels=levels)
        assert depth is not None
        assert teller.asked["BTCUSDT"] == asked


async def test_trouble_is_no_book_and_is_not_asked_for_again_at_once() -> None:
    teller = Teller("one")
    books, clock = books_of(teller)
    for trouble in (ExchangeUnavailableError("broken."), RateLimitedError("silence.", until_ms=0)):
        teller.trouble = trouble
        assert await books.read(BTC) is None
        assert await books.read(BTC) is None
        await clock.sleep(6.0)
    assert teller.asked["BTCUSDT"] == 2
    teller.trouble = None
    assert await books.read(BTC) is not None


async def test_a_thin_book_and_an_exchange_that_tells_none_are_no_book() -> None:
    teller = Teller("one")
    teller.levels = 3
    books, _ = books_of(teller, Bookless())
    assert await books.read(BTC) is None
    assert await books.read(Market("bookless", "BTCUSDT")) is None
    assert await books.read(Market("elsewhere", "BTCUSDT")) is None


async def test_the_books_of_several_exchanges_are_those_that_answered() -> None:
    one, other = Teller("one"), Teller("other")
    other.trouble = ExchangeUnavailableError("broken.")
    books, _ = books_of(one, other)
    assert list(await books.read_each([BTC, Market("other", "BTCUSDT")])) == [BTC]


async def test_what_was_asked_for_longest_ago_is_forgotten() -> None:
    teller = Teller("one")
    books, _ = books_of(teller)
    for number in range(MOST_KEPT + 1):
        await books.read(Market("one", f"C{number}"))
    await books.read(Market("one", f"C{MOST_KEPT}"))
    await books.read(Market("one", "C0"))
    assert teller.asked["C0"] == 2
    assert teller.asked[f"C{MOST_KEPT}"] == 1
