"""The Binance client against scripted answers: pages, clocks, budgets. Nothing waits."""

import asyncio
import json
from email.utils import formatdate

import httpx
import pytest

from bot.market.exchange import Exchange, ExchangeUnavailableError
from bot.market.types import BAR_MS
from tests.fakes.binance_script import BARS, DAY_MS, T0, Answers, client_of, klines, one_bar
from tests.fakes.clock import VirtualClock


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


async def test_dropped_rows_are_counted_in_the_status() -> None:
    rows = klines(T0 - BAR_MS, T0 - 1, 1)
    rows[0][2] = "0.5"
    client = client_of(Answers(httpx.Response(200, content=json.dumps(rows).encode())))
    assert await one_bar(client) == 0
    assert client.status().dropped_rows == {"bars: high below low": 1}
    await client.aclose()
