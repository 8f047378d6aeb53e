"""What every client stands on: its list of contracts, read once and kept, and its books."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.market.binance import BinanceExchange
from bot.market.bybit import BybitExchange
from bot.market.exchange import ExchangeUnavailableError, UnknownSymbolError
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.limits import BudgetStatus
from bot.market.line import Contracts, KeepsBooks, LineStatus
from bot.market.okx import OkxExchange
from bot.market.playback import PlaybackExchange
from bot.market.types import Instrument
from tests.fakes.clock import VirtualClock
from tests.fakes.scripted import T0


class Listing:
    """A venue's list, counted."""

    def __init__(self, *symbols: str) -> None:
        self.symbols = symbols
        self.asked = 0
        self.down = False

    async def __call__(self) -> Sequence[Instrument]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise ExchangeUnavailableError("The venue is down.")
        return [Instrument("v", name, name.lower(), name.removesuffix("USDT"), "USDT", 1.0) for name in self.symbols]


async def test_contracts_are_read_once_by_whoever_comes_first() -> None:
    listing = Listing("AUSDT", "BUSDT")
    contracts = Contracts("Venue", listing)
    found = await asyncio.gather(*(contracts.get("AUSDT") for _ in range(5)))
    assert {one.native for one in found} == {"ausdt"}
    assert set(await contracts.by_native()) == {"ausdt", "busdt"}
    assert listing.asked == 1


async def test_a_refresh_replaces_the_list_and_a_failed_one_keeps_it() -> None:
    listing = Listing("AUSDT")
    contracts = Contracts("Venue", listing)
    await contracts.refresh()
    listing.symbols = ("BUSDT",)
    assert [one.symbol for one in await contracts.refresh()] == ["BUSDT"]
    with pytest.raises(UnknownSymbolError, match="Venue does not list AUSDT"):
        await contracts.get("AUSDT")
    for break_it in ({"down": True}, {"down": False, "symbols": ()}):
        vars(listing).update(break_it)
        with pytest.raises(ExchangeUnavailableError):
            await contracts.refresh()
        assert (await contracts.get("BUSDT")).symbol == "BUSDT"


async def test_a_list_that_cannot_be_read_is_asked_for_again_by_the_next() -> None:
    listing = Listing("AUSDT")
    contracts = Contracts("Venue", listing)
    listing.down = True
    for _ in range(2):
        with pytest.raises(ExchangeUnavailableError):
            await contracts.get("AUSDT")
    listing.down = False
    assert (await contracts.get("AUSDT")).symbol == "AUSDT"
    assert listing.asked == 3


async def test_every_client_keeps_books_and_a_played_exchange_none() -> None:
    clock = VirtualClock(T0)
    kinds = (BinanceExchange, BybitExchange, OkxExchange, HyperliquidExchange)
    for client in [kind(clock=clock, api_url="http://api.test") for kind in kinds]:
        assert isinstance(client, KeepsBooks)
        status = client.status()
        assert (status.requests, status.last_answer_ms, status.busiest.used) == (0, None, 0)
        await client.aclose()
    assert not isinstance(PlaybackExchange("v", [], clock), KeepsBooks)


def test_the_busiest_budget_is_the_one_with_the_least_room() -> None:
    budgets = {"a": BudgetStatus(90, 1200, 60), "b": BudgetStatus(9, 10, 2), "c": BudgetStatus(0, 5, 2)}
    assert LineStatus(budgets, 0, 0, None, None, None, None, {}).busiest is budgets["b"]
