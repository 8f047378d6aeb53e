"""`liqwatch doctor`: is everything there that a running bot needs, and if not, what to do."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot.alerts.types import Market
from bot.clock import Clock, SystemClock
from bot.delivery.messenger import DeliveryError
from bot.failures import FailedError, UsageError
from bot.fleet import fleet_line
from bot.health import Look, waiting_in
from bot.health_client import ask_health
from bot.liquidation.values import replace
from bot.market.exchange import Exchange, ExchangeError, ExchangeUnavailableError
from bot.market.feed import LiquidationFeed
from bot.market.line import KeepsBooks
from bot.market.types import BAR_MS
from bot.settings import Settings
from bot.status import skew_ms
from bot.storage.database import Database
from bot.storage.errors import DatabaseInUseError, StorageError
from bot.telegram.connection import open_line
from bot.telegram.errors import TokenRefusedError, translated
from bot.times import utc_text
from bot.venues import open_exchanges, open_feeds

Print = Callable[[str], None]


LISTEN_S: Final = 10.0
"""How long a stream is listened to: the slowest heart-beat comes in this time."""

LOOK_S: Final = 0.05


async def examine(settings: Settings, *, print_line: Print, listen_s: float = LISTEN_S) -> int:
    """Print one line for each check, then what is wrong, judged as the running bot judges itself for /healthz and
    /admin, and what a bot that runs here says of itself. 0 where nothing is wrong, else 1. A stream is no need: prices
    are asked for where it is silent.
    """
    print_line("ok    settings are read")
    look = await _database(settings, print_line)
    look = replace(look, ears=await _ears(settings, print_line))
    look = replace(look, price_age_s=await _exchanges(settings, print_line, listen_s))
    told = tuple(f"the running bot: {words}" for words in await asyncio.to_thread(_told, settings))
    wrong = [*map(str, look.findings()), *told]
    for words in wrong:
        print_line(f"fail  {words}")
    return 1 if wrong else 0


def _told(settings: Settings) -> Sequence[str]:
    """What a running bot finds wrong with itself; nothing where none tells."""
    with contextlib.suppress(UsageError, FailedError):
        return ask_health(settings)
    return ()


async def _database(settings: Settings, print_line: Print) -> Look:
    """What waits in it; where a bot runs, it is read beside that."""
    name = settings.database_name
    try:
        async with await Database.open(settings.database_url) as db:
            rules = len(kept := await db.rules.all())
            markets = dict.fromkeys(rule.market for rule in kept)
            gaps = [line for market in markets for line in await _gaps(db, market, settings.history_days)]
            look = await _outbox(db)
            server = await db.server()
            fleet = "" if server is None else await fleet_line(db)
    except DatabaseInUseError:
        print_line(f"ok    database {name} is in use, by a running bot")
        return await _beside(settings, print_line)
    except StorageError as error:
        print_line(f"fail  database: {error}")
        return Look(answers=False)
    print_line(f"ok    database {name}: {rules} {'rule' if rules == 1 else 'rules'}")
    if server is not None:
        told = f"PostgreSQL {server.version}, {server.encoding}, {server.size / 2**20:.1f} MiB"
        print_line(f"ok    {told}; how much space it has left is told by its own machine alone")
        print_line(f"ok    processes: {fleet}")
    for line in gaps:
        print_line(line)
    return look


async def _beside(settings: Settings, print_line: Print) -> Look:
    try:
        async with await Database.beside(settings.database_url) as db:
            return await _outbox(db)
    except StorageError as error:
        print_line(f"fail  database: {error}")
        return Look(answers=False)


async def _outbox(db: Database) -> Look:
    return Look(waiting=await waiting_in(db, now_ms=SystemClock().now_ms()))


async def _gaps(db: Database, market: Market, history_days: int) -> Sequence[str]:
    """A line where bars are missing inside a watched market's stored history."""
    now_ms = SystemClock().now_ms()
    bars = await db.series.load_bars(market, start_ms=now_ms - history_days * 86_400_000, end_ms=now_ms)
    if not len(bars):
        return ()
    whole = int(bars.open_ms[-1] - bars.open_ms[0]) // BAR_MS + 1
    if whole == len(bars):
        return ()
    return (f"--    {market.symbol} on {market.exchange}: {whole - len(bars)} of {whole} bars are missing",)


