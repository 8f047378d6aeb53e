"""`liqwatch bench --capacity`: measured points, drawn out to what was asked for."""

import json

import pytest

from bot.bench_capacity import drawn_out, fan_out, run_capacity


def test_each_number_of_rules_is_a_line_and_the_rest_follows_from_them() -> None:
    lines = run_capacity(database_url="sqlite://", json_output=True, counts=(100, 300), asked=1000, runs=2)
    first, second, out, stored = [json.loads(line) for line in lines]
    assert (first["rules"], second["rules"], out["drawn_out_to_rules"], out["chats"]) == (100, 300, 1000, 100)
    assert all(value > 0 for value in (*stored.values(), first["tick_ms"], second["tick_ms"]))


def test_what_grows_in_proportion_is_drawn_out_in_proportion() -> None:
    points = [{"rules": n, "start_s": n / 10, "peak_mb": 50 + 2 * n, "tick_ms": 3.0} for n in (10, 20, 40)]
    out = drawn_out(points, 100)
    assert (out["start_s"], out["peak_mb"], out["tick_ms"]) == pytest.approx((10, 250, 3))


def test_a_million_messages_take_nine_hours_for_nothing_and_seventeen_minutes_paid_for() -> None:
    out = fan_out(1_000_000)
    assert out["fan_out_free_h"] == pytest.approx(9.26, abs=0.01)
    assert out["fan_out_paid_min"] == pytest.approx(16.7, abs=0.1)
