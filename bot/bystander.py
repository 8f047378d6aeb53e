"""What a process that is not the sender tells of itself while it stands by, or works for the sender."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from bot.clock import Clock
from bot.failures import FailedError
from bot.figures import Figures
from bot.health import Health
from bot.health_server import health_server
from bot.service_manager import ServiceManager
from bot.settings import Settings
from bot.storage.database import Database
from bot.telegram.findings import Finding, Trouble

NOT_ITS_OWN = frozenset({Trouble.UNDELIVERED})
"""What only the sender can mend: restarting another process for it would help nobody."""

log = logging.getLogger(__name__)


async def tell(settings: Settings, db: Database, clock: Clock, manager: ServiceManager, *, does: str) -> None:
    """Answer /healthz, and be alive to the service manager, to whom it is what it `does`. Ends only when cancelled.

    A port that is taken, as by the sender on the same machine, is logged and no reason to end.
    """
    bystander = Bystander(db, clock)
    with ExitStack() as served:
        if settings.metrics_port is not None:
            _serve(bystander, settings.metrics_host, settings.metrics_port, served)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bystander.health.run(), name="health")
            beat = manager.beat(standstills=tuple, status=lambda: "; ".join(bystander.troubles()) or does)
            tasks.create_task(beat, name="service manager")


class Bystander:
    """The health of such a process: it hears no exchange and no Telegram, but needs the database."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.seen: Callable[[Figures], None] = lambda figures: None
        self.health = Health(
            db, clock, price_ages=dict, ears=lambda: "listening", standstills=tuple, seen=lambda _look: self._see()
        )

    def troubles(self) -> Sequence[str]:
        return [str(finding) for finding in self._findings()]

    def _findings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.health.findings() if finding.trouble not in NOT_ITS_OWN)

    def _see(self) -> None:
        self.seen(Figures(findings=self._findings()))


def _serve(bystander: Bystander, host: str, port: int, served: ExitStack) -> None:
    """Answer over HTTP until `served` ends, where that can be."""
    from bot.metrics import Metrics  # only where somebody asks for figures: it takes time to import

    metrics = Metrics()
    try:
        bound = served.enter_context(health_server(host, port, troubles=bystander.troubles, page=metrics.page))
    except FailedError as error:
        log.warning("nobody can ask this process how it does: %s", error)
        return
    bystander.seen = metrics.seen
    log.info("health is told", extra={"address": f"http://{host}:{bound}/healthz"})
