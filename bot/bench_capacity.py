"""What very many chats would cost: `liqwatch bench --capacity`.

What grows with the rules, memory and the time of a tick, is measured at several numbers of rules, so that it shows
whether it grows in proportion, and drawn out to ten million. What a database takes is measured as it is. What Telegram
takes of one bot token is plain arithmetic. Ten rules a chat.
"""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Final

from bot.bench_matching import USUAL_STEP, median_s, rss_mb, ticks
from bot.bench_storage import measure_storage
from bot.storage.scratch import scratch

RULES_A_CHAT: Final = 10
ASKED: Final = 10_000_000
MEASURED: Final = (250_000, 500_000, 1_000_000, 2_000_000)
"""Rules in rising order: what a process has held once it does not give back."""

SYMBOLS: Final = 500
FREE_RATE: Final = 30
"""Messages a second that Telegram takes of one token."""

PAID_RATE: Final = 1_000
"""The same, where messages beyond 30 a second are paid for."""

Figures = dict[str, float]


def run_capacity(
    *, database_url: str, json_output: bool, counts: Sequence[int] = MEASURED, asked: int = ASKED, runs: int = 20
) -> Iterator[str]:
    """A line for each number of rules as it is measured, then the rest; as JSON one object a line."""
    points = list[Figures]()
    for point in measure_rules(counts, runs=runs):
        points.append(point)
        yield _line(point, json_output=json_output)
    yield _line(drawn_out(points, asked) | fan_out(asked // RULES_A_CHAT), json_output=json_output)
    with scratch(database_url) as url:
        yield _line(rows_a_second(measure_storage(url, runs=10, bars=288)), json_output=json_output)


def measure_rules(counts: Sequence[int], *, symbols: int = SYMBOLS, runs: int = 20) -> Iterator[Figures]:
    """Seconds of one core until the judge stands, the most memory the process has held, and a tick of usual moves, in
    which little fires. A core's own time: what else a machine does is not in it."""
    for rules in counts:
        began_s = time.process_time()
        tick = ticks(symbols, rules, step=USUAL_STEP)
        made_s = time.process_time() - began_s
        tick_ms = 1e3 * median_s(tick, runs, clock=time.process_time)
        yield {
            "rules": rules,
            "start_s": made_s,
            "peak_mb": rss_mb(),
            "tick_ms": tick_ms,
        }
        del tick


def drawn_out(points: Sequence[Figures], rules: int) -> Figures:
    """The figures of so many rules on the line through the first and the last point."""
    first, last = points[0], points[-1]
    share = (rules - first["rules"]) / (last["rules"] - first["rules"])
    names = ("start_s", "peak_mb", "tick_ms")
    return {"drawn_out_to_rules": rules} | {name: first[name] + share * (last[name] - first[name]) for name in names}


def fan_out(chats: int) -> Figures:
    """How long one message to each of these chats takes."""
    return {"chats": chats, "fan_out_free_h": chats / FREE_RATE / 3600, "fan_out_paid_min": chats / PAID_RATE / 60}


def rows_a_second(measured: Figures) -> Figures:
    """What the database takes: alerts queued in batches, and messages through their three transactions one by one."""
    return {
        "queued_rows_a_second": 1e6 / measured["enqueue_1000_ms"],
        "sent_rows_a_second": 1e3 / measured["claim_to_sent_ms"],
    }


def _line(figures: Figures, *, json_output: bool) -> str:
    shown = {name: round(value, 2) for name, value in figures.items()}
    return json.dumps(shown) if json_output else "  ".join(f"{name} {value:g}" for name, value in shown.items())
