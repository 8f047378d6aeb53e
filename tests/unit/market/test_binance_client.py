"""The Binance client against scripted answers: pages, clocks, and every row of the error table. Nothing waits."""

import asyncio
import json
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from bot.market.binance import BinanceExchange
from bot.market.binance_brackets import stored_tiers
from bot.market.exchange import (
    Exchange,
    ExchangeError,
    ExchangeUnavailableError,
    GeoBlockedError,
    RateLimitedError,
    UnknownSymbolError,
)
from bot.market.types import BAR_MS
from tests.fakes.clock import VirtualClock

T0 = 1_766_188_800_000  # 2025-12-20T00:00:00Z
DAY_MS = 86_400_000

Script = Callable[[httpx.Request], httpx.Response]


def client_of(script: Script, clock: VirtualClock | None = None, **options: Any) -> BinanceExchange:
    return BinanceExchange(
        clock=clock or VirtualClock(T0),
        api_url="http://api.test",
        web_url="http://web.test",
        transport=httpx.MockTransport(script),
        jitter=lambda: 0.5,
        **options,
    )


class Answers:
    """Gives its answers one after the other, the last one for ever; remembers the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        # A response object can be read once only.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def klines(start_ms: int, end_ms: int, limit: int) -> list[list[object]]:
    opens = range(-(-start_ms // BAR_MS) * BAR_MS, end_ms + 1, BAR_MS)
    return [[ms, "1", "3", "1", "2", "10", ms + BAR_MS - 1, "20", 1, "6", "12", "0"] for ms in opens][:limit]


class Market:
    """Answers klines and open interest for any range, as the venue does, and notes what was asked."""

    def __init__(self, clock: VirtualClock, missing: set[int] | None = None) -> None:
        self.clock = clock
        self.asked: list[dict[str, str]] = []
        self.missing = missing or set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        ask = dict(request.url.params)
        self.asked.append(ask)
        start_ms, end_ms, limit = int(ask["startTime"]), int(ask["endTime"]), int(ask["limit"])
        if request.url.path == "/fapi/v1/klines":
            rows = klines(start_ms, min(end_ms, self.clock.now_ms()), limit + len(self.missing))
            return httpx.Response(200, json=[row for row in rows if row[0] not in self.missing][:limit])
        assert request.url.path == "/futures/data/openInterestHist"
        if start_ms < self.clock.now_ms() - 30 * DAY_MS:
            return httpx.Response(400, json={"code": -1130, "msg": "Data sent for parameter 'startTime' is not valid."})
        times = range(-(-start_ms // BAR_MS) * BAR_MS, min(end_ms, self.clock.now_ms()) + 1, BAR_MS)
        oi = [{"symbol": "X", "sumOpenInterest": "7", "sumOpenInterestValue": "1", "timestamp": ms} for ms in times]
        return httpx.Response(200, json=oi[:limit])


BARS = httpx.Response(200, json=klines(T0 - BAR_MS, T0 - 1, 10))


async def one_bar(client: BinanceExchange) -> int:
    return len(await client.bars("BTCUSDT", start_ms=T0 - BAR_MS, end_ms=T0))


async def test_the_client_is_an_exchange() -> None:
    client: Exchange = client_of(Answers(BARS))
    assert client.name == "binance"
    await client.aclose()


async def test_thirty_days_of_bars_are_18_pages_of_the_cheapest_size() -> None:
    clock = VirtualClock(T0 + 123_456)
    market = Market(clock)
    client = client_of(market, clock)
    bars = await client.bars("ZRXUSDT", start_ms=T0 - 30 * DAY_MS, end_ms=T0 + 600_000)
    assert bars.open_ms.tolist() == list(range(T0 - 30 * DAY_MS, T0, BAR_MS))
    assert len(market.asked) == 18
    assert {ask["limit"] for ask in market.asked[:-1]} == {"499"}
    assert market.asked[0]["interval"] == "5m"
    assert client.status().weight.used == 36
    await client.aclose()


async def test_a_short_range_asks_for_few_bars_at_the_lowest_weight() -> None:
    clock = VirtualClock(T0)
    market = Market(clock)
    client = client_of(market, clock)
    assert len(await client.bars("ZRXUSDT", start_ms=T0 - 3 * BAR_MS + 1, end_ms=T0)) == 2
    assert (market.asked[0]["limit"], client.status().weight.used) == ("2", 1)
    await client.aclose()


async def test_a_gap_stays_a_gap_across_pages() -> None:
    clock = VirtualClock(T0)
    gap = {T0 - step * BAR_MS for step in (600, 599, 3)}
    client = client_of(Market(clock, missing=gap), clock)
    bars = await client.bars("ZRXUSDT", start_ms=T0 - 700 * BAR_MS, end_ms=T0)
    assert len(bars) == 697
    assert not gap & set(bars.open_ms.tolist())
    await client.aclose()


async def test_pages_that_overlap_are_joined_once() -> None:
    def overlapping(request: httpx.Request) -> httpx.Response:
        ask = request.url.params
        start_ms, limit = int(ask["startTime"]), int(ask["limit"])
        return httpx.Response(200, json=klines(start_ms - BAR_MS * (limit > 100), T0 - 1, limit))

    client = client_of(overlapping)
    bars = await client.bars("ZRXUSDT", start_ms=T0 - 1000 * BAR_MS, end_ms=T0)
    assert bars.open_ms.tolist() == list(range(T0 - 1000 * BAR_MS, T0, BAR_MS))
    await client.aclose()


async def test_pages_that_never_advance_are_an_error_not_a_loop() -> None:
    page = klines(T0 - 2000 * BAR_MS, T0, 499)
    client = client_of(Answers(httpx.Response(200, json=page)))
    with pytest.raises(ExchangeUnavailableError, match="not asked for"):
        await client.bars("ZRXUSDT", start_ms=T0 - 1000 * BAR_MS, end_ms=T0)
    await client.aclose()


async def test_whether_a_bar_is_closed_is_told_by_the_venues_clock() -> None:
    page = klines(T0 - BAR_MS, T0, 2)
    date = {"Date": formatdate(T0 / 1000 + 200, usegmt=True)}
    ahead = VirtualClock(T0 + 400_000)  # this machine believes the second bar to be closed
    client = client_of(Answers(httpx.Response(200, json=page, headers=date)), ahead)
    assert (await client.bars("BTCUSDT", start_ms=T0 - BAR_MS, end_ms=T0 + BAR_MS)).open_ms.tolist() == [T0 - BAR_MS]
    assert client.status().clock_skew_ms == -200_000
    assert client.server_now_ms() == T0 + 200_000
    await client.aclose()


async def test_open_interest_history_is_clamped_to_the_30_days_that_exist() -> None:
    clock = VirtualClock(T0)
    market = Market(clock)
    client = client_of(market, clock)
    history = await client.open_interest_history("BTCUSDT", start_ms=T0 - 90 * DAY_MS, end_ms=T0 + DAY_MS)
    assert len(market.asked) == 18
    assert history.time_ms.tolist() == list(range(T0 - 30 * DAY_MS + 600_000 + BAR_MS, T0 + 1, BAR_MS))
    assert market.asked[0]["period"] == "5m"
    assert client.status().data_requests.used == 18
    assert client.status().weight.used == 0
    await client.aclose()


async def test_a_range_before_the_30_days_asks_nothing() -> None:
    market = Market(VirtualClock(T0))
    client = client_of(market)
    history = await client.open_interest_history("BTCUSDT", start_ms=T0 - 90 * DAY_MS, end_ms=T0 - 60 * DAY_MS)
    assert len(history) == 0
    assert market.asked == []
    await client.aclose()


async def test_open_interest_of_a_new_listing_is_empty() -> None:
    client = client_of(Answers(httpx.Response(200, json=[])))
    assert len(await client.open_interest_history("NEWUSDT", start_ms=T0 - DAY_MS, end_ms=T0)) == 0
    await client.aclose()


async def test_the_history_budget_stays_below_500_requests_in_5_minutes() -> None:
    clock = VirtualClock(T0)
    moments: list[float] = []

    def note(request: httpx.Request) -> httpx.Response:
        moments.append(clock.monotonic())
        return httpx.Response(200, json=[])

    client = client_of(note, clock)
    await asyncio.gather(
        *(client.open_interest_history(f"S{i}USDT", start_ms=T0 - DAY_MS, end_ms=T0) for i in range(1200))
    )
    assert len(moments) == 1200
    assert max(sum(1 for at in moments if start <= at < start + 300) for start in moments) == 500
    await client.aclose()


async def test_open_interest_of_a_settling_contract_is_said_to_be_missing() -> None:
    client = client_of(Answers(httpx.Response(200, json={"symbol": "A", "openInterest": "0.000", "time": T0})))
    with pytest.raises(ExchangeUnavailableError, match="no open interest for AUSDT"):
        await client.open_interest("AUSDT")
    await client.aclose()


async def test_names_outside_ascii_are_percent_encoded() -> None:
    answers = Answers(httpx.Response(200, json={"openInterest": "5", "time": T0}))
    client = client_of(answers)
    await client.open_interest("币安人生USDT")
    assert answers.requests[0].url.raw_path == b"/fapi/v1/openInterest?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT"
    await client.aclose()


async def test_mark_prices_volumes_and_time_cost_their_weight() -> None:
    def script(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/fapi/v1/time":
            return httpx.Response(200, json={"serverTime": T0})
        return httpx.Response(200, json=[{"symbol": "A", "markPrice": "2", "quoteVolume": "30", "time": T0}])

    client = client_of(script)
    assert (await client.mark_prices()).price.tolist() == [2.0]
    assert client.status().weight.used == 10
    assert await client.volumes() == {"A": 30.0}
    assert client.status().weight.used == 50
    assert await client.server_time_ms() == T0
    assert client.status().weight.used == 51
    await client.aclose()


SLOW_DOWN = {"code": -1003, "msg": "Too many requests; current limit of IP(192.0.2.1) is 2400 requests per minute."}


async def test_429_stops_everything_for_retry_after_and_halves_the_rate() -> None:
    clock = VirtualClock(T0)
    answers = Answers(httpx.Response(429, json=SLOW_DOWN, headers={"Retry-After": "17"}), BARS)
    client = client_of(answers, clock)
    with pytest.raises(RateLimitedError) as caught:
        await one_bar(client)
    assert caught.value.until_ms == client.banned_until_ms == T0 + 17_000
    assert "192.0.2.1" not in str(caught.value)
    with pytest.raises(RateLimitedError):
        await client.mark_prices()
    assert len(answers.requests) == 1
    assert client.status().weight.allowed == 600
    clock.advance(17)
    assert await one_bar(client) == 1
    assert client.status().banned_until_ms is None
    await client.aclose()


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "soon"}])
async def test_429_without_a_usable_time_pauses_one_second(headers: dict[str, str]) -> None:
    client = client_of(Answers(httpx.Response(429, json=SLOW_DOWN, headers=headers)))
    with pytest.raises(RateLimitedError) as caught:
        await one_bar(client)
    assert caught.value.until_ms == T0 + 1000
    await client.aclose()


def banned(until_ms: int) -> httpx.Response:
    text = f"Way too many requests; IP(192.0.2.1) banned until {until_ms}. Please use the websocket for live updates."
    return httpx.Response(418, json={"code": -1003, "msg": text}, headers={"Retry-After": "5"})


async def test_418_is_obeyed_until_the_banned_time_and_across_a_restart() -> None:
    clock = VirtualClock(T0)
    client = client_of(Answers(banned(T0 + 3_600_000)), clock)
    with pytest.raises(RateLimitedError, match="banned this address"):
        await one_bar(client)
    until_ms = client.banned_until_ms
    assert until_ms == T0 + 3_601_000
    await client.aclose()

    answers = Answers(BARS)
    restarted = client_of(answers, clock, banned_until_ms=until_ms)
    with pytest.raises(RateLimitedError) as caught:
        await one_bar(restarted)
    assert (caught.value.until_ms, answers.requests) == (until_ms, [])
    clock.advance(3601)
    assert await one_bar(restarted) == 1
    await restarted.aclose()


async def test_the_banned_time_is_the_venues_so_a_clock_that_is_ahead_waits_longer() -> None:
    ahead = VirtualClock(T0 + 600_000)
    answer = banned(T0 + 120_000)
    answer.headers["Date"] = formatdate(T0 / 1000, usegmt=True)
    client = client_of(Answers(answer), ahead)
    with pytest.raises(RateLimitedError) as caught:
        await one_bar(client)
    assert caught.value.until_ms == T0 + 600_000 + 121_000
    await client.aclose()


async def test_a_ban_and_a_geo_block_are_logged_once_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    for answer in (banned(T0 + 60_000), httpx.Response(451)):
        client = client_of(Answers(answer))
        for _ in range(3):
            with pytest.raises(ExchangeError):
                await one_bar(client)
        await client.aclose()
    assert [record.name for record in caplog.records if record.levelname == "WARNING"] == [
        "bot.market.binance_rest"
    ] * 2
    assert "192.0.2.1" not in caplog.text


async def test_a_ban_longer_than_binance_ever_gives_is_cut() -> None:
    client = client_of(Answers(banned(9_999_999_999_999)))
    with pytest.raises(RateLimitedError) as caught:
        await one_bar(client)
    assert caught.value.until_ms == T0 + 4 * DAY_MS
    await client.aclose()


async def test_418_without_a_body_is_five_minutes() -> None:
    client = client_of(Answers(httpx.Response(418, text="teapot")))
    with pytest.raises(RateLimitedError) as caught:
        await one_bar(client)
    assert caught.value.until_ms == T0 + 301_000
    await client.aclose()


async def test_requests_that_wait_when_a_ban_comes_are_not_sent() -> None:
    clock = VirtualClock(T0)
    answers = Answers(banned(T0 + 60_000))
    client = client_of(answers, clock)
    results = await asyncio.gather(*(one_bar(client) for _ in range(2000)), return_exceptions=True)
    assert all(isinstance(result, RateLimitedError) for result in results)
    assert len(answers.requests) <= 10
    await client.aclose()


@pytest.mark.parametrize("status", [451, 403])
async def test_a_geo_block_turns_the_venue_off_and_is_rechecked_after_30_minutes(status: int) -> None:
    clock = VirtualClock(T0)
    answers = Answers(httpx.Response(status, text="<html>no</html>"), BARS)
    client = client_of(answers, clock)
    for _ in range(3):
        with pytest.raises(GeoBlockedError):
            await one_bar(client)
    assert len(answers.requests) == 1
    assert client.status().geo_blocked_until_ms == T0 + 1_800_000
    clock.advance(1800)
    assert await one_bar(client) == 1
    await client.aclose()


OVERLOADS: list[httpx.Response | Exception] = [
    httpx.Response(500),
    httpx.Response(502, text="<html>bad gateway</html>"),
    httpx.Response(503, json={"code": -1008, "msg": "Server is currently overloaded with other requests."}),
    httpx.Response(400, json={"code": -1008, "msg": "Server is currently overloaded with other requests."}),
    httpx.Response(408, json={"code": -1007, "msg": "Timeout waiting for response from backend server."}),
    httpx.Response(200, text="\n<!DOCTYPE html><html>please wait</html>", headers={"Content-Type": "text/html"}),
    httpx.ReadTimeout("slow"),
    httpx.ConnectTimeout("slow"),
    httpx.ConnectError("refused"),
    httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
]


@pytest.mark.parametrize("trouble", OVERLOADS, ids=repr)
async def test_overload_is_tried_again_three_times_with_growing_waits(trouble: httpx.Response | Exception) -> None:
    clock = VirtualClock(T0)
    answers = Answers(trouble, trouble, trouble, BARS)
    client = client_of(answers, clock)
    assert await one_bar(client) == 1
    assert clock.slept == [0.5, 1.0, 2.0]
    assert client.status().retried == 3
    assert client.status().weight.used == 4
    await client.aclose()


@pytest.mark.parametrize("trouble", OVERLOADS, ids=repr)
async def test_overload_that_stays_is_one_clear_error(trouble: httpx.Response | Exception) -> None:
    answers = Answers(trouble)
    client = client_of(answers)
    with pytest.raises(ExchangeUnavailableError, match=r"^Binance gave no usable answer for /fapi/v1/klines: .*\.$"):
        await one_bar(client)
    assert len(answers.requests) == 4
    await client.aclose()


async def test_a_look_at_prices_is_tried_again_once_only_because_the_next_is_due() -> None:
    answers = Answers(httpx.Response(503))
    client = client_of(answers)
    with pytest.raises(ExchangeUnavailableError):
        await client.mark_prices()
    assert len(answers.requests) == 2
    await client.aclose()


@pytest.mark.parametrize("code", [-1121, -4144, -1122])
async def test_an_unknown_symbol_is_told_apart(code: int) -> None:
    answers = Answers(httpx.Response(400, json={"code": code, "msg": "Invalid symbol."}))
    client = client_of(answers)
    with pytest.raises(UnknownSymbolError):
        await one_bar(client)
    assert len(answers.requests) == 1
    await client.aclose()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (httpx.Response(400, json={"code": -1130, "msg": "Data sent for\nparameter is not valid."}), "code -1130"),
        (httpx.Response(404, text="<html>not here</html>"), "status 404"),
        (httpx.Response(301, headers={"Location": "http://elsewhere.test/"}), "status 301"),
        (httpx.Response(200, content=b'[[1,"2"'), "broken JSON"),
        (httpx.Response(200, content=b"\xff\xfe\x00"), "broken JSON"),
        (httpx.Response(200, content=b"[" * 200_000), "broken JSON"),
        (httpx.Response(200, content=b""), "broken JSON"),
        (httpx.Response(200, json={"rows": []}), "shape"),
        (httpx.Response(200, content=b"null"), "shape"),
    ],
)
async def test_a_refusal_or_a_broken_answer_is_one_sentence_and_no_retry(answer: httpx.Response, text: str) -> None:
    answers = Answers(answer)
    client = client_of(answers)
    with pytest.raises(ExchangeError, match=text) as caught:
        await one_bar(client)
    assert "\n" not in str(caught.value)
    assert len(answers.requests) == 1
    await client.aclose()


async def test_an_empty_list_of_instruments_cannot_be() -> None:
    client = client_of(Answers(httpx.Response(200, json={"symbols": []})))
    with pytest.raises(ExchangeUnavailableError, match="no trading USDT perpetual"):
        await client.instruments()
    await client.aclose()


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


async def test_a_drip_of_bytes_ends_at_the_deadline() -> None:
    def never_whole(request: httpx.Request) -> httpx.Response:
        raise TimeoutError

    client = client_of(never_whole)
    with pytest.raises(ExchangeUnavailableError, match="was not whole after 20 s"):
        await one_bar(client)
    await client.aclose()


async def test_dropped_rows_are_counted_in_the_status() -> None:
    rows = klines(T0 - BAR_MS, T0 - 1, 1)
    rows[0][2] = "0.5"
    client = client_of(Answers(httpx.Response(200, content=json.dumps(rows).encode())))
    assert await one_bar(client) == 0
    assert client.status().dropped_rows == {"bars: high below low": 1}
    await client.aclose()
