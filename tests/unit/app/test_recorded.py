"""A recording as a market to look at: which contract a text means, its tiers, its history up to a moment."""

from pathlib import Path

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.failures import UsageError
from bot.market.binance_brackets import stored_tiers
from bot.market.recording import Recording
from bot.market.recording_writer import RecordingWriter
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.recorded import Recorded, open_recorded

SIM = Market("simulated", "SIMUSDT")


@pytest.fixture(scope="module")
def recorded(recording: Path) -> Recorded:
    return open_recorded(Recording(recording))


def named(folder: Path, market: SimulatedMarket, exchange: str, *symbols: str) -> RecordingWriter:
    """The bars of the simulated market, written as those of other contracts."""
    writer = RecordingWriter(folder, exchange)
    for symbol in symbols:
        writer.bars(symbol, market.bars)
    return writer


def test_the_history_ends_with_the_last_bar_that_was_closed_by_then(
    recorded: Recorded, market: SimulatedMarket
) -> None:
    first_ms = int(market.bars.open_ms[0])
    for late_ms, bars in ((0, 0), (BAR_MS - 1, 0), (BAR_MS, 1), (10 * BAR_MS - 1, 9), (10 * BAR_MS, 10)):
        assert len(recorded.history(SIM, end_ms=first_ms + late_ms)) == bars
    since = recorded.history(SIM, start_ms=first_ms + 5 * BAR_MS, end_ms=first_ms + 12 * BAR_MS)
    assert since.open_ms.tolist() == [first_ms + n * BAR_MS for n in range(5, 12)]
    assert np.array_equal(recorded.history(SIM).close, market.bars.close)


def test_recorded_tiers_are_used_as_they_are(recorded: Recorded, market: SimulatedMarket) -> None:
    assert recorded.tiers_of(SIM) == market.tiers


def test_contracts_of_binance_without_recorded_tiers_have_the_stored_ones(
    tmp_path: Path, market: SimulatedMarket
) -> None:
    writer = named(tmp_path, market, "binance", "BTCUSDT", "ZRXUSDT", "NEWUSDT")
    recorded = open_recorded(Recording(tmp_path))
    for symbol in ("BTCUSDT", "ZRXUSDT", "NEWUSDT"):
        assert recorded.tiers_of(Market("binance", symbol)) == stored_tiers(symbol)
    assert recorded.tiers_of(Market("binance", "BTCUSDT")) != recorded.tiers_of(Market("binance", "ZRXUSDT"))
    writer.tiers({"ZRXUSDT": market.tiers})
    assert recorded.tiers_of(Market("binance", "ZRXUSDT")) == market.tiers
    assert recorded.tiers_of(Market("binance", "BTCUSDT")) == stored_tiers("BTCUSDT")


def test_tiers_of_another_exchange_are_not_made_up(tmp_path: Path, market: SimulatedMarket) -> None:
    named(tmp_path, market, "okx", "BTCUSDT")
    assert open_recorded(Recording(tmp_path)).tiers_of(Market("okx", "BTCUSDT")) is None


def test_a_symbol_on_two_exchanges_is_the_first_one_s_unless_one_is_named(
    tmp_path: Path, market: SimulatedMarket
) -> None:
    named(tmp_path, market, "binance", "BTCUSDT")
    named(tmp_path, market, "okx", "BTCUSDT", "SOLUSDT")
    recorded = open_recorded(Recording(tmp_path))
    assert recorded.instrument("btc").exchange == "binance"
    assert recorded.instrument("btc", "okx").exchange == "okx"
    assert recorded.instrument("sol").exchange == "okx"
    assert recorded.market("OKX:BTC") == Market("okx", "BTCUSDT")
    with pytest.raises(UsageError, match="--exchange takes one of binance, okx, not 'bybit'"):
        recorded.instrument("btc", "bybit")
    with pytest.raises(UsageError, match="no symbol 'sol'"):
        recorded.instrument("sol", "binance")


def test_another_markets_broken_file_does_not_refuse_this_one(tmp_path: Path, market: SimulatedMarket) -> None:
    named(tmp_path, market, "binance", "AAAUSDT", "BBBUSDT")
    (tmp_path / "binance" / "AAAUSDT" / "bars_5m.csv.gz").write_bytes(b"broken")
    assert open_recorded(Recording(tmp_path)).instrument("BBB").tick_size == pytest.approx(0.01)
