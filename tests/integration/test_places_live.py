"""`liqwatch position`, `stop`, `levels` and `cascade` over four fake exchanges: whose rules and whose book count."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.place_commands import PlaceRequest, tell_cascade, tell_levels, tell_position, tell_stop
from bot.settings import Settings
from tests.integration.test_combined_map import fakes_in, settings_of
from tests.shared import needs_shared

pytestmark = needs_shared

Tell = Callable[[PlaceRequest, Settings], Awaitable[Iterator[str]]]


async def test_live_answers_are_of_all_exchanges_with_the_rules_of_the_largest() -> None:
    async with AsyncExitStack() as stack:
        settings = settings_of(await fakes_in(stack))

        async def told(tell: Tell, words: str, exchange: str | None = None) -> dict[str, Any]:
            request = PlaceRequest(words.split(), None, exchange, None, json=True)
            [line] = await tell(request, settings)
            found: dict[str, Any] = json.loads(line)
            return found

        position = await told(tell_position, "BTC long 5x size 2,000")
        assert position["exchange"] == "combined"
        assert position["tiers_from"] in ("binance", "bybit", "okx")
        assert position["liquidation"]["distance_pct"] == pytest.approx(-19.7, abs=0.3)
        assert position["liquidation"]["crowding_percentile"] is not None
        okx = await told(tell_position, "BTC long 5x size 2,000", "okx")
        assert okx["exchange"] == okx["tiers_from"] == "okx"
        # Its fee stands in the requirement, so that it liquidates nearer to the entry than the formula without.
        assert okx["liquidation"]["price"] / okx["price"] > 0.8 / (1 - 0.004)
        stop = await told(tell_stop, f"BTC long {0.97 * position['price']:.0f}")
        assert stop["exchange"] == "combined"
        levels = await told(tell_levels, "BTC")
        assert levels["above"] or levels["below"]
        cascade = await told(tell_cascade, "BTC")
        assert cascade["exchange"] != "combined"
        assert cascade["left_out"] == []
        assert cascade["below"]["book_seen_pct"] > 0
        for chain in (*cascade["above"]["chains"], *cascade["below"]["chains"]):
            assert chain["least"]["usd"] <= chain["likely"]["usd"] <= chain["most"]["usd"]
