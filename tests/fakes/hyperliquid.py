"""A fake Hyperliquid `POST /info`, over recordings, with its weights, error answers and faults.

    python -m tests.fakes.hyperliquid --recording DIR --symbols BTCUSDT,ZRXUSDT --at 2025-12-20T00:00:00Z --speed 60

See tests/fakes/venue.py for how it is steered.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from aiohttp import web

from tests.fakes.crowd import Levels, book
from tests.fakes.recorded_market import BAR_MS, RecordedMarket
from tests.fakes.venue import COMMON_FAULTS, FakeVenue, run_venue

KEPT_CANDLES = 5000
LIMIT = 1200
BOOK_LEVELS = 20
WHOLE_BOOK = 2000

_TABLES = [
    (50, "", [("0.0", 50)]),
    (51, "tiered 10x", [("0.0", 10), ("3000000.0", 5)]),
    (56, "tiered 40x", [("0.0", 40), ("150000000.0", 20)]),
]


def native_of(symbol: str) -> str:
    """Hyperliquid's own name of a canonical symbol."""
    base = symbol.removesuffix("USDT")
    return "k" + base.removeprefix("1000") if base.startswith("1000") else base


def grouped(levels: Levels, figures: int, rounding: str) -> Levels:
    """The nearest 20 sums of levels by so many figures of the price, rounded away from the middle."""
    sums: dict[str, float] = {}
    for price, coins in levels:
        step = Decimal(1).scaleb(Decimal(price).adjusted() - figures + 1)
        rounded = f"{Decimal(price).quantize(step, rounding=rounding):f}"
        sums[rounded] = sums.get(rounded, 0.0) + coins
    return list(sums.items())[:BOOK_LEVELS]


