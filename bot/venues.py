"""The exchanges that the settings name, as clients."""

from collections.abc import Callable, Mapping

from bot.clock import Clock
from bot.market.binance import BinanceExchange
from bot.market.exchange import Exchange
from bot.settings import Settings


def open_exchanges(
    settings: Settings, *, clock: Clock, banned_until_ms: Mapping[str, int] | None = None
) -> dict[str, Exchange]:
    """One client each, in the order of the setting; a ban known from an earlier run is kept."""
    bans = banned_until_ms or {}
    return {name: CLIENTS[name](settings, clock, bans.get(name)) for name in settings.exchanges}


def _binance(settings: Settings, clock: Clock, banned_until_ms: int | None) -> Exchange:
    return BinanceExchange(
        clock=clock,
        api_url=settings.binance_api_url,
        web_url=settings.binance_web_url,
        banned_until_ms=banned_until_ms,
    )


CLIENTS: dict[str, Callable[[Settings, Clock, int | None], Exchange]] = {"binance": _binance}
