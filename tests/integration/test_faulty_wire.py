"""Every question of every client over a wire that is late, cut, noisy, slow or dead: a right answer or a sentence."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest

from bot.market.binance import BinanceExchange
from bot.market.bybit import BybitExchange
from bot.market.exchange import ExchangeError, ExchangeUnavailableError, LiveExchange
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.okx import OkxExchange
from bot.market.rest import Transport
from bot.market.types import BAR_MS
from bot.settings import EXCHANGES
from tests.fakes.clock import VirtualClock
from tests.fakes.fault_proxy import Fault, FaultProxy
from tests.integration.test_four_venues import four_fakes
from tests.integration.venue_rigs import NOW_MS
from tests.shared import needs_shared

pytestmark = needs_shared

PATIENCE_S = 0.3
HOUR_MS = 3_600_000
SENTENCE = re.compile(r"^[A-Z].*\.$", re.DOTALL)

Question = Callable[[LiveExchange], Awaitable[Any]]
ASKED: dict[str, Question] = {
    "instruments": lambda of: of.instruments(),
    "bars": lambda of: of.bars("BTCUSDT", start_ms=NOW_MS - 20 * HOUR_MS, end_ms=NOW_MS),
    "open interest history": lambda of: of.open_interest_history(
        "BTCUSDT", start_ms=NOW_MS - 20 * HOUR_MS, end_ms=NOW_MS - BAR_MS
    ),
    "open interest": lambda of: of.open_interest("BTCUSDT"),
    "prices": lambda of: of.mark_prices(),
    "volumes": lambda of: of.volumes(),
    "ratios": lambda of: of.long_short_ratios(
        "BTCUSDT", of.crowds[0], start_ms=NOW_MS - 20 * HOUR_MS, end_ms=NOW_MS - BAR_MS
    ),
    # No more: coarser steps move with the price, so that two answers of a moment apart differ.
    "depth": lambda of: of.depth("BTCUSDT", levels=20),
}


def client_of(name: str, url: str, clock: VirtualClock) -> LiveExchange:
    # A transport of its own keeps a proxy of the machine's environment out of the test.
    http = httpx.AsyncHTTPTransport()
    if name == "binance":
        return BinanceExchange(clock=clock, api_url=url, web_url=url, transport=http, timeout_s=PATIENCE_S)
    travel = Transport(http, timeout_s=PATIENCE_S)
    kinds: dict[str, Callable[..., LiveExchange]] = {
        "bybit": BybitExchange,
        "okx": OkxExchange,
        "hyperliquid": HyperliquidExchange,
    }
    return kinds[name](clock=clock, api_url=url, transport=travel)


@asynccontextmanager
async def spoiled(name: str) -> AsyncIterator[tuple[LiveExchange, FaultProxy, dict[str, Any], dict[str, Question]]]:
    """A client over a wire, what the venue says to each question, and the questions it has an answer to."""
    clock = VirtualClock(NOW_MS)
    async with four_fakes(lambda: clock.now_ms() / 1000) as fakes, FaultProxy(fakes[name].url) as wire:
        client = client_of(name, wire.url, clock)
        lacks = {"ratios": not client.crowds, "open interest history": not client.gives_open_interest_history}
        questions = {what: ask for what, ask in ASKED.items() if not lacks.get(what)}
        truth = {what: await ask(client) for what, ask in questions.items()}
        clock.advance(60)
        yield client, wire, truth, questions
        wire.cut()
        await client.aclose()


async def outcome(ask: Awaitable[Any]) -> Any:
    """What was answered, or the error; a hang fails."""
    async with asyncio.timeout(30):
        try:
            return await ask
        except ExchangeError as error:
            return error


def same(found: Any, truth: Any) -> bool:
    """Whether an answer is the venue's, a minute later or not."""
    if names := getattr(truth, "__struct_fields__", None) or getattr(truth, "__dataclass_fields__", None):
        return all(same(getattr(found, name), getattr(truth, name)) for name in names)
    if isinstance(truth, np.ndarray):
        return found.shape == truth.shape and np.allclose(found, truth, rtol=0.01, equal_nan=True)
    if isinstance(truth, dict):
        return found.keys() == truth.keys() and all(same(found[key], truth[key]) for key in truth)
    if isinstance(truth, float | int) and not isinstance(truth, bool):
        return bool(np.isclose(found, truth, rtol=0.01))
    return bool(found == truth)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", EXCHANGES)
async def test_one_fault_costs_a_moment_and_never_a_wrong_answer(name: str, fault: Fault) -> None:
    async with spoiled(name) as (client, wire, truth, questions):
        wire.spoil(fault, times=len(questions))
        answers = await asyncio.gather(*(outcome(ask(client)) for ask in questions.values()))
        assert wire.met[fault]
        wire.heal()
        for what, found in zip(questions, answers, strict=True):
            if isinstance(found, ExchangeError):
                assert isinstance(found, ExchangeUnavailableError), (what, found)
                assert SENTENCE.match(str(found)), (what, found)
            else:
                assert same(found, truth[what]), what
        if fault is Fault.LATENCY:
            assert not [found for found in answers if isinstance(found, ExchangeError)]
        again = await asyncio.gather(*(outcome(ask(client)) for ask in questions.values()))
        for what, found in zip(questions, again, strict=True):
            assert same(found, truth[what]), what
        assert client.status().dropped_rows == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.LATENCY])
@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_fault_that_stays_is_one_sentence(name: str, fault: Fault) -> None:
    async with spoiled(name) as (client, wire, truth, questions):
        wire.spoil(fault)
        for found in await asyncio.gather(*(outcome(questions[what](client)) for what in ("bars", "prices"))):
            assert isinstance(found, ExchangeUnavailableError), found
            assert SENTENCE.match(str(found)), found
        wire.heal()
        wire.cut()
        assert same(await client.mark_prices(), truth["prices"])
