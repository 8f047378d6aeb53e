"""`liqwatch map` over four fake exchanges: all together, one alone, one that is down, and a name that is two coins."""

import json
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.failures import UsageError
from bot.one_map import MapRequest, make_map
from bot.settings import EXCHANGES, Settings
from tests.fakes.binance import FakeBinance
from tests.fakes.bybit import FakeBybit
from tests.fakes.hyperliquid import FakeHyperliquid
from tests.fakes.okx import FakeOkx
from tests.integration.venue_rigs import AT_MS, RECORDINGS
from tests.shared import needs_shared

pytestmark = needs_shared

KINDS = {"binance": FakeBinance, "bybit": FakeBybit, "okx": FakeOkx, "hyperliquid": FakeHyperliquid}
Fakes = dict[str, FakeBinance | FakeBybit | FakeOkx | FakeHyperliquid]


async def fakes_in(stack: AsyncExitStack, **listed: list[str]) -> Fakes:
    return {
        name: await stack.enter_async_context(kind(RECORDINGS, listed.get(name, ["BTCUSDT"]), at_ms=AT_MS))
        for name, kind in KINDS.items()
    }


def settings_of(fakes: Fakes, addresses: int = 0) -> Settings:
    return Settings(
        hyperliquid_addresses=tuple(f"0x{number:040x}" for number in range(addresses)),
        _env_file=None,
        exchanges=EXCHANGES,
        history_days=1,
        binance_api_url=fakes["binance"].url,
        binance_web_url=fakes["binance"].url,
        bybit_api_url=fakes["bybit"].url,
        okx_api_url=fakes["okx"].url,
        hyperliquid_api_url=fakes["hyperliquid"].url,
    )


async def lines_of(fakes: Fakes, symbol: str, **asked: Any) -> list[str]:
    wanted: dict[str, Any] = {"recording": None, "exchange": None, "at_ms": None, "range_ms": None, "png": None}
    settings = settings_of(fakes, asked.pop("addresses", 0))
    request = MapRequest(symbol=symbol, **{**wanted, "json": False, **asked})
    return list(await make_map(request, settings))


async def map_of(fakes: Fakes, symbol: str, **asked: Any) -> dict[str, Any]:
    [line] = await lines_of(fakes, symbol, json=True, **asked)
    found: dict[str, Any] = json.loads(line)
    return found


async def test_a_map_is_of_all_exchanges_unless_one_is_named(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        fakes = await fakes_in(stack)
        found = await map_of(fakes, "BTC", png=tmp_path / "all.png")
        assert (found["exchange"], found["symbol"]) == ("combined", "BTCUSDT")
        joined = [venue for venue in found["venues"] if venue["left_out"] is None]
        assert {"binance", "bybit", "okx"} <= {venue["exchange"] for venue in joined}
        assert sum(venue["share"] for venue in joined) == pytest.approx(1.0)
        assert all(0 <= venue["age_s"] < 600 for venue in joined)
        with Image.open(BytesIO((tmp_path / "all.png").read_bytes())) as picture:
            assert picture.size == (1280, 800)
        alone = await map_of(fakes, "BTC", exchange="okx")
        assert alone["exchange"] == "okx"
        assert "venues" not in alone
        assert (await map_of(fakes, "bybit:BTC"))["exchange"] == "bybit"
        assert sum(alone["bins"]["long_usd"]) < sum(found["bins"]["long_usd"])


async def test_an_exchange_that_is_down_is_named_as_left_out() -> None:
    async with AsyncExitStack() as stack:
        fakes = await fakes_in(stack)
        fakes["bybit"].fail("geo")
        found = await map_of(fakes, "BTC")
        assert {venue["exchange"]: venue["left_out"] for venue in found["venues"]}["bybit"] == "exchange_down"
        [named] = [line for line in await lines_of(fakes, "BTC") if "without" in line]
        assert "Bybit (no answer)" in named


async def test_known_accounts_are_a_part_of_hyperliquids_map_and_it_is_told() -> None:
    """Each of ten accounts holds a hundredth of the open interest of its side, five a side: a twentieth in all."""
    async with AsyncExitStack() as stack:
        fakes = await fakes_in(stack)
        alone = await map_of(fakes, "BTC", exchange="hyperliquid", addresses=10)
        if alone["model"]["open_interest"] == "measured":  # the fake's clock is real: a bar may close meanwhile
            assert alone["model"]["known_share"] == pytest.approx(0.05, rel=0.01)
        assert (await map_of(fakes, "BTC", exchange="hyperliquid"))["model"]["known_share"] == 0.0


async def test_one_name_for_two_coins_is_not_added_up() -> None:
    """OKX has a PEPE whose price is not a thousandth of the others': it is another coin."""
    async with AsyncExitStack() as stack:
        thousand = ["1000PEPEUSDT=DOGEUSDT"]
        fakes = await fakes_in(stack, binance=thousand, bybit=thousand, okx=["PEPEUSDT=DOGEUSDT"], hyperliquid=thousand)
        found = await map_of(fakes, "kPEPE")
        assert found["symbol"] == "1000PEPEUSDT"
        assert {venue["exchange"]: venue["left_out"] for venue in found["venues"]}["okx"] == "other_price"


async def test_a_symbol_that_no_exchange_lists_gets_the_nearest() -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(UsageError, match="no exchange lists 'BTCC'; the nearest are BTCUSDT"):
            await map_of(await fakes_in(stack), "BTCC")
