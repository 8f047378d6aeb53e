"""The Hyperliquid client against scripted answers: one question for all, weights, silences. Nothing waits."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from bot.market.exchange import (
    Exchange,
    ExchangeError,
    ExchangeUnavailableError,
    GeoBlockedError,
    RateLimitedError,
    UnknownSymbolError,
)
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.types import BAR_MS
from tests.fakes.clock import VirtualClock
from tests.fakes.scripted import DAY_MS, T0, Answers, travel


def everything() -> list[object]:
    universe = [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 40},
        {"name": "GONE", "szDecimals": 1, "maxLeverage": 20, "marginTableId": 20, "isDelisted": True},
        {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10, "marginTableId": 99},
    ]
    contexts = [
        {"markPx": "90000", "openInterest": "10", "dayNtlVlm": "5000"},
        {"markPx": "0.4", "openInterest": "0.0", "dayNtlVlm": "0.0"},
        {"markPx": "0.01", "openInterest": "0.0", "dayNtlVlm": "oops"},
    ]
    return [{"universe": universe, "marginTables": []}, contexts]


FINE = httpx.Response(200, json=everything())


class Venue:
    """All contracts, and bars for any range; notes what it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.asked: list[dict[str, Any]] = []

    def count(self, kind: str) -> int:
        return sum(body["type"] == kind for body in self.asked)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/info")
        body = json.loads(request.content)
        self.asked.append(body)
        if body["type"] == "metaAndAssetCtxs":
            return httpx.Response(200, json=everything())
        wanted = body["req"]
        times = range(wanted["startTime"], min(wanted["endTime"], self.clock.now_ms()) + 1, BAR_MS)
        rows = [{"t": ms, "o": "1", "h": "3", "l": "1", "c": "2", "v": "10"} for ms in times]
        return httpx.Response(200, json=rows[-5000:])


def rig(at_ms: int = T0) -> tuple[Venue, HyperliquidExchange, VirtualClock]:
    clock = VirtualClock(at_ms)
    venue = Venue(clock)
    return venue, HyperliquidExchange(clock=clock, api_url="http://api.test", transport=travel(venue)), clock


def client_of(answers: Answers, clock: VirtualClock | None = None, **options: Any) -> HyperliquidExchange:
    return HyperliquidExchange(
        clock=clock or VirtualClock(T0), api_url="http://api.test", transport=travel(answers), **options
    )


async def test_the_client_is_an_exchange_without_a_history_of_open_interest() -> None:
    venue, made, _ = rig()
    client: Exchange = made
    assert (client.name, client.gives_open_interest_history) == ("hyperliquid", False)
    assert len(await client.open_interest_history("BTCUSDT", start_ms=0, end_ms=T0)) == 0
    assert venue.asked == []
    await client.aclose()


async def test_one_answer_serves_every_question_for_six_seconds() -> None:
    venue, client, clock = rig()
    assert [one.symbol for one in await client.instruments()] == ["BTCUSDT", "1000PEPEUSDT"]
    first, *_ = await asyncio.gather(*(client.mark_prices() for _ in range(5)))
    assert dict(zip(first.symbols, first.price.tolist(), strict=True)) == {"BTCUSDT": 90000, "1000PEPEUSDT": 0.01}
    assert await client.volumes() == {"BTCUSDT": 5000}
    assert (await client.open_interest("BTCUSDT")).coins.tolist() == [5]
    assert set(await client.risk_tiers()) == {"BTCUSDT"}
    assert (await client.risk_tiers_of("BTCUSDT"))[0].maintenance_margin_rate == 0.0125
    assert await client.risk_tiers_of("1000PEPEUSDT") == ()
    assert len(venue.asked) == 1
    assert client.status().budgets["weight"].used == 20
    clock.advance(5)
    assert (await client.mark_prices()).time_ms.tolist() == first.time_ms.tolist()
    clock.advance(1)
    assert (await client.mark_prices()).time_ms.tolist() == [T0 + 6000] * 2
    assert len(venue.asked) == 2
    await client.aclose()


async def test_prices_looked_at_every_two_seconds_take_a_third_of_the_half() -> None:
    venue, client, clock = rig()
    for _ in range(60):
        await client.mark_prices()
        clock.advance(2)
    assert venue.count("metaAndAssetCtxs") == 20
    assert client.status().budgets["weight"].used <= 200
    await client.aclose()


async def test_only_the_latest_5000_bars_are_asked_for_in_one_request_by_the_venues_name() -> None:
    venue, client, _ = rig(T0 + 1000)
    bars = await client.bars("1000PEPEUSDT", start_ms=T0 - 30 * DAY_MS, end_ms=T0)
    assert bars.open_ms.tolist() == list(range(T0 - 4999 * BAR_MS, T0, BAR_MS))
    wanted = venue.asked[-1]["req"]
    assert (wanted["coin"], wanted["interval"], wanted["endTime"]) == ("kPEPE", "5m", T0 - 1)
    assert client.status().budgets["weight"].used == 20 + 20 + 84
    assert venue.count("candleSnapshot") == 1
    assert len(await client.bars("BTCUSDT", start_ms=0, end_ms=T0 - 40 * DAY_MS)) == 0
    assert venue.count("candleSnapshot") == 1
    await client.aclose()


