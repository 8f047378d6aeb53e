"""The exchanges that the settings name, as clients."""

from collections.abc import Callable, Mapping

from bot.clock import Clock
from bot.market.binance import BinanceExchange
from bot.market.binance_stream import binance_stream
from bot.market.bybit import BybitExchange
from bot.market.bybit_stream import bybit_stream
from bot.market.exchange import Exchange, LiveExchange
from bot.market.feed import LiquidationFeed
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.okx import OkxExchange
from bot.market.okx_stream import okx_stream
from bot.settings import Settings


def open_exchanges(
    settings: Settings, *, clock: Clock, banned_until_ms: Mapping[str, int] | None = None
) -> dict[str, LiveExchange]:
    """One client each, in the order of the setting; a ban known from an earlier run is kept."""
    bans = banned_until_ms or {}
    return {name: CLIENTS[name](settings, clock, bans.get(name)) for name in settings.exchanges}


def open_feeds(settings: Settings, exchanges: Mapping[str, Exchange], *, clock: Clock) -> dict[str, LiquidationFeed]:
    """The stream of each exchange that tells its liquidations, not yet listening. They share what the clients know."""
    feeds: dict[str, LiquidationFeed] = {}
    for name, exchange in exchanges.items():
        match exchange:
            case BinanceExchange():
                feeds[name] = binance_stream(
                    clock=clock, url=settings.binance_stream_url, keep_tiers=exchange.keep_tiers
                )
            case BybitExchange():
                feeds[name] = _bybit_stream(settings, exchange, clock)
            case OkxExchange():
                feeds[name] = _okx_stream(settings, exchange, clock)
    return feeds


def _bybit_stream(settings: Settings, exchange: BybitExchange, clock: Clock) -> LiquidationFeed:
    return bybit_stream(clock=clock, url=settings.bybit_stream_url, listed=lambda: exchange.listed)


def _okx_stream(settings: Settings, exchange: OkxExchange, clock: Clock) -> LiquidationFeed:
    return okx_stream(clock=clock, url=settings.okx_stream_url, listed=lambda: exchange.listed)


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
    return HyperliquidExchange(
        clock=clock,
        api_url=settings.hyperliquid_api_url,
        banned_until_ms=banned_until_ms,
        addresses=settings.hyperliquid_addresses,
    )


CLIENTS: dict[str, Callable[[Settings, Clock, int | None], LiveExchange]] = {
    "binance": _binance,
    "bybit": _bybit,
    "okx": _okx,
    "hyperliquid": _hyperliquid,
}
