"""Every row of Bybit's error table against the client, with scripted answers. Nothing waits."""

import httpx
import pytest

from bot.market.bybit import BybitExchange
from bot.market.exchange import (
    ExchangeError,
    ExchangeUnavailableError,
    GeoBlockedError,
    RateLimitedError,
    UnknownSymbolError,
)
from tests.fakes.clock import VirtualClock
from tests.fakes.scripted import T0, Answers, travel

PAGE = "<!DOCTYPE HTML><html>The Amazon CloudFront distribution is configured to block access from your country.</html>"


def body(code: int = 0, message: str = "OK", *rows: object) -> dict[str, object]:
    return {"retCode": code, "retMsg": message, "result": {"list": list(rows)}, "time": T0}


INSTRUMENT = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "priceFilter": {"tickSize": "0.1"},
}
FINE = httpx.Response(200, json=body(0, "OK", INSTRUMENT))


def client_of(answers: Answers, clock: VirtualClock | None = None, **options: int) -> BybitExchange:
    return BybitExchange(
        clock=clock or VirtualClock(T0), api_url="http://api.test", transport=travel(answers), **options
    )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403, json={"retCode": 403, "retMsg": "access too frequent"}),
        httpx.Response(403, text="access too frequent"),
        httpx.Response(403, text="<html><body>403 access too frequent</body></html>"),
        httpx.Response(200, json=body(10018, "Exceeded the IP Rate Limit.")),
        httpx.Response(200, json=body(10009, "IP has been banned.")),
    ],
    ids=repr,
)
async def test_too_many_requests_of_an_address_are_ten_minutes_of_silence(answer: httpx.Response) -> None:
    clock = VirtualClock(T0)
    answers = Answers(answer, FINE)
    client = client_of(answers, clock)
    for _ in range(3):
        with pytest.raises(RateLimitedError) as caught:
            await client.instruments()
        assert caught.value.until_ms == client.banned_until_ms == T0 + 600_000
    assert len(answers.requests) == 1
    assert client.status().budgets["requests"].allowed == 150
    clock.advance(600)
    assert len(await client.instruments()) == 1
    assert client.status().banned_until_ms is None
    await client.aclose()


async def test_a_silence_is_kept_across_a_restart() -> None:
    answers = Answers(FINE)
    client = client_of(answers, banned_until_ms=T0 + 60_000)
    with pytest.raises(RateLimitedError, match="Bybit asked for silence; 60 s"):
        await client.instruments()
    assert answers.requests == []
    await client.aclose()


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(403, text=PAGE), httpx.Response(451), httpx.Response(200, json=body(10024, "no"))],
    ids=repr,
)
async def test_a_geo_block_is_rechecked_after_30_minutes(answer: httpx.Response) -> None:
    clock = VirtualClock(T0)
    answers = Answers(answer, FINE)
    client = client_of(answers, clock)
    for _ in range(3):
        with pytest.raises(GeoBlockedError, match="Bybit does not serve this place"):
            await client.instruments()
    assert len(answers.requests) == 1
    assert client.status().geo_blocked_until_ms == T0 + 1_800_000
    clock.advance(1800)
    assert len(await client.instruments()) == 1
    await client.aclose()


@pytest.mark.parametrize(
    ("reset", "waited_s"),
    [(str(T0 + 2000), 2.5), (str(T0 + 3_600_000), 12.5), (str(T0 - 5), 0.125), (None, 1.25), ("soon", 1.25)],
)
async def test_the_limit_of_a_path_is_waited_for_until_its_reset(reset: str | None, waited_s: float) -> None:
    clock = VirtualClock(T0)
    headers = {"X-Bapi-Limit-Status": "0"} | ({} if reset is None else {"X-Bapi-Limit-Reset-Timestamp": reset})
    client = client_of(Answers(httpx.Response(200, json=body(10006, "Too many visits!"), headers=headers), FINE), clock)
    assert len(await client.instruments()) == 1
    assert clock.slept == [waited_s]
    assert client.status().budgets["requests"].allowed == 150
    assert client.banned_until_ms is None
    await client.aclose()


async def test_the_limit_of_a_path_that_stays_is_one_clear_error() -> None:
    answers = Answers(httpx.Response(200, json=body(10006, "Too many visits!")))
    client = client_of(answers)
    with pytest.raises(ExchangeUnavailableError, match="too many requests of this kind"):
        await client.instruments()
    assert len(answers.requests) == 4
    await client.aclose()


OVERLOADS: list[httpx.Response | Exception] = [
    httpx.Response(500),
    httpx.Response(502, text="<html>bad gateway</html>"),
    httpx.Response(408),
    httpx.Response(200, json=body(10000, "Server Timeout")),
    httpx.Response(200, json=body(10016, "Server error.")),
    httpx.Response(200, text="<!DOCTYPE html><html>please wait</html>"),
    httpx.ReadTimeout("slow"),
    httpx.ConnectError("refused"),
]


@pytest.mark.parametrize("trouble", OVERLOADS, ids=repr)
async def test_overload_is_tried_again_three_times(trouble: httpx.Response | Exception) -> None:
    clock = VirtualClock(T0)
    client = client_of(Answers(trouble, trouble, trouble, FINE), clock)
    assert len(await client.instruments()) == 1
    assert clock.slept == [0.5, 1.0, 2.0]
    assert client.status().retried == 3
    await client.aclose()


@pytest.mark.parametrize("message", ["params error: Symbol Invalid", "Not supported symbols", "symbol invalid"])
async def test_an_unknown_symbol_is_told_apart(message: str) -> None:
    client = client_of(Answers(FINE, httpx.Response(200, json=body(10001, message))))
    with pytest.raises(UnknownSymbolError):
        await client.open_interest("BTCUSDT")
    await client.aclose()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (httpx.Response(200, json=body(10001, "Illegal\ncategory")), "code 10001: Illegal category"),
        (httpx.Response(200, json=body(10002, "")), "code 10002: no reason"),
        (httpx.Response(404, text="<html>not here</html>"), "status 404"),
        (httpx.Response(200, content=b"{"), "broken JSON"),
        (httpx.Response(200, json=[]), "shape"),
        (httpx.Response(200, json=body()), "no trading USDT perpetual"),
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


async def test_429_is_a_pause_of_what_it_says() -> None:
    client = client_of(Answers(httpx.Response(429, headers={"Retry-After": "7"})))
    with pytest.raises(RateLimitedError) as caught:
        await client.instruments()
    assert caught.value.until_ms == T0 + 7000
    await client.aclose()
