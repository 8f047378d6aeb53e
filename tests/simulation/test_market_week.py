"""Days of trouble on every wire: in the end no closed bar is missing, no print is there twice, nothing has grown."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.market import growth, stream_book
from bot.market.recording import Recording, gaps
from bot.market.types import BAR_MS
from bot.settings import EXCHANGES
from bot.storage.database import Database
from tests.fakes.virtual_time import VirtualLoop
from tests.shared import needs_shared
from tests.simulation.market_week import SYMBOLS, Week, live_through

pytestmark = needs_shared

MOST_TASKS = 150
REMEMBERED = {
    "StreamBook._seen": 3 * stream_book.REMEMBERED,
    "GrowingPrints._seen": 4 * growth.REMEMBERED,
    "Ranges.spans": 1000,
}
"""Containers that fill up to a bound of their own; gaps in what is stored are kept for sixty days."""

SLACK = 60
"""How much a container may differ between two moments: requests under way, prints that wait."""


@pytest.mark.parametrize(
    ("hours", "seed"),
    [
        pytest.param(4, 1, id="four hours"),
        pytest.param(168, 2, id="a week", marks=[pytest.mark.soak, pytest.mark.timeout(3000)]),
    ],
)
def test_trouble_loses_no_bar_repeats_no_print_and_leaves_nothing_behind(
    tmp_path: Path, hours: float, seed: int
) -> None:
    async def look(week: Week, db: Database) -> None:
        end_ms = week.clock.now_ms()
        recording = Recording(tmp_path)
        for name in EXCHANGES:
            for symbol in SYMBOLS:
                bars = recording.bars(name, symbol)
                assert gaps(bars) == (), (name, symbol)
                assert end_ms - int(bars.open_ms[-1]) < 3 * BAR_MS, (name, symbol)
                truth = week.fakes[name].markets[symbol]
                first = int(np.searchsorted(truth.open_ms, bars.open_ms[0]))
                assert bars.open_ms.tolist() == truth.open_ms[first : first + len(bars)].tolist()
                assert np.allclose(bars.close, truth.close[first : first + len(bars)])
                prices = recording.prices(name, symbol)
                assert prices is not None
                assert np.abs(np.log(prices.price / truth.price(end_ms))).max() < 0.5
            stored = await db.series.load_bars(Market(name, "BTCUSDT"), start_ms=week.begin_ms, end_ms=end_ms)
            assert gaps(stored) == (), name
            assert len(stored) >= hours * 12 - 2, name
        for name, told in week.told.items():
            prints = recording.prints(name)
            assert prints is not None
            mine = prints.price == 88000.5  # not the old one that OKX greets with
            found = list(zip(prints.time_ms[mine].tolist(), np.round(prints.coins[mine], 6).tolist(), strict=True))
            assert len(found) == len(set(found)), f"{name}: a print is there twice"
            assert set(found) <= {(one.time_ms, one.coins) for one in told}, f"{name}: a print nobody told"
            lost = {(one.time_ms, one.coins) for one in told if one.surely} - set(found)
            assert not lost, f"{name}: told on a calm wire, and not heard"
            assert sum(one.surely for one in told) > 0.4 * len(told)
        assert len(week.troubles) > 3
        assert week.most_tasks < MOST_TASKS
        middle, last = week.sizes[len(week.sizes) // 2], week.sizes[-1]
        for what, count in last.items():
            bound = REMEMBERED.get(what, 1.1 * middle[what] + SLACK)
            assert count <= bound, f"{what} has grown from {middle[what]} to {count}"

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(live_through(tmp_path, hours=hours, seed=seed, look=look))