class FakeHyperliquid(FakeVenue):
    """Serves `/info`. Faults of its own: `429`, `geo` (403)."""

    FAULTS = (*COMMON_FAULTS, "429", "geo")

    weight_limit = LIMIT

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/info", self._info)]

    def refusal(self, kind: str) -> web.Response:
        if kind == "geo":
            return web.Response(status=403, text="<html><body>403 Forbidden</body></html>", content_type="text/html")
        return web.Response(status=429, text="null", content_type="application/json")

    async def limited(self, request: web.Request) -> web.Response | None:
        weight = self._weight_of(await request.json())
        return None if self.meter.take("weight", weight, limit=self.weight_limit, window_s=60) else self.refusal("429")

    def _weight_of(self, body: dict[str, Any]) -> int:
        if body.get("type") != "candleSnapshot":
            return 2 if body.get("type") in ("l2Book", "clearinghouseState") else 20
        wanted = body["req"]
        end_ms = min(wanted["endTime"], self.now_ms())
        count: int = min(KEPT_CANDLES, max(0, (end_ms - wanted["startTime"]) // BAR_MS + 1))
        return 20 + -(-count // 60)

    async def _info(self, request: web.Request) -> web.Response:
        body = await request.json()
        match body.get("type"):
            case "metaAndAssetCtxs":
                return web.json_response([self._meta(), self._contexts()])
            case "meta":
                return web.json_response(self._meta())
            case "candleSnapshot":
                return self._candles(body["req"])
            case "l2Book":
                return self._book(body["coin"], body.get("nSigFigs"))
            case "clearinghouseState":
                return web.json_response(self._account(body["user"]))
            case _:
                text = "Failed to deserialize the JSON body into the target type"
                return web.Response(status=422, text=text)

    def _meta(self) -> dict[str, Any]:
        universe = [self._entry(market) for market in self.markets.values()]
        gone = {"szDecimals": 1, "name": "MATIC", "maxLeverage": 20, "marginTableId": 20, "isDelisted": True}
        tables = [
            [number, {"description": text, "marginTiers": [{"lowerBound": b, "maxLeverage": m} for b, m in tiers]}]
            for number, text, tiers in _TABLES
        ]
        # A delisted contract stands in the middle: who joins by anything but the position goes wrong.
        return {"universe": [universe[0], gone, *universe[1:]], "marginTables": tables, "collateralToken": 0}

    def _entry(self, market: RecordedMarket) -> dict[str, Any]:
        leverage, table = {"BTCUSDT": (40, 56), "ZRXUSDT": (3, 3)}.get(market.symbol, (10, 51))
        decimals = max(0, 6 - market.decimals - 1)
        named = {"szDecimals": decimals, "name": native_of(market.symbol)}
        return named | {"maxLeverage": leverage, "marginTableId": table}

    def _contexts(self) -> list[dict[str, Any]]:
        contexts = [self._context(market) for market in self.markets.values()]
        gone = {
            "funding": "0.0",
            "openInterest": "0.0",
            "prevDayPx": "0.37621",
            "dayNtlVlm": "0.0",
            "premium": None,
            "oraclePx": "0.3754",
            "markPx": "0.37621",
            "midPx": None,
            "impactPxs": None,
            "dayBaseVlm": "0.0",
        }
        return [contexts[0], gone, *contexts[1:]]

    def _context(self, market: RecordedMarket) -> dict[str, Any]:
        now_ms = self.now_ms()
        day, price = market.ticker(now_ms), market.text(market.price(now_ms))
        return {
            "funding": "0.0000125",
            "openInterest": f"{market.open_interest(self.oi_ms()) * 2:.4f}",
            "prevDayPx": day["openPrice"],
            "dayNtlVlm": day["quoteVolume"],
            "premium": "-0.0004062699",
            "oraclePx": price,
            "markPx": price,
            "midPx": price,
            "impactPxs": [price, price],
            "dayBaseVlm": day["volume"],
        }

    def _book(self, coin: str, figures: int | None) -> web.Response:
        market = next((one for one in self.markets.values() if native_of(one.symbol) == coin), None)
        if market is None:
            return web.Response(status=500, text="null", content_type="application/json")
        now_ms = self.now_ms()
        sides = book(market, now_ms, BOOK_LEVELS if figures is None else WHOLE_BOOK)
        if figures is not None:
            sides = grouped(sides[0], figures, ROUND_FLOOR), grouped(sides[1], figures, ROUND_CEILING)
        levels = [[{"px": price, "sz": f"{coins:g}", "n": 1} for price, coins in side] for side in sides]
        return web.json_response({"coin": coin, "time": now_ms, "levels": levels})

    def _account(self, user: str) -> dict[str, Any]:
        """A position in every contract of a hundredth of its open interest: the address says on which side, how far."""
        number, now_ms = int(user, 16), self.now_ms()
        positions = [self._position(market, number, now_ms) for market in self.markets.values()]
        return {"assetPositions": [{"type": "oneWay", "position": one} for one in positions], "time": now_ms}

    def _position(self, market: RecordedMarket, number: int, now_ms: int) -> dict[str, Any]:
        price, side = market.price(now_ms), 1 if number % 2 else -1
        coins = market.open_interest(self.oi_ms()) / 100
        return {
            "coin": native_of(market.symbol),
            "szi": f"{side * coins:.4f}",
            "leverage": {"type": "cross", "value": 10},
            "entryPx": market.text(price),
            "liquidationPx": f"{price * (1 - side * (0.02 + number % 80 / 1000)):.10g}",
            "marginUsed": f"{coins * price / 10:.6f}",
            "maxLeverage": 40,
        }

    def _candles(self, wanted: dict[str, Any]) -> web.Response:
        market = next((one for one in self.markets.values() if native_of(one.symbol) == wanted["coin"]), None)
        if market is None or wanted["interval"] != "5m":
            return web.Response(status=500, text="null", content_type="application/json")
        now_ms = self.now_ms()
        rows = market.klines(now_ms, wanted["startTime"], wanted["endTime"], 10**9)
        oldest_ms = (now_ms // BAR_MS - KEPT_CANDLES + 1) * BAR_MS
        return web.json_response([_candle(wanted["coin"], row) for row in rows if row[0] >= oldest_ms])


def _candle(coin: str, row: list[Any]) -> dict[str, Any]:
    prices = dict(zip("ohlcv", row[1:6], strict=True))
    return {"T": row[6], "i": "5m", "n": 1, "s": coin, "t": row[0], **prices}


if __name__ == "__main__":
    run_venue(FakeHyperliquid, program="tests.fakes.hyperliquid")
