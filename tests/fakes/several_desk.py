"""A desk on which several exchanges list each coin: BTC everywhere, the Chinese name on three."""

from collections.abc import Sequence

from bot.alerts.types import Market
from bot.liquidation.combining import COMBINED, LeftOut, VenuePart
from bot.liquidation.values import replace
from bot.telegram.desk import MarketUnavailableError, MarketView, Resolution
from tests.fakes.desk import CHINESE, NOON_MS, FakeDesk

LISTED = {
    "BTCUSDT": ("binance", "bybit", "okx", "hyperliquid"),
    CHINESE: ("binance", "bybit", "okx"),
    "ZRXUSDT": ("binance",),
}
BTC = Market(COMBINED, "BTCUSDT")


def parts_of(symbol: str) -> tuple[VenuePart, ...]:
    """Three that joined; Hyperliquid, where it lists the coin, has been silent for an hour."""
    shares = {"binance": 0.61, "bybit": 0.285, "okx": 0.105}
    joined = [VenuePart(name, symbol, NOON_MS - 40_000, 8e8 * share, share) for name, share in shares.items()]
    if "hyperliquid" in LISTED[symbol]:
        joined.append(VenuePart("hyperliquid", symbol, NOON_MS - 3_600_000, left_out=LeftOut.STALE))
    return tuple(joined)


class SeveralDesk(FakeDesk):
    """Resolves an exchange before or after the symbol, and shows all of them together."""

    def exchanges(self) -> Sequence[str]:
        return LISTED["BTCUSDT"]

    def resolve(self, text: str, *, exchange: str = "") -> Resolution:
        words = text.replace(":", " ").split()
        venues = {"binance", "bybit", "okx", "hyperliquid", COMBINED, "all"}
        named = [word.lower() for word in words if word.lower() in venues]
        found = super().resolve(" ".join(word for word in words if word.lower() not in venues))
        if found.market is None or found.market.symbol not in LISTED:
            return found
        symbol, listed = found.market.symbol, LISTED[found.market.symbol]
        preferred = [exchange] if exchange in listed and not named else []
        venue = next((name for name in (*named, *preferred) if name not in (COMBINED, "all")), None)
        if venue is not None:
            return Resolution(Market(venue, symbol) if venue in listed else None)
        combined = Market(COMBINED, symbol) if len(listed) > 1 else None
        return Resolution(combined if named and combined else Market(listed[0], symbol), combined=combined)

    async def view(self, market: Market, *, range_ms: int | None = None) -> MarketView:
        if (reason := self.unavailable.get(market.symbol)) is not None:
            raise MarketUnavailableError(market, reason)
        view = await super().view(market, range_ms=range_ms)
        listed = LISTED.get(market.symbol, ())
        if len(listed) < 2:
            return view
        choices = (Market(COMBINED, market.symbol), *(Market(name, market.symbol) for name in listed))
        parts = parts_of(market.symbol) if market.exchange == COMBINED else ()
        return replace(view, market=market, parts=parts, choices=choices)
