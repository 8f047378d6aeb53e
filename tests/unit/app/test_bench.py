"""`liqwatch bench`: every figure of the contract is there, and each is a number that can be compared."""

import json
import math

from bot.bench import Load, run_bench, walk
from bot.bench_delivery import FIRST, FULL_DELIVERY, DeliveryLoad, measure_delivery
from bot.bench_start import FULL_START, StartLoad, measure_start
from bot.bench_storage import measure_storage
from bot.bench_streams import PriceFrames
from bot.storage.scratch import scratch
from tests.unit.storage.full_tables import stored

TINY_START = StartLoad(symbols=3, watched=1, cold_minutes=1, steady_minutes=2)
TINY_DELIVERY = DeliveryLoad(symbols=5, rules=60, due=30, rate_of=5)
TINY = Load(bars=400, symbols=5, rules=50, most_runs=2, start=TINY_START, delivery=TINY_DELIVERY)
CONTRACT = (
    "map_rebuild_ms",
    "map_increment_us",
    "replay_bar_us",
    "recompute_500_symbols_ms",
    "tick_ms",
    "match_1m_rules_ms",
    "match_1m_rules_mb",
    "price_tick_parse_ms",
    "stream_frames_cpu_share",
    "chart_ms",
    "heatmap_play_ms",
    "heatmap_chart_ms",
    "rss_mb",
    "tick_to_request_ms",
    "send_rate_share",
    "loop_stall_ms",
    "commit_ms",
    "enqueue_1000_ms",
    "claim_to_sent_ms",
    "bars_load_ms",
)


def test_every_figure_of_the_contract_is_a_positive_number_in_json() -> None:
    [line] = run_bench(database_url="sqlite://", json_output=True, load=TINY)
    figures = json.loads(line)
    assert set(CONTRACT) <= set(figures)
    latency = figures.pop("tick_to_request_ms")
    assert 0 < latency["p50"] <= latency["p99"]
    for name, value in figures.items():
        assert isinstance(value, int | float), name
        assert math.isfinite(value), name
        assert value > 0, name


def test_a_database_is_measured_in_a_place_of_its_own_beside_it(bare_database_url: str) -> None:
    with scratch(bare_database_url) as url:
        figures = measure_storage(url, runs=2, bars=400)
        assert stored(url)["bars"]
        assert stored(bare_database_url) == {}
    with scratch(bare_database_url) as url:
        latency = measure_delivery(url, DeliveryLoad(symbols=3, rules=20, due=10, rate_of=5))["tick_to_request_ms"]
    assert isinstance(latency, dict)
    assert all(value > 0 for value in (*figures.values(), *latency.values()))
    assert stored(bare_database_url) == {}


def test_a_frame_of_prices_becomes_a_tick_of_all_of_them() -> None:
    prices = PriceFrames(7)
    assert [prices.read(prices.next_frame()) for _ in range(3)] == [7, 7, 7]


def test_in_words_each_figure_has_a_line() -> None:
    lines = list(run_bench(database_url="sqlite://", json_output=False, load=TINY))
    assert [line.split()[0] for line in lines][:2] == ["map_rebuild_ms", "map_increment_us"]
    assert all(float(line.split()[1]) > 0 for line in lines if "{" not in line)


def test_the_full_load_is_that_of_the_contract() -> None:
    assert Load() == Load(bars=30 * 288, symbols=500, rules=100_000)
    assert StartLoad(symbols=500, watched=25) == FULL_START
    assert DeliveryLoad(symbols=500, rules=100_000, due=1_000) == FULL_DELIVERY
    assert FIRST == 25


def test_a_start_from_nothing_maps_what_is_watched_in_seconds_and_stays_below_half_of_the_limit() -> None:
    figures = measure_start(StartLoad(symbols=16, watched=4, cold_minutes=1, steady_minutes=5))
    assert 0.5 < figures["cold_start_watched_s"] < 15.0
    assert 100 < figures["cold_start_weight_per_minute_max"] < 1200
    assert 200 < figures["steady_weight_per_minute"] < 600
    assert figures["steady_weight_per_minute_max"] < 600


def test_the_market_it_measures_with_is_whole() -> None:
    history = walk(100, seed=1)
    assert (history.low <= history.open).all()
    assert (history.low <= history.close).all()
    assert (history.high >= history.open).all()
    assert (history.high >= history.close).all()


def test_alerts_that_one_price_sets_off_go_out_at_the_allowed_rate() -> None:
    with scratch("sqlite://") as url:
        figures = measure_delivery(url, DeliveryLoad(symbols=3, rules=80, due=60, rate_of=25))
    assert isinstance(figures["send_rate_share"], float)
    assert 0.3 < figures["send_rate_share"] < 1.3
