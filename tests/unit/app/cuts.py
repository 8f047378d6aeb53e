"""Short recordings cut out of longer ones at test time, with the project's own reader and writer."""

from pathlib import Path

import numpy as np

from bot.market.bar_path import slice_bars
from bot.market.recording import Recording
from bot.market.recording_writer import RecordingWriter
from bot.market.types import OpenInterest

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def cut(source: Path, folder: Path, exchange: str, symbol: str, *, start_ms: int, end_ms: int) -> Path:
    """Write the bars and the open interest of one symbol between two times below `folder`, and return it."""
    whole = Recording(source)
    bars = whole.bars(exchange, symbol)
    begin, end = np.searchsorted(bars.open_ms, (start_ms, end_ms))
    writer = RecordingWriter(folder, exchange)
    writer.bars(symbol, slice_bars(bars, int(begin), int(end)))
    samples = whole.open_interest(exchange, symbol)
    if samples is not None:
        kept = (samples.time_ms > start_ms) & (samples.time_ms <= end_ms)
        writer.open_interest(symbol, OpenInterest(samples.time_ms[kept], samples.coins[kept]))
    return folder
