"""The Bybit client against scripted answers: pages, cursors, names, tiers. Nothing waits."""

import httpx
import pytest

from bot.market.bybit import BybitExchange
from bot.market.exchange import Exchange, ExchangeUnavailableError, UnknownSymbolError
from bot.market.types import BAR_MS
from tests.fakes.clock import VirtualClock
from tests.fakes.scripted import DAY_MS, T0, travel


def instrument(native: str) -> dict[str, object]:
    return {
        "symbol": native,
        "baseCoin": native.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "priceFilter": {"tickSize": "0.1"},
    }


def limits(native: str) -> list[dict[str, object]]:
    tier = {"riskLimitValue": "1000", "maintenanceMargin": "0.02", "maxLeverage": "25", "mmDeduction": ""}
    return [{"symbol": native, **tier}]


class Venue:
    """Two contracts, bars and open interest for any range, lists in pages of one; notes what it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.tiers_fail = False

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, ask = request.url.path.removeprefix("/v5/market/"), dict(request.url.params)
        self.asked.append((path, ask))
        assert ask["category"] == "linear"
        names = ["BTCUSDT", "SHIB1000USDT"]
        match path:
            case "instruments-info":
                return self._page([[instrument(name)] for name in names], ask)
            case "risk-limit" if self.tiers_fail:
                return httpx.Response(500)
            case "risk-limit" if "symbol" in ask:
                return self._list(limits(ask["symbol"]))
            case "risk-limit":
                return self._page([limits(name) for name in [*names, "GONEUSDT"]], ask)
            case "kline":
                times = self._times(int(ask["start"]), int(ask["end"]), int(ask["limit"]))
                return self._list([[str(ms), "1", "3", "1", "2", "10", "20"] for ms in times])
            case _:
                assert path == "open-interest"
                times = self._times(int(ask["startTime"]), int(ask["endTime"]), int(ask["limit"]))
                return self._list([{"openInterest": "7", "timestamp": str(ms)} for ms in times])

    def _times(self, start_ms: int, end_ms: int, limit: int) -> list[int]:
        newest_ms = min(end_ms, self.clock.now_ms()) // BAR_MS * BAR_MS
        return list(range(newest_ms, start_ms - 1, -BAR_MS))[:limit]

    def _page(self, pages: list[list[dict[str, object]]], ask: dict[str, str]) -> httpx.Response:
        at = int(ask.get("cursor", "page%3D0").removeprefix("page%3D"))
        return self._list(pages[at], f"page%3D{at + 1}" if at + 1 < len(pages) else "")

    def _list(self, rows: object, cursor: str = "") -> httpx.Response:
        result = {"list": rows, "nextPageCursor": cursor}
        return httpx.Response(200, json={"retCode": 0, "result": result, "time": self.clock.now_ms()})


def rig(at_ms: int = T0) -> tuple[Venue, BybitExchange, VirtualClock]:
    clock = VirtualClock(at_ms)
    venue = Venue(clock)
    return venue, BybitExchange(clock=clock, api_url="http://api.test", transport=travel(venue)), clock


async def test_the_client_is_an_exchange() -> None:
    client: Exchange = rig()[1]
    assert (client.name, client.gives_open_interest_history) == ("bybit", True)
    await client.aclose()


async def test_instruments_are_read_page_by_page() -> None:
    venue, client, _ = rig()
    found = await client.instruments()
    assert [(one.symbol, one.native) for one in found] == [("BTCUSDT", "BTCUSDT"), ("1000SHIBUSDT", "SHIB1000USDT")]
    assert [ask.get("cursor") for _, ask in venue.asked] == [None, "page%3D1"]
    assert venue.asked[0][1]["limit"] == "1000"
    await client.aclose()


async def test_a_cursor_that_repeats_is_an_error_not_a_loop() -> None:
    def same(request: httpx.Request) -> httpx.Response:
        result = {"list": [instrument("BTCUSDT")], "nextPageCursor": "again"}
        return httpx.Response(200, json={"retCode": 0, "result": result})

    client = BybitExchange(clock=VirtualClock(T0), api_url="http://api.test", transport=travel(same))
    with pytest.raises(ExchangeUnavailableError, match="never end"):
        await client.instruments()
    await client.aclose()


async def test_thirty_days_of_bars_are_9_requests_under_the_venues_name() -> None:
    venue, client, _ = rig(T0 + 123_456)
    bars = await client.bars("1000SHIBUSDT", start_ms=T0 - 30 * DAY_MS, end_ms=T0 + BAR_MS)
    assert bars.open_ms.tolist() == list(range(T0 - 30 * DAY_MS, T0, BAR_MS))
    asked = [ask for path, ask in venue.asked if path == "kline"]
    assert len(asked) == 9
    assert {(ask["symbol"], ask["interval"], ask["limit"]) for ask in asked} == {("SHIB1000USDT", "5", "1000")}
    await client.aclose()


async def test_whether_a_bar_is_closed_is_told_by_the_answer() -> None:
    venue, client, clock = rig()
    venue.clock = VirtualClock(T0 - 100_000)  # this machine is 100 s ahead of the venue
    assert (await client.bars("BTCUSDT", start_ms=T0 - 2 * BAR_MS, end_ms=T0)).open_ms.tolist() == [T0 - 2 * BAR_MS]
    assert clock.now_ms() == T0
    await client.aclose()


async def test_open_interest_history_is_joined_from_windows() -> None:
    venue, client, _ = rig()
    history = await client.open_interest_history("BTCUSDT", start_ms=T0 - 2 * DAY_MS, end_ms=T0 + DAY_MS)
    assert history.time_ms.tolist() == list(range(T0 - 2 * DAY_MS + BAR_MS, T0 + 1, BAR_MS))
    assert set(history.coins) == {3.5}
    assert venue.paths().count("open-interest") == 3
    assert len(await client.open_interest_history("BTCUSDT", start_ms=T0, end_ms=T0 + DAY_MS)) == 0
    await client.aclose()


async def test_a_symbol_that_is_not_listed_is_unknown_without_a_request_for_it() -> None:
    venue, client, _ = rig()
    for symbol in ("NOSUCHUSDT", "SHIB1000USDT"):
        with pytest.raises(UnknownSymbolError, match=f"Bybit does not list {symbol}"):
            await client.bars(symbol, start_ms=0, end_ms=T0)
    assert venue.paths() == ["instruments-info"] * 2
    await client.aclose()


async def test_one_contracts_tiers_are_one_request_in_six_hours() -> None:
    venue, client, clock = rig()
    tiers = await client.risk_tiers_of("1000SHIBUSDT")
    assert (len(tiers), tiers[0].max_leverage) == (1, 25)
    assert await client.risk_tiers_of("1000SHIBUSDT") == tiers
    assert venue.asked[-1] == ("risk-limit", {"category": "linear", "symbol": "SHIB1000USDT"})
    assert venue.paths().count("risk-limit") == 1
    clock.advance(6 * 3600)
    await client.risk_tiers_of("1000SHIBUSDT")
    assert venue.paths().count("risk-limit") == 2
    await client.aclose()


async def test_tiers_that_were_good_once_serve_while_the_venue_cannot_tell() -> None:
    venue, client, clock = rig()
    tiers = await client.risk_tiers_of("BTCUSDT")
    venue.tiers_fail = True
    clock.advance(6 * 3600)
    assert await client.risk_tiers_of("BTCUSDT") == tiers
    asked = venue.paths().count("risk-limit")
    assert await client.risk_tiers_of("BTCUSDT") == tiers
    assert venue.paths().count("risk-limit") == asked
    with pytest.raises(ExchangeUnavailableError):
        await client.risk_tiers_of("1000SHIBUSDT")
    venue.tiers_fail = False
    clock.advance(600)
    await client.risk_tiers_of("BTCUSDT")
    assert venue.paths().count("risk-limit") > asked
    await client.aclose()


async def test_all_tiers_are_read_page_by_page_and_only_of_listed_contracts() -> None:
    venue, client, _ = rig()
    assert set(await client.risk_tiers()) == {"BTCUSDT", "1000SHIBUSDT"}
    assert venue.paths().count("risk-limit") == 3
    await client.aclose()
