"""The OKX client against scripted answers: windows, the error table, tiers at a price. Nothing waits."""

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
from bot.market.okx import OkxExchange
from bot.market.types import BAR_MS
from tests.fakes.clock import VirtualClock
from tests.fakes.scripted import DAY_MS, T0, Answers, travel
from tests.shared import SHARED, needs_shared


def instrument(base: str, face: str = "10") -> dict[str, str]:
    family = f"{base}-USDT"
    kind = {"instType": "SWAP", "ctType": "linear", "settleCcy": "USDT", "state": "live", "tickSz": "0.1"}
    return kind | {"instId": f"{family}-SWAP", "instFamily": family, "ctVal": face, "ctMult": "1", "ctValCcy": base}


def body(*rows: object, code: str = "0", msg: str = "") -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": list(rows)}


FINE = httpx.Response(200, json=body(instrument("BTC")))


class Venue:
    """Seven contracts of ten coins, bars and open interest for any window; notes what it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.price = "50"

    def asked_of(self, what: str) -> list[dict[str, str]]:
        return [ask for path, ask in self.asked if path == what]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        what, ask = request.url.path.rpartition("/")[2], dict(request.url.params)
        self.asked.append((what, ask))
        names = [f"C{number}" for number in range(7)]
        match what:
            case "instruments":
                rows: list[object] = [instrument(name) for name in names]
            case "mark-price":
                now = str(self.clock.now_ms())
                rows = [{"instId": f"{name}-USDT-SWAP", "markPx": self.price, "ts": now} for name in names]
            case "position-tiers":
                tier = {"minSz": "0", "maxSz": "100", "mmr": "0.01", "maxLever": "50"}
                rows = [{"instFamily": family, **tier} for family in ask["instFamily"].split(",")]
            case "candles" | "history-candles":
                times = self._times(int(ask["before"]) + 1, int(ask["after"]) - 1, int(ask["limit"]))
                rows = [[str(ms), "1", "3", "1", "2", "10", "0", "20", "1"] for ms in times]
            case _:
                times = self._times(int(ask["begin"]), int(ask["end"]), int(ask["limit"]))
                rows = [[str(ms), "7", "0", "0"] for ms in times]
        return httpx.Response(200, json=body(*rows))

    def _times(self, start_ms: int, end_ms: int, limit: int) -> list[int]:
        newest_ms = min(end_ms, self.clock.now_ms() - 1) // BAR_MS * BAR_MS
        return list(range(newest_ms, start_ms - 1, -BAR_MS))[:limit]


def rig(at_ms: int = T0) -> tuple[Venue, OkxExchange, VirtualClock]:
    clock = VirtualClock(at_ms)
    venue = Venue(clock)
    return venue, OkxExchange(clock=clock, api_url="http://api.test", transport=travel(venue)), clock


def client_of(answers: Answers, clock: VirtualClock | None = None, **options: int) -> OkxExchange:
    return OkxExchange(clock=clock or VirtualClock(T0), api_url="http://api.test", transport=travel(answers), **options)


async def test_the_client_is_an_exchange() -> None:
    client: Exchange = rig()[1]
    assert (client.name, client.gives_open_interest_history) == ("okx", True)
    await client.aclose()


async def test_thirty_days_of_bars_are_29_windows_the_latest_five_days_from_candles() -> None:
    venue, client, clock = rig(T0 + 123_456)
    bars = await client.bars("C3USDT", start_ms=T0 - 30 * DAY_MS, end_ms=T0)
    assert bars.open_ms.tolist() == list(range(T0 - 30 * DAY_MS, T0, BAR_MS))
    assert set(bars.volume) == {100}
    assert (len(venue.asked_of("history-candles")), len(venue.asked_of("candles"))) == (25, 4)
    asked = venue.asked_of("history-candles") + venue.asked_of("candles")
    assert {(ask["instId"], ask["bar"], ask["limit"]) for ask in asked} == {("C3-USDT-SWAP", "5m", "300")}
    assert max(moment.used for moment in client.status().budgets.values()) <= 20
    assert clock.monotonic() >= 4  # 25 pages at half of 20 in 2 s
    await client.aclose()


async def test_open_interest_history_is_clamped_to_the_five_days_that_exist() -> None:
    venue, client, _ = rig(T0 + 1)
    history = await client.open_interest_history("C0USDT", start_ms=T0 - 30 * DAY_MS, end_ms=T0 + DAY_MS)
    assert history.time_ms.tolist() == list(range(T0 - 5 * DAY_MS + 600_000 + BAR_MS, T0 + 1, BAR_MS))
    assert set(history.coins) == {70}
    assert len(venue.asked_of("open-interest-history")) == 15
    assert venue.asked_of("open-interest-history")[0]["period"] == "5m"
    assert len(await client.open_interest_history("C0USDT", start_ms=0, end_ms=T0 - 20 * DAY_MS)) == 0
    await client.aclose()


async def test_tiers_follow_the_mark_price_without_being_asked_for_again() -> None:
    venue, client, clock = rig()
    (tier,) = await client.risk_tiers_of("C1USDT")
    assert (tier.notional_cap, tier.maintenance_amount) == (100 * 10 * 50, 0)
    venue.price = "60"
    await client.mark_prices()
    (tier,) = await client.risk_tiers_of("C1USDT")
    assert tier.notional_cap == 100 * 10 * 60
    assert [ask["instFamily"] for ask in venue.asked_of("position-tiers")] == ["C1-USDT"]
    assert venue.asked_of("position-tiers")[0]["tdMode"] == "cross"
    assert len(venue.asked_of("mark-price")) == 2
    clock.advance(6 * 3600)
    await client.risk_tiers_of("C1USDT")
    assert len(venue.asked_of("position-tiers")) == 2
    await client.aclose()


async def test_tiers_of_a_contract_without_a_price_are_not_guessed() -> None:
    venue, client, _ = rig()
    venue.price = ""
    with pytest.raises(ExchangeUnavailableError, match="no mark price of C1USDT"):
        await client.risk_tiers_of("C1USDT")
    assert await client.risk_tiers() == {}
    await client.aclose()


async def test_all_tiers_are_asked_for_five_families_at_a_time() -> None:
    venue, client, _ = rig()
    assert len(await client.risk_tiers()) == 7
    assert [len(ask["instFamily"].split(",")) for ask in venue.asked_of("position-tiers")] == [5, 2]
    await client.aclose()


async def test_a_symbol_that_is_not_listed_is_unknown() -> None:
    _, client, _ = rig()
    with pytest.raises(UnknownSymbolError, match="OKX does not list PEPEUSDT"):
        await client.open_interest("PEPEUSDT")
    await client.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=body(code="50011", msg="Too Many Requests")),
        httpx.Response(429, json=body(code="50011", msg="Too Many Requests")),
        httpx.Response(429, text="<html>slow down</html>"),
    ],
    ids=repr,
)
async def test_the_limit_of_a_path_is_waited_for_two_seconds_and_more(answer: httpx.Response) -> None:
    clock = VirtualClock(T0)
    client = client_of(Answers(answer, answer, FINE), clock)
    assert len(await client.instruments()) == 1
    assert clock.slept == [2.5, 2.5]
    assert client.status().budgets["instruments"].allowed == 5
    assert client.status().budgets["candles"].allowed == 20
    assert client.banned_until_ms is None
    await client.aclose()


async def test_a_limit_that_stays_is_one_clear_error() -> None:
    answers = Answers(httpx.Response(429, json=body(code="50011")))
    client = client_of(answers)
    with pytest.raises(ExchangeUnavailableError, match="OKX gave no usable answer for /api/v5/public/instruments"):
        await client.instruments()
    assert len(answers.requests) == 4
    await client.aclose()


OVERLOADS: list[httpx.Response | Exception] = [
    httpx.Response(503),
    httpx.Response(503, json=body(code="50001", msg="Service temporarily unavailable.")),
    httpx.Response(200, json=body(code="50013", msg="Systems are busy.")),
    httpx.Response(200, json=body(code="50004", msg="API endpoint request timeout.")),
    httpx.Response(200, json=body(code="50026", msg="System error.")),
    httpx.Response(200, text="<!DOCTYPE html><html>please wait</html>"),
    httpx.ReadTimeout("slow"),
]


@pytest.mark.parametrize("trouble", OVERLOADS, ids=repr)
async def test_overload_is_tried_again_three_times(trouble: httpx.Response | Exception) -> None:
    clock = VirtualClock(T0)
    client = client_of(Answers(trouble, trouble, trouble, FINE), clock)
    assert len(await client.instruments()) == 1
    assert clock.slept == [0.5, 1.0, 2.0]
    await client.aclose()


@needs_shared
async def test_the_recorded_error_bodies_are_told_apart() -> None:
    live = SHARED / "fixtures" / "okx" / "live2026"
    unknown, refused = (
        json.loads((live / name).read_text(encoding="utf-8"))
        for name in ("error_51001_no_such_instrument.json", "error_51000_unknown_tier_family.json")
    )
    client = client_of(Answers(FINE, httpx.Response(200, json=unknown)))
    with pytest.raises(UnknownSymbolError, match="OKX does not know"):
        await client.open_interest("BTCUSDT")
    await client.aclose()
    client = client_of(Answers(FINE, httpx.Response(200, json=refused)))
    with pytest.raises(ExchangeError, match="code 51000: Parameter instFamily error"):
        await client.risk_tiers_of("BTCUSDT")
    await client.aclose()


@pytest.mark.parametrize("status", [403, 451])
async def test_a_geo_block_is_rechecked_after_30_minutes(status: int) -> None:
    clock = VirtualClock(T0)
    answers = Answers(httpx.Response(status, text="<html>no</html>"), FINE)
    client = client_of(answers, clock)
    for _ in range(3):
        with pytest.raises(GeoBlockedError, match="OKX does not serve"):
            await client.instruments()
    assert len(answers.requests) == 1
    clock.advance(1800)
    assert len(await client.instruments()) == 1
    await client.aclose()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            httpx.Response(400, json=body(code="50014", msg="Parameter\ninstId can not be empty.")),
            "code 50014: Parameter",
        ),
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


async def test_a_silence_from_an_earlier_run_is_kept() -> None:
    answers = Answers(FINE)
    client = client_of(answers, banned_until_ms=T0 + 5_000)
    with pytest.raises(RateLimitedError):
        await client.instruments()
    assert answers.requests == []
    await client.aclose()
