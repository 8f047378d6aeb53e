"""Posts that are kept stand where posts drawn anew would stand, whatever maps, ticks and states have brought."""

import random

import numpy as np
import pytest

from bot.alerts.front import QUIET, Band, Front
from bot.alerts.tick_board import TickBoard
from bot.alerts.types import Kind, Repeat, Rule, Unit
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, SLOT, START, Bench, reading
from tests.unit.alerts.test_matching import random_bodies, random_rule


def of_any_unit(dice: random.Random, rule_id: int) -> Rule:
    """A rule that ticks ask, in any unit, also one that tells again and again; of sweeps or its own level at times."""
    rule = replace(random_rule(dice, rule_id), kind=Kind.PROXIMITY, threshold_pct=dice.choice([0.5, 1.0, 2.0]))
    match dice.randrange(7):
        case 0:
            return replace(rule, unit=Unit.ATR)
        case 1:
            return replace(rule, unit=Unit.ODDS, threshold_pct=60.0, window_ms=dice.choice([HOUR, 4 * HOUR]))
        case 2:
            return replace(rule, repeat=Repeat.EVERY, repeat_ms=20 * MINUTE)
        case 3:
            return replace(rule, kind=Kind.SWEPT, threshold_pct=0.0)
        case 4:
            return replace(rule, kind=Kind.EXPOSURE, level=dice.uniform(90.0, 97.0), side=Side.LONG)
        case _:
            return rule


class Bands(TickBoard):
    """A board that shows the band it was given last."""

    def __init__(self) -> None:
        super().__init__(max_age_ms=6_000)
        self.last = QUIET

    def put_band(self, symbol: str, band: Band) -> None:
        self.last = band
        super().put_band(symbol, band)


def stands(front: Front) -> dict[str, tuple[float, float, int, bool]]:
    return {name: (post.low, post.high, post.due_ms, post.waits) for name, post in front.posts.items()}


@pytest.mark.parametrize("seed", range(6))
def test_kept_posts_and_bands_stand_where_new_ones_would(seed: int) -> None:
    dice = random.Random(seed)
    bench = Bench(*(of_any_unit(dice, rule_id) for rule_id in range(1, 41)))
    price, nothing = 100.0, (np.zeros(0), np.zeros(0, dtype=np.int64))
    fronts, book, lively, bands = bench.engine._fronts, bench.engine._books[BTC], 0, Bands()
    fronts._boards["binance"] = bands
    for slot in range(30):
        slot_ms, step = START + slot * SLOT, dice.choice([0.0, 1e-6, 4e-6])
        if dice.random() < 0.9:
            volatility = Volatility(price, slot_ms, (step,) * 4, (1.0,) * 4)
            atr_pct = dice.choice([np.nan, 0.4, 1.1])
            bodies = random_bodies(dice, price)
            bench.map(reading(slot_ms, bodies, price=price, volatility=volatility, atr_pct=atr_pct))
        for moment in range(slot_ms + 75_000, slot_ms + 75_000 + SLOT, 10_000):
            price = min(max(price * float(np.exp(dice.gauss(0, 0.003))), 93.0), 107.0)
            lively += len(bench.tick(moment, price).states)
            fronts.look("binance", (), *nothing, now_ms=moment)  # takes over what the tick has changed
            kept, anew = fronts.front(BTC), Front(book)
            band = anew.form(valid_ms=kept.valid_ms, seen_ms=0, now_ms=moment)
            assert stands(kept) == stands(anew)
            assert bands.last == band._replace(seen_ms=bands.last.seen_ms)
    assert lively > 100, "the scene must be lively enough to prove something"