async def test_a_few_bars_cost_little() -> None:
    _, client, _ = rig()
    assert len(await client.bars("BTCUSDT", start_ms=T0 - 3 * BAR_MS, end_ms=T0)) == 3
    assert client.status().budgets["weight"].used == 20 + 21
    await client.aclose()


async def test_history_never_takes_the_lane_of_prices() -> None:
    _, client, clock = rig()
    await asyncio.gather(*(client.bars("BTCUSDT", start_ms=T0 - DAY_MS, end_ms=T0) for _ in range(60)))
    assert clock.monotonic() > 180
    assert client.status().budgets["weight"].used <= 380
    await client.aclose()


@pytest.mark.parametrize("symbol", ["NOSUCHUSDT", "GONEUSDT", "kPEPEUSDT"])
async def test_a_symbol_that_is_not_listed_is_unknown(symbol: str) -> None:
    _, client, _ = rig()
    for question in (
        client.bars(symbol, start_ms=0, end_ms=T0),
        client.open_interest(symbol),
        client.risk_tiers_of(symbol),
    ):
        with pytest.raises(UnknownSymbolError, match=f"Hyperliquid does not list {symbol}"):
            await question
    await client.aclose()


async def test_a_contract_without_open_interest_says_so() -> None:
    _, client, _ = rig()
    with pytest.raises(ExchangeUnavailableError, match="no open interest for 1000PEPEUSDT"):
        await client.open_interest("1000PEPEUSDT")
    await client.aclose()


@pytest.mark.parametrize(("headers", "seconds"), [({}, 10), ({"Retry-After": "30"}, 30), ({"Retry-After": "x"}, 10)])
async def test_429_is_a_silence_and_half_the_rate(headers: dict[str, str], seconds: int) -> None:
    clock = VirtualClock(T0)
    answers = Answers(httpx.Response(429, text="null", headers=headers), FINE)
    client = client_of(answers, clock)
    for _ in range(3):
        with pytest.raises(RateLimitedError) as caught:
            await client.mark_prices()
        assert caught.value.until_ms == client.banned_until_ms == T0 + seconds * 1000
    assert len(answers.requests) == 1
    assert client.status().budgets["weight"].allowed == 300
    clock.advance(seconds)
    assert len((await client.mark_prices()).symbols) == 2
    await client.aclose()


async def test_a_silence_from_an_earlier_run_is_kept() -> None:
    answers = Answers(FINE)
    client = client_of(answers, banned_until_ms=T0 + 5_000)
    with pytest.raises(RateLimitedError):
        await client.instruments()
    assert answers.requests == []
    await client.aclose()


@pytest.mark.parametrize("status", [403, 451])
async def test_a_geo_block_is_rechecked_after_30_minutes(status: int) -> None:
    clock = VirtualClock(T0)
    answers = Answers(httpx.Response(status, text="<html>no</html>"), FINE)
    client = client_of(answers, clock)
    for _ in range(3):
        with pytest.raises(GeoBlockedError, match="Hyperliquid does not serve"):
            await client.instruments()
    assert len(answers.requests) == 1
    clock.advance(1800)
    assert len(await client.instruments()) == 2
    await client.aclose()


OVERLOADS: list[httpx.Response | Exception] = [
    httpx.Response(500, text="null"),
    httpx.Response(502, text="<html>bad gateway</html>"),
    httpx.Response(200, text="<!DOCTYPE html><html>please wait</html>"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("peer closed connection"),
]


@pytest.mark.parametrize("trouble", OVERLOADS, ids=repr)
async def test_overload_is_tried_again_with_the_same_question(trouble: httpx.Response | Exception) -> None:
    clock = VirtualClock(T0)
    answers = Answers(trouble, trouble, trouble, FINE)
    client = client_of(answers, clock)
    assert len(await client.instruments()) == 2
    assert clock.slept == [0.5, 1.0, 2.0]
    assert {request.content for request in answers.requests} == {b'{"type":"metaAndAssetCtxs"}'}
    await client.aclose()


async def test_a_look_at_prices_is_tried_again_once_only_because_the_next_is_due() -> None:
    answers = Answers(httpx.Response(503))
    client = client_of(answers)
    with pytest.raises(ExchangeUnavailableError, match="Hyperliquid gave no usable answer for /info"):
        await client.mark_prices()
    assert len(answers.requests) == 2
    await client.aclose()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (httpx.Response(422, text="Failed to deserialize the JSON body into the target type"), "status 422"),
        (httpx.Response(200, content=b"{"), "broken JSON"),
        (httpx.Response(200, content=b"null"), "shape"),
        (httpx.Response(200, json=[{"universe": []}, []]), "no trading USDT perpetual"),
    ],
)
async def test_a_refusal_or_a_broken_answer_is_one_sentence_and_no_retry(answer: httpx.Response, text: str) -> None:
    answers = Answers(answer)
    client = client_of(answers)
    with pytest.raises(ExchangeError, match=text) as caught:
        await client.instruments()
    assert "\n" not in str(caught.value)
    assert len(answers.requests) == 1
    await client.aclose()
