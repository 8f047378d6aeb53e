"""`liqwatch position`, `stop`, `levels` and `cascade` over fake exchanges: whose rules and whose book count."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.app import App, Limits, World
from bot.clock import SystemClock
from bot.order_books import OrderBooks
from bot.place_commands import PlaceRequest, tell_cascade, tell_levels, tell_position, tell_stop
from bot.settings import Settings
from bot.storage.database import Database
from bot.telegram.cascade_view import cascade_of
from bot.telegram.desk import Look
from bot.venues import open_exchanges
from tests.integration.test_combined_map import fakes_in, settings_of
from tests.shared import needs_shared
from tests.unit.app.scenes import Inbox

pytestmark = needs_shared

Tell = Callable[[PlaceRequest, Settings], Awaitable[Iterator[str]]]


async def test_live_answers_are_of_all_exchanges_with_the_rules_of_the_largest() -> None:
    async with AsyncExitStack() as stack:
        # Hyperliquid's sample of open interest is nearly that of the others: which is the largest would be a toss-up.
        settings = settings_of(await fakes_in(stack)).model_copy(update={"exchanges": ("binance", "bybit", "okx")})

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


async def test_the_bot_s_cascade_is_of_the_books_of_all_exchanges_that_answer() -> None:
    async with AsyncExitStack() as stack:
        fakes, clock = await fakes_in(stack), SystemClock()
        exchanges = open_exchanges(settings_of(fakes), clock=clock)
        for exchange in exchanges.values():
            stack.push_async_callback(exchange.aclose)
        db = await stack.enter_async_context(await Database.open("sqlite://", inline=True))
        app = await App.build(World(exchanges, db, Inbox(), clock), Limits(history_days=1))
        stack.push_async_callback(app.markets.aclose)
        await app.refresh_instruments()
        market = app.desk.resolve("BTC").shown
        assert market is not None
        view = await app.desk.view(market)
        clusters = [shown.cluster for shown in view.clusters]
        whole = cascade_of(view, clusters, await app.desk.books(view.joined))
        assert whole is not None
        assert (len(whole.books), whole.missing) == (len(exchanges), ())
        look = Look(app.catalogue.texts("en"), "dark")
        assert await app.desk.cascade_picture(whole, look=look) is not None

        fakes["okx"].fail("geo")
        part = cascade_of(view, clusters, await OrderBooks(exchanges, clock).read_each(view.joined))
        assert part is not None
        assert part.missing == ("okx",)
        for less, all_of_it in zip(part.sides, whole.sides, strict=True):
            loads = {chain.cluster: chain.absorption for chain in all_of_it.chains}
            assert all(chain.absorption > loads[chain.cluster] for chain in less.chains)
