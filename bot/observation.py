"""Wires watchdog, health, metrics, the operators and the service manager to a running bot.

HTTP only where METRICS_PORT is set.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bot.app import App
from bot.clock import Clock
from bot.error_reports import ErrorReports
from bot.figures import Figures
from bot.health import Health, Look
from bot.health_server import health_server
from bot.log_counts import hearing
from bot.service_manager import ServiceManager
from bot.settings import Settings
from bot.storage.database import Database
from bot.telegram.findings import Finding
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
            standstills=self.watchdog.findings,
            seen=lambda look: self._seen(look, health, app, db),
        )
        app.status.findings = health.findings
        with self._served(app, health), self._reported(app, db, clock) as reporting, self.watchdog.listening():
            yield [
                asyncio.create_task(self.watchdog.beat(), name="watchdog"),
                asyncio.create_task(health.run(), name="health"),
                asyncio.create_task(self._beat(app, health), name="service manager"),
                *reporting,
            ]

    async def _beat(self, app: App, health: Health) -> None:
        await self._manager.beat(
            standstills=lambda: [str(finding) for finding in self.watchdog.findings()],
            status=lambda: "; ".join(health.troubles()) or f"{len(app.watch.markets())} markets watched",
        )

    @contextmanager
    def _reported(self, app: App, db: Database, clock: Clock) -> "Iterator[list[asyncio.Task[None]]]":
        """Tell the operators what the log complains of, where they want to know."""
        operators, least = self._settings.admin_ids, self._settings.admin_errors
        if not operators or least == "off":
            yield []
            return
        reports = ErrorReports(db, clock, operators, app.worker.wake)
        with hearing(reports.hear, least.upper()):
            yield [asyncio.create_task(reports.run(), name="error reports")]

    @contextmanager
    def _served(self, app: App, health: Health) -> Iterator[None]:
        """Answer over HTTP where that is asked for."""
        if self._metrics is None:
            yield
            return
        app.listen(self._metrics.decided)
        host, port = self._settings.metrics_host, self._settings.metrics_port or 0
        metrics = self._metrics
        with (
            health_server(host, port, troubles=health.troubles, page=metrics.page) as bound,
            hearing(lambda record: metrics.logged(record.levelname)),
        ):
            log.info("health is told", extra={"address": f"http://{host}:{bound}/healthz"})
            yield

    def _timed(self, job: str, seconds: float, well: bool) -> None:
        if self._metrics is not None:
            self._metrics.timed(job, seconds, well)

    def _seen(self, look: Look, health: Health, app: App, db: Database) -> None:
        if self._metrics is not None:
            self._metrics.seen(figures_of(app, db, look, health.findings(), self.watchdog))


def figures_of(app: App, db: Database, look: Look, findings: Sequence[Finding], watchdog: Watchdog) -> Figures:
    """The state of a bot at this moment."""
    return Figures(
        look=look,
        findings=tuple(findings),
        streams=app.status.streams(),
        books=app.status.books(),
        bar_lag_s=app.status.bar_lag_s(app.watched_parts()),
        database_failures=dict(db.failures),
        loop_lag_s=watchdog.take_lag_s(),
        loop_stalls=watchdog.stalls,
        rules=len(app.watch.rules()),
        markets=len(app.watch.markets()),
    )