async def _ears(settings: Settings, print_line: Print) -> str:
    """How Telegram is heard: in the words of the intake."""
    if settings.telegram_bot_token is None:
        print_line("--    no TELEGRAM_BOT_TOKEN: the bot will show its chat in the terminal")
        return "listening"
    token = settings.telegram_bot_token.get_secret_value()
    line = open_line(token, api_url=settings.telegram_api_url, read_timeout_s=10.0)
    try:
        me = await translated(line.get_me(), token=token)
    except TokenRefusedError:
        print_line("fail  Telegram does not accept TELEGRAM_BOT_TOKEN: @BotFather shows the right one under /mybots")
        return "token refused"
    except DeliveryError as error:
        print_line(
            f"fail  Telegram at {settings.telegram_api_url} does not answer as it should ({error}): "
            "check the network and TELEGRAM_API_URL"
        )
        return "unreachable"
    finally:
        await line.shutdown()
    print_line(f"ok    Telegram knows the bot as @{me.username}")
    return "listening"


async def _exchanges(settings: Settings, print_line: Print, listen_s: float) -> Mapping[str, float | None]:
    """The age of each exchange's newest price in seconds, None where it gives none."""
    clock = SystemClock()
    exchanges = open_exchanges(settings, clock=clock)
    feeds = open_feeds(settings, exchanges, clock=clock)
    ages: dict[str, float | None] = {}
    for name, exchange in exchanges.items():
        try:
            ages[name] = await _exchange(name, exchange, clock, print_line)
            if ages[name] is not None and name in feeds:
                await _stream(feeds[name], exchange, print_line, listen_s)
        finally:
            await exchange.aclose()
    return ages


async def _stream(feed: LiquidationFeed, exchange: Exchange, print_line: Print, listen_s: float) -> None:
    """Listen until the heart-beat is heard, something goes wrong or the time is over, and say which."""
    name = feed.name
    began_s = time.monotonic()
    listening = asyncio.create_task(feed.run())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(listen_s):
                while feed.status().lag_ms is None and not feed.status().trouble:  # noqa: ASYNC110 - it calls nobody
                    await asyncio.sleep(LOOK_S)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    status = feed.status()
    if status.lag_ms is None:
        why = status.trouble or f"no heart-beat within {listen_s:g} s"
        print_line(
            f"fail  {name} stream: {why}. Prices are asked for instead, and nothing new can be proven."
            f" Check the network and {name.upper()}_STREAM_URL."
        )
        return
    after_s = time.monotonic() - began_s
    late_s = max(0, status.lag_ms + skew_ms(exchange)) / 1000
    print_line(f"ok    {name} stream: heard after {after_s:.1f} s, {late_s:.1f} s late")


async def _exchange(name: str, exchange: Exchange, clock: Clock, print_line: Print) -> float | None:
    try:
        listed = await exchange.instruments()
        tick = await exchange.mark_prices()
    except ExchangeUnavailableError as error:
        print_line(f"fail  {name}: {error} Check the network and {name.upper()}_API_URL.")
        return None
    except ExchangeError as error:
        print_line(f"fail  {name}: {error}")
        return None
    if not listed or not tick.symbols:
        print_line(f"fail  {name} answers, but lists no contract or no price")
        return None
    newest_ms = int(tick.time_ms.max())
    age_s = (clock.now_ms() - newest_ms) / 1000
    spent = ""
    if isinstance(exchange, KeepsBooks):
        busiest = exchange.status().busiest
        spent = f", {busiest.used} of {busiest.allowed} requests used in {busiest.window_s:g} s"
    moment = utc_text(newest_ms)
    print_line(f"ok    {name}: {len(listed)} contracts, prices of {moment} ({age_s:.1f} s old){spent}")
    return age_s
