"""Long/short ratios and order books of all four clients against the fakes: what each gives, in coins and in order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import numpy as np
import pytest

from bot.liquidation.types import Side
from bot.market.exchange import ExchangeUnavailableError, LiveExchange, NotGivenError
from bot.market.types import BAR_MS, Crowd
from bot.settings import EXCHANGES
from bot.venues import open_exchanges
from tests.fakes.clock import VirtualClock
from tests.fakes.crowd import LEVEL, book, long_share
from tests.integration.test_four_venues import Fakes, four_fakes, settings_of
from tests.integration.venue_rigs import NOW_MS
from tests.shared import needs_shared

pytestmark = needs_shared

GIVEN = {"binance": tuple(Crowd), "bybit": (Crowd.ACCOUNTS,), "okx": tuple(Crowd), "hyperliquid": ()}
HOUR_MS = 3_600_000


class Four:
    """The four fakes and a client of each, on one clock."""

    def __init__(self, fakes: Fakes, clients: dict[str, LiveExchange]) -> None:
        self.fakes = fakes
        self.clients = clients


@pytest.fixture
async def four() -> AsyncIterator[Four]:
    clock = VirtualClock(NOW_MS)
    async with four_fakes(lambda: clock.now_ms() / 1000) as fakes, AsyncExitStack() as closing:
        clients = open_exchanges(settings_of(fakes), clock=clock)
        for client in clients.values():
            closing.push_async_callback(client.aclose)
        yield Four(fakes, clients)


def test_each_venue_says_whose_ratios_it_gives() -> None:
    assert tuple(GIVEN) == EXCHANGES


@pytest.mark.parametrize(("name", "crowd"), [(name, crowd) for name, crowds in GIVEN.items() for crowd in crowds])
async def test_ratios_are_every_period_of_the_window_once_and_in_order(four: Four, name: str, crowd: Crowd) -> None:
    client = four.clients[name]
    assert client.crowds == GIVEN[name]
    start_ms = NOW_MS // BAR_MS * BAR_MS - 50 * HOUR_MS  # more than a page of every venue
    found = await client.long_short_ratios("BTCUSDT", crowd, start_ms=start_ms, end_ms=NOW_MS)
    times = found.time_ms.tolist()
    # 23 s into a bar the newest row is not there yet: it comes 45 s after its end.
    assert times == list(range(start_ms + BAR_MS, NOW_MS - 45_000 + 1, BAR_MS))
    assert found.long_share == pytest.approx([long_share(time_ms) for time_ms in times], abs=1e-4)
    status = client.status()  # type: ignore[attr-defined]
    assert all(one.used <= one.allowed for one in status.budgets.values())
    assert status.dropped_rows == {}


async def test_what_a_venue_does_not_publish_is_said_without_a_request(four: Four) -> None:
    for name, client in four.clients.items():
        for crowd in set(Crowd) - set(GIVEN[name]):
            with pytest.raises(NotGivenError, match=f"publishes no long/short ratio of {crowd}"):
                await client.long_short_ratios("BTCUSDT", crowd, start_ms=0, end_ms=NOW_MS)
    assert four.fakes["hyperliquid"].meter.requests == {}


async def test_the_book_is_in_coins_and_lies_around_the_price_on_every_venue(four: Four) -> None:
    for name, client in four.clients.items():
        found = await client.depth("BTCUSDT", levels=15)
        tick = await client.mark_prices()
        price = tick.price[tick.symbols.index("BTCUSDT")]
        assert abs(found.time_ms - NOW_MS) < 1000, name
        assert len(found.bid_price) == len(found.ask_price) == 15, name
        assert found.bid_price[0] < price < found.ask_price[0], name
        told = four.fakes[name].markets["BTCUSDT"]
        bids, asks = book(told, NOW_MS, 15)
        assert found.bid_coins == pytest.approx([coins for _, coins in bids], rel=1e-3), name
        assert found.ask_coins == pytest.approx([coins for _, coins in asks], rel=1e-3), name
        assert 0.5 < found.bid_coins.sum() / told.open_interest(NOW_MS) / (15 * LEVEL) < 1.5, name


async def test_levels_are_cut_to_what_was_asked_and_to_what_the_venue_has(four: Four) -> None:
    most = {"binance": 1000, "bybit": 1000, "okx": 400}
    for name, client in four.clients.items():
        assert len((await client.depth("BTCUSDT", levels=7)).ask_price) == 7
        found = len((await client.depth("BTCUSDT", levels=5000)).ask_price)
        assert found == most.get(name, found)


async def test_hyperliquid_s_twenty_levels_are_filled_up_with_what_rests_farther_away(four: Four) -> None:
    client, told = four.clients["hyperliquid"], four.fakes["hyperliquid"].markets["BTCUSDT"]
    near, far = await client.depth("BTCUSDT", levels=20), await client.depth("BTCUSDT", levels=1000)
    assert four.fakes["hyperliquid"].meter.requests["/info"] == 1 + 1 + 3
    assert far.ask_price[:20] == pytest.approx(near.ask_price)
    assert len(far.bid_price) > 40
    for side in Side:
        asked, whole = far.against(side), book(told, NOW_MS, 2000)[0 if side is Side.LONG else 1]
        assert (np.diff(asked.away) > 0).all()
        assert asked.seen > 10 * near.against(side).seen
        # The farthest orders reach beyond the last step's edge; nothing is counted twice.
        reached = [coins for price, coins in whole if abs(np.log(float(price) / far.middle)) <= asked.seen + 1e-9]
        assert asked.coins.sum() == pytest.approx(sum(reached), rel=1e-3)


async def test_a_binance_book_costs_what_the_venue_says(four: Four) -> None:
    fake, client = four.fakes["binance"], four.clients["binance"]
    spent = []
    for levels in (5, 50, 100, 101, 1000):
        before = fake.meter.report()["peak_weight"]
        await client.depth("BTCUSDT", levels=levels)
        spent.append(fake.meter.report()["peak_weight"] - before)
        assert client.status().weight.used == fake.meter.report()["peak_weight"]  # type: ignore[attr-defined]
    assert spent == [2, 2, 5, 10, 20]


@pytest.mark.parametrize("kind", ["5xx", "html200", "broken_json", "down"])
async def test_a_fault_is_an_error_with_a_sentence(four: Four, kind: str) -> None:
    for name, client in four.clients.items():
        await client.instruments()
        four.fakes[name].fail(kind)
        with pytest.raises(ExchangeUnavailableError, match=r"\.$"):
            await client.depth("BTCUSDT")
        for crowd in client.crowds:
            with pytest.raises(ExchangeUnavailableError, match=r"\.$"):
                await client.long_short_ratios("BTCUSDT", crowd, start_ms=NOW_MS - HOUR_MS, end_ms=NOW_MS)
