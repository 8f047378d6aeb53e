"""`liqwatch run`: the bot on Telegram, or without a token in this terminal."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

from bot import bystander
from bot.app import App, Limits, World
from bot.clock import SystemClock
from bot.delivery.limits import RateLimiter
from bot.delivery.messenger import DeliveryError, Message
from bot.delivery.paced import PacedMessenger
from bot.failures import FailedError
from bot.heap import settled
from bot.jobs import Job, schedule
from bot.logs import watch_loop
from bot.observation import Observation
from bot.public_channels import PublicChannel, PublicChannels, keep
from bot.reachability import ban_key
from bot.service_manager import ServiceManager
from bot.settings import Settings
from bot.signals import stop_on_signals
from bot.storage.database import Database
from bot.telegram.admins import Admins
from bot.telegram.channels import LinkedChannels, posts_in
from bot.telegram.connection import TELEGRAM, Line, open_line
from bot.telegram.errors import TokenRefusedError
from bot.telegram.inline import InlineAnswers, Shop
from bot.telegram.intake import Intake
from bot.telegram.menus import menus
from bot.telegram.messenger import TelegramMessenger
from bot.telegram.profile import introduce
from bot.telegram.replies import Replies
from bot.telegram.texts import Catalogue, Html
from bot.telegram.turn import Action, Inbound, Reply
from bot.telegram.turns import House, Turns
from bot.tenure import Tenure, node_name
from bot.terminal_run import run_in_terminal
from bot.venues import open_exchanges, open_feeds
from bot.workers import Workers, open_workers

DRAIN_S = 10.0
RETRY_S = 5.0
HEAD_START_S = 5.0
"""What the exchanges get before people are heard."""

log = logging.getLogger(__name__)


async def run_bot(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises StorageError, FailedError."""
    watch_loop(asyncio.get_running_loop())
    if settings.telegram_bot_token is None:
        await run_in_terminal(settings, stop=stop_on_signals())
    else:
        await run_on_telegram(settings, settings.telegram_bot_token.get_secret_value(), stop=stop_on_signals())


async def run_on_telegram(settings: Settings, token: str, *, stop: asyncio.Event) -> None:
    """The bot with its ears and its voice at the Bot API.

    It never simulates: an exchange or a server that does not answer is named and tried again.
    """
    async with await Database.open(settings.database_url) as db:
        if db.exclusive:
            await _serve(settings, token, db, stop=stop)
            return
        manager = ServiceManager.of(os.environ)
        manager.ready()  # a standby is all that it should be
        tell = partial(bystander.tell, settings, db, SystemClock(), manager, does="standby: another process sends")
        tenure = Tenure(db, SystemClock(), node_name(), beside=tell)
        async with open_workers(settings.database_url, db) as workers:
            serve = partial(_serve, settings, token, db, may_send=tenure.may_send, workers=workers)
            await tenure.serve(stop, lambda over: serve(stop=over))


async def _serve(
    settings: Settings,
    token: str,
    db: Database,
    *,
    stop: asyncio.Event,
    may_send: Callable[[], bool] = lambda: True,
    workers: Workers | None = None,
) -> None:
    """Judge, send and hear people until `stop`, as the only process that does."""
    clock = SystemClock()
    limits = limits_of(settings)
    async with contextlib.AsyncExitStack() as closing:
        bans = {name: ban for name in settings.exchanges if (ban := await db.kv.get(ban_key(name)))}
        exchanges = open_exchanges(settings, clock=clock, banned_until_ms=bans)
        for exchange in exchanges.values():
            closing.push_async_callback(exchange.aclose)
        line = open_line(token, api_url=settings.telegram_api_url)
        closing.push_async_callback(line.shutdown)
        messenger, limiter = TelegramMessenger(line), RateLimiter(clock)
        feeds, manager = open_feeds(settings, exchanges, clock=clock), ServiceManager.of(os.environ)
        observation = Observation(settings, manager)
        channels = LinkedChannels(line, db.links)
        world = World(
            exchanges,
            db,
            messenger,
            clock,
            feeds=feeds,
            channels=channels,
            bot_name=lambda: line.known_name,
            may_send=may_send,
            workers=workers,
        )
        app = await App.build(world, limits, limiter=limiter, count=observation.count)
        closing.push_async_callback(app.markets.aclose)
        closing.enter_context(settled())
        replies = Replies(PacedMessenger(messenger, limiter), db.chats, clock)
        house = House(db, app.catalogue, Admins(line), clock, app.chats_changed, app.guests.is_open_to)
        turns = Turns(Door(app, settings).answer, replies, house, per_minute=settings.commands_per_minute)
        shop = Shop(
            app.desk,
            app.catalogue,
            messenger,
            PacedMessenger(messenger, limiter),
            clock,
            app.guests.is_open_to,
            settings.inline_cache_chat,
        )
        inline = InlineAnswers(line, shop, per_minute=settings.commands_per_minute)
        closing.push_async_callback(inline.close)
        intake = Intake(line, db.updates, turns, clock, on_query=inline.submit)
        describe, asked = settings.telegram_api_url == TELEGRAM, asyncio.Event()
        watched = observation.watchdog.watched
        observers = closing.enter_context(observation.of(app, db, clock, lambda: intake.hearing.health))
        sending = asyncio.create_task(app.worker.run(), name="outbox")
        others = [
            *(asyncio.create_task(feed.run(), name=f"liquidations of {name}") for name, feed in feeds.items()),
            asyncio.create_task(listen(intake, asked), name="intake"),
            asyncio.create_task(
                introduce_bot(line, app.catalogue, settings.admin_ids, describe=describe), name="introduction"
            ),
            asyncio.create_task(watch_markets(app, settings, asked, watched), name="markets"),
            *public_channels(app, settings, db, line, asked),
        ]
        log.info("liqwatch runs", extra={"exchanges": ",".join(settings.exchanges)})
        manager.ready()
        try:
            await until_stopped(stop, [sending, *observers, *others])
        finally:
            manager.stopping()
            log.info("stopping: what is under way is finished first")
            await cancel(others)
            await app.meter.hear()
            await asyncio.gather(turns.drain(DRAIN_S / 2), app.worker.stop())
            await cancel([sending, *observers])


