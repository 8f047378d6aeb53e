"""`liqwatch score`: the map's skill on realised liquidations, beside a model that knows only the distance."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bot.alert_line import dump_line
from bot.alerts.types import Market
from bot.failures import FailedError
from bot.liquidation.score import Score, score_histories
from bot.liquidation.skill import ModelSkill, Verdict
from bot.market.history import FEE_IN_REQUIREMENT, liquidations_by_symbol
from bot.market.recording import Recording
from bot.market.types import Prints
from bot.recorded import Recorded, open_recorded
from bot.times import utc_text

SHIPPED = "learned"
"""The model that the bot uses: leverage and turnover learned from what came earlier."""

SAYINGS = {
    Verdict.PROVEN: "proven here: the whole 90 % interval lies above distance alone",
    Verdict.NOT_PROVEN: "not proven here: the 90 % interval reaches down to what distance alone explains",
    Verdict.TOO_FEW: "too few liquidations to tell: no interval from so few can be trusted",
}


def score_recording(path: Path, *, json: bool) -> Iterator[str]:
    """Lines to print, for each exchange that recorded liquidations. Raises RecordingError, FailedError."""
    recorded = open_recorded(Recording(path))
    scored = False
    for exchange in recorded.recording.exchanges:
        prints = recorded.prints(exchange)
        if prints is not None and len(prints):
            yield from _score_exchange(recorded, exchange, prints, json=json)
            scored = True
    if not scored:
        raise FailedError(f"{path} has no liquidations.csv.gz with rows: there is nothing to score the map against")


def _score_exchange(recorded: Recorded, exchange: str, prints: Prints, *, json: bool) -> Iterator[str]:
    symbols = recorded.recording.symbols(exchange)
    cover = recorded.recording.heard(exchange, prints)
    histories = {symbol: recorded.history(Market(exchange, symbol)) for symbol in symbols}
    tiers = {symbol: found for symbol in symbols if (found := recorded.tiers_of(Market(exchange, symbol))) is not None}
    fee_rate = FEE_IN_REQUIREMENT.get(exchange, 0.0)
    printed = liquidations_by_symbol(prints, symbols, tiers=tiers, fee_rate=fee_rate)
    every, each = score_histories(histories, printed, tiers=tiers, cover=cover)
    if json:
        single = {symbol: one.plain() for symbol, one in each.items()}
        verdict = SAYINGS[every.skill.model(SHIPPED).verdict]
        yield dump_line({"exchange": exchange, "verdict": verdict, **every.plain(), "symbols": single})
        return
    stretches = ", ".join(f"{utc_text(start)} to {utc_text(end)}" for start, end in cover)
    yield f"{exchange}: {len(prints)} liquidations of all symbols, heard {stretches}"
    yield from _table("all", every)
    for symbol, one in each.items():
        yield from _table(symbol, one)


def _table(name: str, score: Score) -> Iterator[str]:
    skill = score.skill
    yield (
        f"{name}: {skill.cells} reached cells, {skill.effective_events:.0f} effective liquidations, "
        f"{skill.blocks} blocks of {skill.blocks_of}"
    )
    for model in skill.models:
        yield f"  {model.name:10} {_figures(model)}  {SAYINGS[model.verdict]}"


def _figures(model: ModelSkill) -> str:
    if not np.isfinite(model.skill):
        return "skill    -                  "
    return f"skill {model.skill:+.3f} [{model.low:+.3f}, {model.high:+.3f}]"
