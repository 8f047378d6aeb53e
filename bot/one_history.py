"""`liqwatch history`: what became of a market's clusters, from a recording or from the exchange."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.alert_line import dump_line
from bot.alerts.lives import Life
from bot.alerts.sequels import AFTER_H, move_after
from bot.found_market import MarketRequest, find_market
from bot.hindsight import lives_view, play_lives
from bot.one_map import found_view, write_png
from bot.past_pictures import lives_picture
from bot.settings import Settings
from bot.telegram.commands.history import history_text
from bot.telegram.desk import LivesView
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue

AFTERWARDS_H = (1, AFTER_H, 24)
"""How long after its end what price did is told."""

USUAL_MS = 7 * 86_400_000
"""How far back is looked where no range is asked for."""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """What was asked for on the command line."""

    symbol: str
    recording: Path | None
    exchange: str | None
    at_ms: int | None
    range_ms: int | None
    png: Path | None
    json: bool


async def make_history(request: HistoryRequest, settings: Settings) -> Iterator[str]:
    """Lines to print; the picture is written first. Raises UsageError, FailedError, RecordingError."""
    asked = MarketRequest(request.symbol, request.recording, request.exchange, request.at_ms)
    found = await find_market(asked, settings)
    range_ms = USUAL_MS if request.range_ms is None else request.range_ms
    lives, bars = play_lives(found.parts, found.history, found.market, range_ms)
    view = lives_view(found_view(found), lives, bars, range_ms=range_ms)
    texts = Catalogue.english()
    if request.png is not None:
        write_png(lives_picture(view, texts=texts, now_ms=found.now_ms), request.png)
    if request.json:
        return iter([dump_line(history_json(view))])
    return iter(bare(history_text(view, texts)).splitlines())


def history_json(view: LivesView) -> dict[str, object]:
    """The object `history --json` prints; times in ms UTC, `ended_ms` and `end` null while a cluster stands.

    `median_move_pct` is positive where price went on in the direction of the sweep, `price_after_pct` where it rose.
    """
    count = view.count
    return {
        "symbol": view.market.market.symbol,
        "exchange": view.market.market.exchange,
        "from_ms": view.from_ms,
        "to_ms": view.end_ms,
        "step_ms": view.step_ms,
        "clusters": {
            "total": count.total,
            "swept": count.swept,
            "faded": count.faded,
            "merged": count.merged,
            "standing": count.standing,
            "median_life_ms": count.median_ms,
        },
        "sweeps": {
            "hours_after": AFTER_H,
            "seen": view.sweeps.seen,
            "went_on": view.sweeps.went_on,
            "came_back": view.sweeps.came_back,
            "median_move_pct": view.sweeps.median_pct,
        },
        "biggest": [_life_json(life, view) for life in view.biggest],
        "gone": [_life_json(life, view) for life in view.gone],
    }


def _life_json(life: Life, view: LivesView) -> dict[str, object]:
    best = life.best
    return {
        "id": life.id,
        "side": life.side.value,
        "low": best.low,
        "high": best.high,
        "peak": best.peak,
        "usd": best.usd,
        "share": best.share,
        "strength": life.best_strength,
        "born_ms": life.born_ms,
        "birth_seen": life.witnessed,
        "biggest_ms": life.best_ms,
        "ended_ms": life.ended_ms or None,
        "end": None if life.end is None else life.end.value,
        "price_after_pct": {f"{hours}h": move_after(life, view.bars, hours) for hours in AFTERWARDS_H},
    }
