"""What a picture costs."""

import resource
import statistics
import time

import pytest

from bot.charts import draw_map
from tests.unit.charts.maps import usual


@pytest.mark.bench
def test_a_map_is_drawn_within_150_ms_and_200_drawings_need_no_more_memory() -> None:
    picture, took = usual(), []
    for _ in range(20):
        draw_map(picture)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        start = time.perf_counter()
        draw_map(picture)
        took.append(time.perf_counter() - start)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 10_000
    assert statistics.median(took) <= 0.150
