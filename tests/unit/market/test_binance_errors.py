"""Every row of Binance's error table against the client, with scripted answers. Nothing waits."""

import asyncio
from email.utils import formatdate

import httpx
import pytest

from bot.market.exchange import (
    ExchangeError,
    ExchangeUnavailableError,
    GeoBlockedError,
    RateLimitedError,
    UnknownSymbolError,
)
from tests.fakes.binance_script import BARS, DAY_MS, T0, Answers, client_of, one_bar
from tests.fakes.clock import VirtualClock

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
    assert [record.name for record in caplog.records if record.levelname == "WARNING"] == ["bot.market.rest"] * 2
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


async def test_a_drip_of_bytes_ends_at_the_deadline() -> None:
    def never_whole(request: httpx.Request) -> httpx.Response:
        raise TimeoutError

    client = client_of(never_whole)
    with pytest.raises(ExchangeUnavailableError, match="was not whole after 20 s"):
        await one_bar(client)
    await client.aclose()
