"""The bot's state as Prometheus reads it: every name and label of what is measured and not counted as it happens."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.figures import Figures
from bot.health import Look
from bot.market.line import LineStatus
from bot.storage.errors import StorageError
from bot.telegram.findings import Trouble

STATES = ("ready", "sending", "ambiguous")


class FiguresCollector(Collector):
    """Shows the newest `figures`; whoever asks, from whatever thread, gets those of one moment."""

    def __init__(self) -> None:
        self.figures = Figures()

    def collect(self) -> Iterator[Metric]:
        seen = self.figures
        yield from _health(seen)
        yield from _outbox(seen.look)
        yield from _feeds(seen)
        yield from _requests(seen.books)


def _health(seen: Figures) -> Iterator[Metric]:
    found = {finding.trouble for finding in seen.findings}
    yield GaugeMetricFamily("liqwatch_healthy", "1 while nothing is found wrong.", value=not found)
    wrong = GaugeMetricFamily("liqwatch_trouble", "1 while this is wrong, as /healthz tells it.", labels=["trouble"])
    for trouble in Trouble:
        wrong.add_metric([trouble.value], trouble in found)
    yield wrong
    yield GaugeMetricFamily("liqwatch_loop_lag_seconds", "Worst lateness of the loop in 5 s.", value=seen.loop_lag_s)
    yield CounterMetricFamily("liqwatch_loop_stalls", "Times in which the loop stood still.", value=seen.loop_stalls)
    yield GaugeMetricFamily("liqwatch_rules", "Rules that are judged.", value=seen.rules)
    yield GaugeMetricFamily("liqwatch_watched_markets", "Markets that some rule watches.", value=seen.markets)
    failures = CounterMetricFamily("liqwatch_database_errors", "Failures of the database.", labels=["error"])
    known = [StorageError.__name__, *(kind.__name__ for kind in StorageError.__subclasses__())]
    for error in dict.fromkeys((*known, *seen.database_failures)):
        failures.add_metric([error], seen.database_failures.get(error, 0))
    yield failures


def _outbox(look: Look) -> Iterator[Metric]:
    rows = GaugeMetricFamily("liqwatch_outbox_messages", "Messages that have no end yet.", labels=["state"])
    age = GaugeMetricFamily("liqwatch_outbox_oldest_seconds", "Age of the oldest of them.", labels=["state"])
    for state in dict.fromkeys((*STATES, *look.waiting)):
        waiting = look.waiting.get(state)
        rows.add_metric([state], waiting.messages if waiting else 0)
        age.add_metric([state], waiting.oldest_s if waiting else 0.0)
    yield rows
    yield age


def _feeds(seen: Figures) -> Iterator[Metric]:
    price = GaugeMetricFamily("liqwatch_price_age_seconds", "Age of the newest price.", labels=["exchange"])
    for exchange, age_s in seen.look.price_age_s.items():
        price.add_metric([exchange], float("nan") if age_s is None else age_s)
    yield price
    lag = GaugeMetricFamily(
        "liqwatch_bar_lag_seconds",
        "Since the close of the last bar of the watched market furthest behind.",
        labels=["exchange"],
    )
    for exchange, lag_s in seen.bar_lag_s.items():
        lag.add_metric([exchange], lag_s)
    yield lag
    age = GaugeMetricFamily("liqwatch_stream_age_seconds", "Since a stream's last word.", labels=["exchange"])
    late = GaugeMetricFamily("liqwatch_stream_lag_seconds", "Lateness of a stream's newest word.", labels=["exchange"])
    gaps = CounterMetricFamily("liqwatch_stream_gaps", "Times in which a stream was not heard.", labels=["exchange"])
    lost = CounterMetricFamily(
        "liqwatch_stream_lost_liquidations", "Liquidations for which there was no room.", labels=["exchange"]
    )
    for exchange, view in seen.streams.items():
        age.add_metric([exchange], view.age_ms / 1000)
        late.add_metric([exchange], float("nan") if view.late_ms is None else view.late_ms / 1000)
        gaps.add_metric([exchange], view.gaps)
        lost.add_metric([exchange], view.dropped)
    yield from (age, late, gaps, lost)


def _requests(books: Mapping[str, LineStatus]) -> Iterator[Metric]:
    made = CounterMetricFamily("liqwatch_exchange_requests", "Requests to an exchange.", labels=["exchange"])
    again = CounterMetricFamily("liqwatch_exchange_retries", "Requests made again.", labels=["exchange"])
    rows = CounterMetricFamily("liqwatch_exchange_bad_rows", "Rows that could not be read.", labels=["exchange"])
    off = GaugeMetricFamily("liqwatch_exchange_banned", "1 while an exchange bans this address.", labels=["exchange"])
    used = GaugeMetricFamily(
        "liqwatch_exchange_budget_used", "Weight used in the budget's window.", labels=["exchange", "budget"]
    )
    allowed = GaugeMetricFamily(
        "liqwatch_exchange_budget_allowed", "Weight the bot allows itself in it.", labels=["exchange", "budget"]
    )
    for exchange, book in books.items():
        made.add_metric([exchange], book.requests)
        again.add_metric([exchange], book.retried)
        rows.add_metric([exchange], sum(book.dropped_rows.values()))
        off.add_metric([exchange], book.banned_until_ms is not None)
        for name, budget in book.budgets.items():
            used.add_metric([exchange, name], budget.used)
            allowed.add_metric([exchange, name], budget.allowed)
    yield from (made, again, rows, off, used, allowed)
