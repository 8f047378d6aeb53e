"""Maps held against the prints that followed them."""

import json

import numpy as np
import pytest

from bot.liquidation.grid import CELL, cells_of
from bot.liquidation.margin import RiskTier
from bot.liquidation.model import PositionModel
from bot.liquidation.score import MODELS, listened, moments, nothing_printed, score_histories
from bot.liquidation.skill import Verdict
from bot.liquidation.skill_sample import BRIEF_CELLS, Brief, brief, reached_cells
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Floats, History
from tests.unit.liquidation.markets import history_of, part, random_market

BAR = 300_000
HOUR = 3_600_000


def middle(cell: int) -> float:
    """A price in the middle of a cell."""
    return float(np.exp((cell + 0.5) * CELL))


def prints(rows: list[tuple[int, bool, float, float]]) -> LiquidationPrints:
    time_ms, is_long, price, usd = zip(*rows, strict=True)
    return LiquidationPrints(np.array(time_ms), np.array(is_long), np.array(price), np.array(usd))


def flat(cells: list[int]) -> History:
    return history_of(np.array([middle(cell) for cell in cells]), wick=0.0)


def test_a_map_in_brief_is_read_from_the_price_outwards() -> None:
    model = PositionModel.rebuild(random_market(1, 300))
    read = model.map(window=0.06)
    short = brief(read)
    assert short.usd.shape == (2, BRIEF_CELLS)
    assert short.usd[0, 9] == read.long_usd[len(read.low) // 2 - 10]
    assert short.usd[1, 9] == read.short_usd[len(read.low) // 2 + 10]
    assert brief(model.map()).usd.tolist() == short.usd.tolist()
    with pytest.raises(ValueError, match="at least 60 cells"):
        brief(model.map(window=0.05))


def test_only_cells_between_price_and_the_horizons_extreme_are_reached() -> None:
    history = flat([0, 0, -3, -5, 2, 9])
    start = int(history.open_ms[1]) + BAR
    usd = np.arange(2.0 * BRIEF_CELLS).reshape(2, BRIEF_CELLS)
    seen = prints(
        [
            (start, True, middle(-3), 100.0),  # at the map's own time: not after it
            (start + 1, True, middle(-1), 10.0),  # in the skipped nearest cell
            (start + 2, True, middle(-3), 4.0),
            (start + 3, False, middle(-4), 100.0),  # a short below price
            (start + 4, True, middle(-9), 100.0),  # beyond the extreme
            (start + 5, True, middle(-3), 2.0),
            (start + 3 * BAR, False, middle(2), 8.0),
            (start + 3 * BAR + 1, False, middle(2), 100.0),  # after the horizon
        ]
    )
    moment = [Brief(start, middle(0), usd), Brief(start, middle(0), 2 * usd)]
    found = reached_cells([moment], history, seen, symbol=3, event_usd=2.0, horizon_ms=3 * BAR)
    longs, shorts = found.side == 0, found.side == 1
    assert found.distance[longs].tolist() == [2, 3, 4, 5]
    assert found.events[longs].tolist() == [0.0, 3.0, 0.0, 0.0]
    assert found.distance[shorts].tolist() == [2]
    assert found.events[shorts].tolist() == [4.0]
    assert found.usd[:, longs].tolist() == [[1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]]
    assert set(found.symbol.tolist()) == {3}


def test_a_horizon_without_bars_gives_nothing() -> None:
    history = flat([0, -5])
    moment = [Brief(history.end_ms, middle(-5), np.ones((2, BRIEF_CELLS)))]
    none = reached_cells([moment], history, nothing_printed(), symbol=0, event_usd=1.0, horizon_ms=HOUR)
    assert len(none) == 0
    assert none.usd.shape == (1, 0)


def test_silences_longer_than_the_feeds_habit_end_what_was_listened_to() -> None:
    times = np.concatenate((np.arange(0, 600_000, 5_000), np.arange(9_000_000, 9_300_000, 5_000)))
    assert listened(times) == ((0, 595_000), (9_000_000, 9_295_000))
    sparse = np.arange(0, 50 * HOUR, HOUR)
    assert listened(sparse) == ((0, 49 * HOUR),)
    assert listened(np.array([5])) == ()


def test_maps_are_scored_only_where_prints_and_bars_cover_their_horizon() -> None:
    history = random_market(1, 600)
    end = history.end_ms
    times = moments(history, ((end - 4 * HOUR, end - HOUR),), HOUR, 900_000)
    assert times == [time for time in range(end - 4 * HOUR, end - 2 * HOUR + 1, BAR) if time % 900_000 == 0]
    assert moments(history, ((0, end),), HOUR, 900_000)[0] >= int(history.open_ms[0]) + 86_400_000


def own_prints(history: History, seed: int) -> LiquidationPrints:
    """Prints drawn from what the model itself holds in the cells that each bar reaches."""
    chance = np.random.default_rng(seed)
    model = PositionModel.rebuild(part(history, 0, 288))
    rows = []
    for at in range(288, len(history)):
        read = model.map(window=0.06)
        reached: Floats = np.where(read.low >= history.low[at], read.long_usd, 0.0) + np.where(
            read.high <= history.high[at], read.short_usd, 0.0
        )
        drawn = chance.poisson(reached / 100.0)
        for cell in np.flatnonzero(drawn).tolist():
            price = middle(int(cells_of(read.low[cell] * 1.0005)))
            rows.append((int(history.open_ms[at]) + 150_000, price < read.price, price, float(drawn[cell])))
        model.extend(part(history, 0, at + 1))
    return prints(rows)


def test_a_market_that_liquidates_where_the_model_says_proves_the_model() -> None:
    history = random_market(11, 900, volatility=0.003)
    seen = own_prints(history, 1)
    tiers = {"A": (RiskTier(0.0, 1e9, 0.004, 0.0, 125.0),)}
    cover = ((int(history.open_ms[288]), history.end_ms),)
    score, _ = score_histories({"A": history}, {"A": seen}, tiers=tiers, cover=cover)
    assert [model.name for model in score.skill.models] == list(MODELS)
    assert score.horizon_ms == HOUR
    assert score.skill.model("prior").verdict is Verdict.PROVEN
    assert score.samples[0].prints == len(seen)
    plain = json.loads(json.dumps(score.plain(), allow_nan=False))
    assert plain["samples"][0]["symbol"] == "A"
    assert plain["models"][1]["verdict"] == "proven"


def test_contracts_without_prints_or_without_enough_bars_are_listed_with_nothing() -> None:
    history = random_market(12, 400)
    cover = ((history.end_ms - 2 * HOUR, history.end_ms),)
    young = part(history, 300, 400)
    score, _ = score_histories({"A": history, "B": young}, {}, tiers={}, cover=cover)
    assert score.horizon_ms == 900_000
    assert [(sample.symbol, sample.moments > 0, sample.prints) for sample in score.samples] == [
        ("A", True, 0),
        ("B", False, 0),
    ]
    assert {model.verdict for model in score.skill.models} == {Verdict.TOO_FEW}
