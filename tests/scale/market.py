"""A recording whose prices swing through its clusters, so that alerts come all the time."""

import gzip
import math
from pathlib import Path

from tests.fakes.recorded_market import BAR_MS, read_market

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
AT_MS = 1_766_188_800_000
"""2025-12-20T00:00:00Z: the recorded moment that is now."""

SWING = 0.04
STEP_MS = 500


def stage(recording: Path, folder: Path, *, long_ms: int) -> None:
    """The recording's files as they are, and a price of each contract that goes wider and wider around its own."""
    (folder / "binance").mkdir(parents=True)
    (folder / "binance" / "tiers.json").symlink_to((recording / "binance" / "tiers.json").resolve())
    for number, symbol in enumerate(SYMBOLS):
        staged = folder / "binance" / symbol
        staged.mkdir()
        for file in (recording / "binance" / symbol).iterdir():
            (staged / file.name).symlink_to(file.resolve())
        market = read_market(recording / "binance" / symbol, symbol=symbol, shift_ms=0)
        base = float(market.open[int((AT_MS - int(market.open_ms[0])) // BAR_MS)])
        with gzip.open(staged / "prices.csv.gz", "wt", encoding="utf-8") as out:
            out.write("time_ms,price\n")
            for ms in range(-BAR_MS, long_ms + 2 * BAR_MS, STEP_MS):
                wide = SWING * min(1.0, max(0.0, (ms + BAR_MS) / (long_ms + BAR_MS)) + 0.2)
                swing = wide * math.sin(2 * math.pi * ms / (150_000 + 17_000 * number))
                out.write(f"{AT_MS + ms},{base * (1 + swing):.8g}\n")
