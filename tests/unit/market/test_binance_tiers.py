"""Where the client's risk tiers come from: the public table, the last good one, or the stored one."""

from typing import Any

import httpx
import pytest

from bot.market.binance_brackets import stored_tiers
from bot.market.exchange import RateLimitedError
from bot.market.tiers import with_amounts
from tests.fakes.binance_script import T0, client_of
from tests.fakes.clock import VirtualClock


def exchange_info() -> dict[str, Any]:
    filters = [{"filterType": "PRICE_FILTER", "tickSize": "0.1"}]
    same = {"contractType": "PERPETUAL", "quoteAsset": "USDT", "status": "TRADING", "filters": filters}
    return {"symbols": [same | {"symbol": base + "USDT", "baseAsset": base} for base in ("BTC", "ZRX", "NEW")]}


def brackets(count: int) -> dict[str, Any]:
    def entry(symbol: str) -> dict[str, Any]:
        tier = {"bracketNotionalFloor": 0, "bracketNotionalCap": 50000, "bracketMaintenanceMarginRate": 0.0123}
        return {"symbol": symbol, "riskBrackets": [tier | {"cumFastMaintenanceAmount": 0, "maxOpenPosLeverage": 60}]}

    return {"code": "000000", "data": {"brackets": [entry(f"S{i}USDT") for i in range(count - 1)] + [entry("BTCUSDT")]}}


class Venue:
    """exchangeInfo on the one host, risk tiers on the other."""

    def __init__(self, tiers: httpx.Response) -> None:
        self.tiers = tiers
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if request.url.host == "web.test":
            return httpx.Response(self.tiers.status_code, content=self.tiers.content)
        return httpx.Response(200, json=exchange_info())


async def test_published_tiers_are_fetched_once_in_six_hours_and_give_the_highest_leverage() -> None:
    clock = VirtualClock(T0)
    venue = Venue(httpx.Response(200, json=brackets(100)))
    client = client_of(venue, clock)
    tiers = await client.risk_tiers()
    assert (len(tiers), tiers["BTCUSDT"][0].maintenance_margin_rate) == (100, 0.0123)
    assert await client.risk_tiers() == tiers
    assert await client.risk_tiers_of("BTCUSDT") == tiers["BTCUSDT"]
    assert await client.risk_tiers_of("NOSUCHUSDT") == ()
    assert venue.asked == ["web.test"]
    assert {one.symbol: one.max_leverage for one in await client.instruments()}["BTCUSDT"] == 60
    assert client.status().tiers == "published"
    clock.advance(6 * 3600)
    await client.risk_tiers()
    assert venue.asked.count("web.test") == 2
    await client.aclose()


NO_TIERS = [
    httpx.Response(200, json=brackets(99)),
    httpx.Response(200, json={"code": "000002", "message": "illegal parameter", "data": None}),
    httpx.Response(403, text="<html>forbidden</html>"),
    httpx.Response(404, text="gone"),
    httpx.Response(503),
    httpx.Response(200, text="<html>robot?</html>"),
    httpx.Response(200, content=b"{"),
]


@pytest.mark.parametrize("answer", NO_TIERS, ids=repr)
async def test_without_the_public_table_the_stored_tiers_serve_and_the_market_stays_open(
    answer: httpx.Response,
) -> None:
    clock = VirtualClock(T0)
    venue = Venue(answer)
    client = client_of(venue, clock)
    tiers = await client.risk_tiers()
    assert set(tiers) == {"BTCUSDT", "ZRXUSDT", "NEWUSDT"}
    assert tiers["ZRXUSDT"] == stored_tiers("ZRXUSDT")
    assert client.status().tiers == "stored"
    assert len(await client.instruments()) == 3
    asked = venue.asked.count("web.test")
    await client.risk_tiers()
    assert venue.asked.count("web.test") == asked
    clock.advance(1801)
    venue.tiers = httpx.Response(200, json=brackets(100))
    assert len(await client.risk_tiers()) == 100
    await client.aclose()


async def test_tiers_that_were_good_once_serve_when_the_table_vanishes() -> None:
    clock = VirtualClock(T0)
    venue = Venue(httpx.Response(200, json=brackets(100)))
    client = client_of(venue, clock)
    first = await client.risk_tiers()
    clock.advance(7 * 3600)
    venue.tiers = httpx.Response(404)
    assert await client.risk_tiers() == first
    await client.aclose()


async def test_a_small_venue_can_be_told_to_be_enough() -> None:
    client = client_of(Venue(httpx.Response(200, json=brackets(2))), least_symbols=1)
    assert len(await client.risk_tiers()) == 2
    await client.aclose()


async def test_during_a_ban_not_even_the_web_site_is_asked() -> None:
    venue = Venue(httpx.Response(200, json=brackets(100)))
    client = client_of(venue, banned_until_ms=T0 + 60_000)
    with pytest.raises(RateLimitedError):
        await client.risk_tiers()
    assert venue.asked == []
    await client.aclose()


@pytest.mark.parametrize("published", [True, False])
async def test_tiers_that_the_stream_told_stand_before_the_table_for_a_day(published: bool) -> None:
    clock = VirtualClock(T0)
    client = client_of(Venue(httpx.Response(200 if published else 503, json=brackets(100))), clock)
    before = await client.risk_tiers()
    told = with_amounts([(20.0, 0.03, 1e5)])
    client.keep_tiers("BTCUSDT", told)
    assert await client.risk_tiers_of("BTCUSDT") == told
    assert await client.risk_tiers() == {**before, "BTCUSDT": told}, "the others keep theirs"
    clock.advance(86_400)
    assert await client.risk_tiers_of("BTCUSDT") == before["BTCUSDT"]
    await client.aclose()
