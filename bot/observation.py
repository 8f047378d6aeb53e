"""Wires watchdog, health, metrics and the service manager to a running bot; HTTP only where METRICS_PORT is set."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.app import App
from bot.clock import Clock
from bot.health import Health, Look
from bot.health_server import health_server
from bot.service_manager import ServiceManager
from bot.settings import Settings
from bot.storage.database import Database
from bot.watchdog import Watchdog

log = logging.getLogger(__name__)


class Observation:
    """Made before the app, which reports to it: `count` to the outbox worker, `watchdog.watched` to the jobs."""

    def __init__(self, settings: Settings, manager: ServiceManager) -> None:
        self._settings = settings
        self._manager = manager
        self.watchdog = Watchdog(timed=self._timed)
        self._metrics = None
        if settings.metrics_port is not None:
            from bot.metrics import Metrics  # only where somebody asks for figures: it takes time to import

            self._metrics = Metrics()

    def count(self, outcome: str, messages: int) -> None:
        if self._metrics is not None:
            self._metrics.count(outcome, messages)

    @contextmanager
    def of(self, app: App, db: Database, clock: Clock, ears: Callable[[], str]) -> "Iterator[list[asyncio.Task[None]]]":
        """Watch a bot until the end of the block; gives the tasks that do it. Raises FailedError."""
        health = Health(
            db,
            clock,
            price_ages=app.price_ages_s,
            ears=ears,
            standstills=self.watchdog.troubles,
            seen=lambda look: self._seen(look, health, app),
        )
        beating = self._manager.beat(
            standstills=self.watchdog.troubles,
            status=lambda: "; ".join(health.troubles()) or f"{len(app.watch.markets())} markets watched",
        )
        with self._served(app, health), self.watchdog.listening():
            yield [
                asyncio.create_task(self.watchdog.beat(), name="watchdog"),
                asyncio.create_task(health.run(), name="health"),
                asyncio.create_task(beating, name="service manager"),
            ]

    @contextmanager
    def _served(self, app: App, health: Health) -> Iterator[None]:
        """Answer over HTTP where that is asked for."""
        if self._metrics is None:
            yield
            return
        app.listen(self._metrics.decided)
        host, port = self._settings.metrics_host, self._settings.metrics_port or 0
        with health_server(host, port, troubles=health.troubles, page=self._metrics.page) as bound:
            log.info("health is told", extra={"address": f"http://{host}:{bound}/healthz"})
            yield

    def _timed(self, job: str, seconds: float) -> None:
        if self._metrics is not None:
            self._metrics.timed(job, seconds)

    def _seen(self, look: Look, health: Health, app: App) -> None:
        if self._metrics is not None:
            self._metrics.streamed(app.status.streams())
            self._metrics.seen(look, lag_s=self.watchdog.take_lag_s(), healthy=not health.troubles())
