"""The exchanges that the settings name, as clients."""

from collections.abc import Callable, Mapping

from bot.clock import Clock
from bot.market.binance import BinanceExchange
from bot.market.binance_stream import BinanceStream
from bot.market.bybit import BybitExchange
from bot.market.exchange import LiveExchange
from bot.market.feed import LiquidationFeed
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.okx import OkxExchange
from bot.settings import Settings


def open_exchanges(
    settings: Settings, *, clock: Clock, banned_until_ms: Mapping[str, int] | None = None
) -> dict[str, LiveExchange]:
    """One client each, in the order of the setting; a ban known from an earlier run is kept."""
    bans = banned_until_ms or {}
    return {name: CLIENTS[name](settings, clock, bans.get(name)) for name in settings.exchanges}


def open_feeds(settings: Settings, *, clock: Clock) -> dict[str, LiquidationFeed]:
    """The liquidation feed of each exchange that has one, not yet listening."""
    return {name: FEEDS[name](settings, clock) for name in settings.exchanges if name in FEEDS}


def _binance(settings: Settings, clock: Clock, banned_until_ms: int | None) -> LiveExchange:
    return BinanceExchange(
        clock=clock,
        api_url=settings.binance_api_url,
        web_url=settings.binance_web_url,
        banned_until_ms=banned_until_ms,
    )


def _bybit(settings: Settings, clock: Clock, banned_until_ms: int | None) -> LiveExchange:
    return BybitExchange(clock=clock, api_url=settings.bybit_api_url, banned_until_ms=banned_until_ms)


def _okx(settings: Settings, clock: Clock, banned_until_ms: int | None) -> LiveExchange:
    return OkxExchange(clock=clock, api_url=settings.okx_api_url, banned_until_ms=banned_until_ms)


def _hyperliquid(settings: Settings, clock: Clock, banned_until_ms: int | None) -> LiveExchange:
    return HyperliquidExchange(clock=clock, api_url=settings.hyperliquid_api_url, banned_until_ms=banned_until_ms)


CLIENTS: dict[str, Callable[[Settings, Clock, int | None], LiveExchange]] = {
    "binance": _binance,
    "bybit": _bybit,
    "okx": _okx,
    "hyperliquid": _hyperliquid,
}
FEEDS: dict[str, Callable[[Settings, Clock], LiquidationFeed]] = {
    "binance": lambda settings, clock: BinanceStream(clock=clock, url=settings.binance_stream_url)
}
