"""What known Hyperliquid accounts hold: the parser on real answers, and the turns in which they are asked."""

import json
from typing import Any

import httpx
import pytest

from bot.liquidation.known import KnownPosition
from bot.liquidation.types import Side
from bot.market.bad_rows import BadRows
from bot.market.exchange import ExchangeUnavailableError, KnowsPositions
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.hyperliquid_accounts import A_TURN, FORGOTTEN_MS, Accounts, Positions, parse_account
from tests.fakes.clock import VirtualClock
from tests.fakes.scripted import T0, travel
from tests.shared import SHARED, needs_shared

CAPTURES = SHARED / "fixtures" / "hyperliquid"
ADDRESSES = [f"0x{number:040x}" for number in range(100)]


def captured(name: str) -> Any:
    return json.loads((CAPTURES / name).read_text(encoding="utf-8"))


@needs_shared
class TestRealAnswers:
    def test_a_whales_positions_are_read_with_their_sides_and_prices(self) -> None:
        bad = BadRows("Hyperliquid")
        found = parse_account(captured("live2026/info_clearinghouseState_whale_selected14.json"), bad)
        assert found["BTCUSDT"] == KnownPosition(Side.LONG, 31.65322, None)
        assert found["ETHUSDT"] == KnownPosition(Side.SHORT, 13980.5894, 4320.479450516)
        assert len(found) == 14
        assert not bad.counts

    def test_an_isolated_position_is_read(self) -> None:
        found = parse_account(captured("jkorf/Endpoints__Futures__Account__GetAccountInfo.json"), BadRows("x"))
        assert found == {"HYPEUSDT": KnownPosition(Side.LONG, 2.0, 35.8559189474)}

    def test_an_old_recording_and_an_account_without_positions_are_read(self) -> None:
        bad = BadRows("Hyperliquid")
        old = parse_account(captured("sdk_cassettes/test_get_user_state.response.json")["response"], bad)
        assert old["BTCUSDT"] == KnownPosition(Side.SHORT, 0.00785, 173198.69592357)
        assert old["ETHUSDT"].liquidation_price is None
        empty = captured("nautilus/http_clearinghouse_state_negative_total_raw_usd.json")
        assert parse_account(empty, bad) == {}
        assert not bad.counts


def answer(*positions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"assetPositions": [{"type": "oneWay", "position": one} for one in positions], "time": T0, **more}


def test_thousands_go_by_their_canonical_name_and_other_peoples_markets_are_left() -> None:
    found = parse_account(
        answer(
            {"coin": "kPEPE", "szi": "-5000", "liquidationPx": "0.02"},
            {"coin": "xyz:TSLA", "szi": "1", "liquidationPx": "200"},
        ),
        BadRows("x"),
    )
    assert found == {"1000PEPEUSDT": KnownPosition(Side.SHORT, 5000.0, 0.02)}


@pytest.mark.parametrize(
    "broken",
    [
        {"szi": "1", "liquidationPx": "2"},
        {"coin": "BTC", "szi": "0", "liquidationPx": "2"},
        {"coin": "BTC", "szi": "NaN", "liquidationPx": "2"},
        {"coin": "BTC", "szi": "1", "liquidationPx": "-2"},
        {"coin": "BTC", "szi": "1", "liquidationPx": "soon"},
        {"coin": 7, "szi": "1", "liquidationPx": None},
    ],
)
def test_a_broken_position_is_dropped_and_counted(broken: dict[str, Any]) -> None:
    bad = BadRows("x")
    assert list(parse_account(answer(broken, {"coin": "ETH", "szi": "1", "liquidationPx": None}), bad)) == ["ETHUSDT"]
    assert sum(bad.counts.values()) == 1


@pytest.mark.parametrize("payload", [None, [], {}, {"assetPositions": None}, "gone"])
def test_another_shape_is_an_answer_that_is_worth_nothing(payload: object) -> None:
    with pytest.raises(ExchangeUnavailableError, match="clearinghouseState"):
        parse_account(payload, BadRows("x"))


class Venue:
    """Every account is long one coin; `failing` is whoever cannot be asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failing: set[str] = set()

    async def ask(self, address: str) -> Positions:
        self.asked.append(address)
        if address in self.failing:
            raise ExchangeUnavailableError("Hyperliquid does not answer.")
        return {"BTCUSDT": KnownPosition(Side.LONG, 1.0, 50_000.0)}


async def test_addresses_are_asked_in_turn_and_all_of_them() -> None:
    venue, clock = Venue(), VirtualClock(T0)
    accounts = Accounts(ADDRESSES, venue.ask, clock)
    for _ in range(5):
        assert accounts.of("BTCUSDT") == (), "not before each was asked once"
        await accounts.ask_next()
    assert venue.asked == [*ADDRESSES, *ADDRESSES[: 5 * A_TURN - 100]]
    assert len(accounts.of("BTCUSDT")) == 100
    assert accounts.of("ETHUSDT") == ()


async def test_few_addresses_are_asked_once_a_turn() -> None:
    venue = Venue()
    await Accounts(ADDRESSES[:3], venue.ask, VirtualClock(T0)).ask_next()
    assert venue.asked == ADDRESSES[:3]
    await Accounts((), venue.ask, VirtualClock(T0)).ask_next()
    assert len(venue.asked) == 3


async def test_one_that_cannot_be_asked_ends_the_turn_and_never_the_round(caplog: pytest.LogCaptureFixture) -> None:
    venue = Venue()
    venue.failing = {ADDRESSES[1]}
    accounts = Accounts(ADDRESSES[:4], venue.ask, VirtualClock(T0))
    await accounts.ask_next()
    assert venue.asked == ADDRESSES[:2]
    assert accounts.of("BTCUSDT") == ()
    await accounts.ask_next()
    assert accounts.complete
    assert len(accounts.of("BTCUSDT")) == 3
    assert ADDRESSES[1] not in caplog.text, "an address is nobody's business"


async def test_the_same_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    venue = Venue()
    venue.failing = set(ADDRESSES)
    accounts = Accounts(ADDRESSES, venue.ask, VirtualClock(T0))
    for _ in range(5):
        await accounts.ask_next()
    assert caplog.text.count("not refreshed") == 1


async def test_what_was_not_told_for_an_hour_is_forgotten() -> None:
    venue, clock = Venue(), VirtualClock(T0)
    accounts = Accounts(ADDRESSES[:2], venue.ask, clock)
    await accounts.ask_next()
    venue.failing = {ADDRESSES[0]}
    await clock.sleep(FORGOTTEN_MS / 1000)
    await accounts.ask_next()
    await accounts.ask_next()
    assert len(accounts.of("BTCUSDT")) == 2
    await clock.sleep(1.0)
    assert len(accounts.of("BTCUSDT")) == 1


async def test_the_client_asks_with_two_of_weight_each() -> None:
    asked: list[dict[str, Any]] = []

    def script(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json=answer({"coin": "BTC", "szi": "-2.5", "liquidationPx": "120000.5"}))

    client = HyperliquidExchange(
        clock=VirtualClock(T0), api_url="http://api.test", addresses=ADDRESSES[:30], transport=travel(script)
    )
    assert isinstance(client, KnowsPositions)
    assert [await client.ask_accounts() for _ in range(2)] == [False, True]
    assert asked[:30] == [{"type": "clearinghouseState", "user": address} for address in ADDRESSES[:30]]
    assert client.known_positions("BTCUSDT") == (KnownPosition(Side.SHORT, 2.5, 120000.5),) * 30
    assert client.status().budgets["weight"].used == 2 * len(asked)
    await client.aclose()
