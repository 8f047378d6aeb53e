"""`liqwatch pulse`: how wound up markets are, from a recording or live, as words, as JSON, as a picture."""

from collections.abc import Iterator

from bot.alert_line import dump_line
from bot.failures import UsageError
from bot.found_market import FoundMarket
from bot.liquidation.shape import NEAR, Standing
from bot.many_markets import ManyRequest, find_markets
from bot.market.types import SIMULATED
from bot.one_map import write_png
from bot.pulses import past_hours, shape_report, shapes_at, usual_move_pct
from bot.settings import Settings
from bot.table_pictures import pulse_picture
from bot.telegram.limits import bare
from bot.telegram.pulse_text import most_wound_up, pulse_text
from bot.telegram.survey import SHOWN, PulseView
from bot.telegram.texts import Catalogue


async def tell_pulse(request: ManyRequest, settings: Settings) -> Iterator[str]:
    """Lines to print; the picture is written first. Raises UsageError, FailedError, RecordingError."""
    views, without, now_ms = [], [], 0
    async for found in find_markets(request, settings):
        view = _view(found)
        now_ms = max(now_ms, found.now_ms)
        if view is None:
            without.append(found.instrument.base)
        else:
            views.append(view)
    if not views:
        raise UsageError("nothing stands in the map of any of these markets at that time")
    ordered, texts = most_wound_up(views), Catalogue.english()
    if request.png is not None:
        write_png(pulse_picture(ordered[:SHOWN], texts=texts, now_ms=now_ms), request.png)
    if request.json:
        return iter([dump_line({"markets": [pulse_json(view) for view in ordered]})])
    text = pulse_text(ordered, texts, shown=len(ordered), without=without, pictured=False)
    return iter(bare(text).splitlines())


def _view(found: FoundMarket) -> PulseView | None:
    past = shapes_at(found.parts, found.history, past_hours(found.history))
    report = shape_report(found.parts, found.history, past)
    if report is None:
        return None
    return PulseView(
        market=found.market,
        base=found.instrument.base,
        time_ms=report.time_ms,
        report=report,
        move_pct=usual_move_pct(found.reading.volatility),
        simulated=found.market.exchange == SIMULATED,
    )


def pulse_json(view: PulseView) -> dict[str, object]:
    """One market of the object `pulse --json` prints; shares and ranks from 0 to 1, changes as differences of shares.

    `wound_up` and what rests on the past are null while that is shorter than a day.
    """
    report = view.report
    return {
        "symbol": view.market.symbol,
        "exchange": view.market.exchange,
        "time_ms": view.time_ms,
        "wound_up": report.tightness,
        "concentration": _standing_json(report.concentration),
        "near": [
            {"within_pct": 100.0 * reach, **_standing_json(standing)}
            for reach, standing in zip(NEAR, report.near, strict=True)
        ],
        "imbalance": _standing_json(report.imbalance),
        "usual_move_4h_pct": view.move_pct,
        "past_hours": report.past,
    }


def _standing_json(standing: Standing) -> dict[str, object]:
    return {
        "value": standing.value,
        "rank": standing.rank,
        "usual": None if standing.low is None else [standing.low, standing.high],
        "change": {f"{hours}h": change for hours, change in standing.changes},
    }
