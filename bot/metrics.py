"""What Prometheus reads: counts of what was sent, decided and failed, lengths of jobs, the figures of the moment."""

from collections.abc import Sequence
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from bot import __version__
from bot.alerts.types import Event, Kind
from bot.delivery.settlement import Outcome
from bot.figures import Figures
from bot.log_counts import LEVELS
from bot.metric_families import FiguresCollector

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Metrics:
    """All figures of one bot. Counting is safe from any thread."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        build = Gauge("liqwatch_build_info", "Which version runs.", ["version"], registry=registry)
        build.labels(__version__).set(1)
        self._messages = Counter("liqwatch_messages", "What came of sending.", ["outcome"], registry=registry)
        self._alerts = Counter("liqwatch_alerts", "Alerts decided.", ["kind"], registry=registry)
        self._jobs = Histogram(
            "liqwatch_job_duration_seconds",
            "Length of a job's runs; `prices` is the tick.",
            ["name"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._failed = Counter("liqwatch_job_failures", "Runs that ended in an error.", ["name"], registry=registry)
        self._logged = Counter("liqwatch_log_records", "What the log complained of.", ["level"], registry=registry)
        self._figures = FiguresCollector()
        registry.register(self._figures)
        # A rate that begins at nothing shows the first of its kind.
        for outcome in get_args(Outcome):
            self._messages.labels(outcome)
        for kind in Kind:
            self._alerts.labels(kind.value)
        for level in LEVELS:
            self._logged.labels(level)

    def count(self, outcome: str, messages: int) -> None:
        """So many messages came to this."""
        self._messages.labels(outcome).inc(messages)

    def decided(self, events: Sequence[Event]) -> None:
        for event in events:
            self._alerts.labels(event.kind.value).inc()

    def timed(self, job: str, seconds: float, well: bool) -> None:
        """A run of a job took so long, and ended without an error or not."""
        self._jobs.labels(job).observe(seconds)
        self._failed.labels(job).inc(0 if well else 1)

    def logged(self, level: str) -> None:
        """The log complained, at this of the `LEVELS`."""
        self._logged.labels(level).inc()

    def seen(self, figures: Figures) -> None:
        """Take over what health saw."""
        self._figures.figures = figures

    def page(self) -> bytes:
        """Everything, in Prometheus' text format."""
        page: bytes = generate_latest(self._registry)
        return page