async def listen(intake: Intake, asked: asyncio.Event) -> None:
    """Hear what people say once the exchanges were `asked`, so that what waited is not answered in ignorance."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEAD_START_S):
            await asked.wait()
    await intake.run()


async def introduce_bot(line: Line, catalogue: Catalogue, operators: Sequence[int], *, describe: bool) -> None:
    """Set the menus as soon as Telegram can be reached; that it cannot is for the intake to say."""
    while not await introduce(line, catalogue, menus(operators), describe=describe):  # noqa: ASYNC110 - only asking tells
        await asyncio.sleep(RETRY_S)


def public_channels(
    app: App, settings: Settings, db: Database, line: Line, asked: asyncio.Event
) -> list[asyncio.Task[None]]:
    """Sets up the operator's public channels once the contracts are known; no task where there are none."""
    if not settings.public_channels:
        return []
    channels = PublicChannels(
        [PublicChannel.of(entry) for entry in settings.public_channels],
        desk=app.desk,
        db=db,
        clock=SystemClock(),
        guests=app.guests,
        operators=settings.admin_ids,
        posts_in=lambda chat: posts_in(line, chat),
    )
    return [asyncio.create_task(keep(channels, asked), name="public channels")]


def limits_of(settings: Settings) -> Limits:
    return Limits(
        rules_per_chat=settings.rules_per_chat,
        history_days=settings.history_days,
        tick_s=settings.tick_seconds,
        alert_fresh_ms=settings.alert_fresh_minutes * 60_000,
        admin_ids=settings.admin_ids,
        allowlist=settings.access == "allowlist",
        allowed_ids=settings.allowed_ids,
        alerts_per_hour=settings.alerts_per_hour,
        why_days=settings.why_days,
        source_url=settings.source_url,
        warm_symbols=settings.warm_symbols,
    )


async def watch_markets(
    app: App, settings: Settings, asked: asyncio.Event, watched: Callable[[str, Job], Job] = lambda name, job: job
) -> None:
    """Learn the contracts, read every watched market, then keep to the schedule. Ends only when cancelled."""
    await learn_contracts(app, settings, asked)
    await app.recompute()
    scheduler = schedule(app.jobs, tick_s=settings.tick_seconds, watched=watched)
    scheduler.start()
    log.info("watching", extra={"contracts": len(app.markets.symbols()), "watched": len(app.watch.markets())})
    try:
        async with asyncio.TaskGroup() as background:
            background.create_task(app.warmer.run(), name="read ahead")
            background.create_task(app.scanner.run(), name="scan")
    finally:
        scheduler.shutdown(wait=False)


async def learn_contracts(app: App, settings: Settings, asked: asyncio.Event) -> None:
    """Ask every few seconds until an exchange tells its contracts; say which one is waited for, at first and rarely.

    `asked` is set after the first attempt, whatever came of it.
    """
    for attempt in count(1):
        await app.refresh_instruments()
        asked.set()
        if app.markets.symbols():
            return
        if attempt in (1, 10) or attempt % 100 == 0:
            where = ", ".join(f"{name} at {getattr(settings, f'{name}_api_url')}" for name in settings.exchanges)
            log.error(
                "no exchange answers (%s): no map and no alert until one does. It is asked again and again;"
                " check this machine's network, and whether the exchange serves its country",
                where,
            )
        await asyncio.sleep(RETRY_S)


async def until_stopped(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for `stop`; a task that cannot work ends the wait. Raises FailedError, or what the task raised."""
    stopped = asyncio.create_task(stop.wait())
    pending: set[asyncio.Task[Any]] = {stopped, *tasks}
    try:
        while not stop.is_set():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                _raise_failure(task)
    finally:
        stopped.cancel()


async def cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _raise_failure(task: asyncio.Task[Any]) -> None:
    error = task.exception()
    if isinstance(error, TokenRefusedError):
        raise FailedError("Telegram does not know TELEGRAM_BOT_TOKEN: take the token from @BotFather anew") from None
    if isinstance(error, DeliveryError):
        raise FailedError(f"Telegram does not let the bot work: {error}") from None
    if error is not None:
        raise error


class Door:
    """Lets in whom the settings and the operators allow, and hands them to the conversation."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._contact = settings.access_contact

    async def answer(self, inbound: Inbound) -> Sequence[Action]:
        """The conversation's answer, or one sentence to a stranger."""
        if self._app.guests.is_open_to(inbound.chat_id, inbound.user_id):
            return await self._app.conversation.answer(inbound)
        texts, known_as = self._app.catalogue.texts(inbound.language), Html(f"<code>{inbound.chat_id}</code>")
        if self._contact:
            return [Reply(Message(texts("error.stranger_contact", contact=self._contact, id=known_as)))]
        return [Reply(Message(texts("error.stranger", id=known_as)))]
