"""Figures for Prometheus: what was sent, what was decided, how old the feeds are, how the loop does."""

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.alerts.types import Event
from bot.health import Look
from bot.telegram.desk import StreamView

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Metrics:
    """All figures of one bot. Counting is safe from any thread."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._messages = Counter("liqwatch_messages", "What came of sending.", ["outcome"], registry=registry)
        self._alerts = Counter("liqwatch_alerts", "Alerts decided.", ["kind"], registry=registry)
        self._jobs = Histogram(
            "liqwatch_job_seconds", "Length of a job's runs.", ["job"], registry=registry, buckets=_SECONDS
        )
        self._rows = Gauge("liqwatch_outbox_messages", "Undelivered messages.", ["state"], registry=registry)
        self._waiting = Gauge("liqwatch_outbox_oldest_seconds", "Age of the oldest undelivered.", registry=registry)
        self._price_age = Gauge(
            "liqwatch_price_age_seconds", "Age of the newest price.", ["exchange"], registry=registry
        )
        self._stream_age = Gauge(
            "liqwatch_stream_age_seconds", "Since a stream's last word.", ["exchange"], registry=registry
        )
        self._stream_lag = Gauge(
            "liqwatch_stream_lag_seconds", "Lateness of a stream's newest message.", ["exchange"], registry=registry
        )
        self._stream_gaps = Gauge(
            "liqwatch_stream_gaps", "Times in which a stream was not heard.", ["exchange"], registry=registry
        )
        self._stream_lost = Gauge(
            "liqwatch_stream_lost_liquidations", "Liquidations without room.", ["exchange"], registry=registry
        )
        self._lag = Gauge("liqwatch_loop_lag_seconds", "Worst lateness of the loop in 5 s.", registry=registry)
        self._healthy = Gauge("liqwatch_healthy", "1 while all is well.", registry=registry)
        for outcome in ("sent", "retried", "ambiguous", "dead"):
            self._messages.labels(outcome)

    def count(self, outcome: str, messages: int) -> None:
        """So many messages came to this."""
        self._messages.labels(outcome).inc(messages)

    def decided(self, events: Sequence[Event]) -> None:
        for event in events:
            self._alerts.labels(event.kind.value).inc()

    def timed(self, job: str, seconds: float) -> None:
        self._jobs.labels(job).observe(seconds)

    def seen(self, look: Look, *, lag_s: float, healthy: bool) -> None:
        """Take over what health saw."""
        for state in ("ready", "sending", "ambiguous"):
            self._rows.labels(state).set(look.messages.get(state, 0))
        for exchange, age_s in look.price_age_s.items():
            self._price_age.labels(exchange).set(float("nan") if age_s is None else age_s)
        self._waiting.set(look.waiting_s)
        self._lag.set(lag_s)
        self._healthy.set(healthy)

    def streamed(self, streams: Mapping[str, StreamView]) -> None:
        """Take over how the streams do."""
        for exchange, view in streams.items():
            self._stream_age.labels(exchange).set(view.age_ms / 1000)
            self._stream_lag.labels(exchange).set(float("nan") if view.late_ms is None else view.late_ms / 1000)
            self._stream_gaps.labels(exchange).set(view.gaps)
            self._stream_lost.labels(exchange).set(view.dropped)

    def page(self) -> bytes:
        """Everything, in Prometheus' text format."""
        page: bytes = generate_latest(self._registry)
        return page
