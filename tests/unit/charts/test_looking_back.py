"""Pictures of clusters' lives, of receipts, and of liquidations as circles: inside, apart, and told without colour."""

import re
from itertools import combinations
from typing import Protocol

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.charts.boxes import Box
from bot.charts.circles import FULL_RADIUS, LEAST_RADIUS, MOST, lay_circles
from bot.charts.heat_layout import lay_out_heat
from bot.charts.lives_layout import columns_of, lay_out_lives
from bot.charts.page import LEAST_PX, PAGE
from bot.charts.plane import Plane, lay_plane
from bot.charts.receipt_layout import lay_out_receipt
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from tests.unit.charts.maps import ENGLISH, NUMERALS
from tests.unit.charts.pasts import a_lives_picture, a_receipt_picture
from tests.unit.charts.test_heatmap import HOUR_MS, START_MS, a_heat_picture

LONG_TEXT = "Очень длинное название величины, которое никуда не помещается " * 3
PRICES = [1.2345e-8, 0.2, 9.999, 91_234.5, 1e6]


class Laid(Protocol):
    @property
    def boxes(self) -> tuple[Box, ...]: ...


def check_apart(layout: Laid) -> None:
    for box in layout.boxes:
        assert PAGE.contains(box)
    for one, other in combinations(layout.boxes, 2):
        assert not one.overlaps(other)


@settings(deadline=None, max_examples=60)
@given(
    n=st.sampled_from([0, 1, 2, 40, 288, 2016]),
    clusters=st.integers(0, 5),
    price=st.sampled_from(PRICES),
    volatility=st.sampled_from([0.0, 0.001, 0.02]),
    seed=st.integers(0, 60),
    wordy=st.booleans(),
    language=st.sampled_from(sorted(NUMERALS)),
)
def test_in_a_picture_of_lives_nothing_overlaps_or_leaves_it(
    n: int, clusters: int, price: float, volatility: float, seed: int, wordy: bool, language: str
) -> None:
    words = LONG_TEXT if wordy else ""
    picture = a_lives_picture(n, clusters=clusters, price=price, volatility=volatility, seed=seed, words=words)
    layout = lay_out_lives(replace(picture, numerals=NUMERALS[language]))
    check_apart(layout)
    frame = layout.plane.frame
    assert len(layout.tags) == len(layout.bands) == len(picture.ribbons)
    for tag in layout.tags:
        assert frame.contains(tag.box)
        assert all(tag.box.contains(line.box) and line.px >= LEAST_PX for line in tag.lines)
    for band in layout.bands:
        left, bottom, right, top = band.boxes.T
        assert np.all((left >= frame.left) & (left <= right) & (right <= frame.right))
        assert np.all((bottom >= frame.bottom) & (bottom < top) & (top <= frame.top + 2))
        assert np.all((band.alpha > 0.0) & (band.alpha < 1.0))
        if band.badge is not None:
            assert frame.contains(band.badge)


def test_each_cluster_is_numbered_where_it_stands_and_in_its_tag() -> None:
    layout = lay_out_lives(a_lives_picture())
    numbers = [band.number.text for band in layout.bands if band.number]
    assert numbers == ["1", "2", "3", "4", "5"]
    assert [tag.lines[0].text for tag in layout.tags] == [f"{number} · $42M" for number in numbers]


def test_a_cross_marks_the_end_of_what_has_ended_only() -> None:
    picture = a_lives_picture()
    for ribbon, band in zip(picture.ribbons, lay_out_lives(picture).bands, strict=True):
        assert (band.end is None) == (ribbon.ended_ms is None)
        if band.end is not None and ribbon.ended_ms is not None:
            assert band.end[0] == lay_out_lives(picture).plane.x(ribbon.ended_ms)


def test_a_history_without_clusters_says_so() -> None:
    layout = lay_out_lives(a_lives_picture(clusters=0))
    assert layout.notice is not None
    assert "No cluster" in [caption.text for caption in layout.captions]


def test_columns_are_equal_and_at_most_160() -> None:
    opens = START_MS + 300_000 * np.delete(np.arange(8_640), slice(100, 200))
    columns = columns_of(opens)
    assert len(columns) <= 160
    assert len(set(np.diff(columns).tolist())) == 1
    assert columns[0] == opens[0]
    assert opens[-1] - columns[-1] < columns[1] - columns[0]


@settings(deadline=None, max_examples=60)
@given(
    n=st.sampled_from([0, 1, 6, 80, 600]),
    price=st.sampled_from(PRICES),
    volatility=st.sampled_from([0.0, 0.001, 0.02]),
    seed=st.integers(0, 60),
    away=st.sampled_from([-0.2, -0.01, -0.0001, 0.0001, 0.01, 0.2]),
    width=st.sampled_from([1e-6, 0.005, 0.1]),
    wordy=st.booleans(),
    language=st.sampled_from(sorted(NUMERALS)),
)
def test_in_a_receipt_nothing_overlaps_or_leaves_it(
    n: int, price: float, volatility: float, seed: int, away: float, width: float, wordy: bool, language: str
) -> None:
    words = LONG_TEXT if wordy else ""
    picture = a_receipt_picture(n, price=price, volatility=volatility, seed=seed, away=away, width=width, words=words)
    layout = lay_out_receipt(replace(picture, numerals=NUMERALS[language]))
    check_apart(layout)
    frame = layout.plane.frame
    for note in layout.notes:
        assert frame.contains(note.box)
        assert note.box.contains(note.line.box)
    assert frame.left <= layout.alert_x <= layout.end_x <= frame.right


def test_a_receipt_names_the_zone_the_alert_and_how_far_price_went() -> None:
    texts = [note.line.text for note in lay_out_receipt(a_receipt_picture()).notes]
    assert [text.split()[0] for text in texts] == ["Zone", "Alert", "Went"]


def test_a_receipt_s_prices_are_written_as_the_language_writes_them() -> None:
    picture = replace(a_receipt_picture(price=91_234.5), tick_size=0.1, numerals=NUMERALS["ru"])
    layout = lay_out_receipt(picture)
    zone, alert, _ = (note.line.text for note in layout.notes)
    assert zone == "Zone 92\xa0151,4\N{EN DASH}92\xa0613,3"
    assert alert == f"Alert {NUMERALS['ru'].price(picture.alert_price, 0.1)}"
    assert any(re.fullmatch(r"9\d\xa0\d{3}", each.text) for each in layout.captions)


def prints(*rows: tuple[int, bool, float, float]) -> LiquidationPrints:
    times, longs, price, usd = zip(*sorted(rows), strict=True)
    return LiquidationPrints(np.array(times), np.array(longs), np.array(price), np.array(usd))


def plane_of(hours: int = 48) -> Plane:
    times = START_MS + HOUR_MS * np.arange(hours, dtype=np.int64)
    return lay_plane(
        low=90.0,
        high=110.0,
        price=100.0,
        tick_size=0.1,
        numerals=ENGLISH,
        times_ms=times,
        beside_px=100.0,
        utc_offset_ms=0,
    )


def test_circles_grow_with_the_root_of_what_was_liquidated() -> None:
    told = prints((START_MS, True, 95.0, 4e6), (START_MS + HOUR_MS, False, 105.0, 1e6))
    big, small = lay_circles(told, plane_of())
    assert (big.side, small.side) == (Side.LONG, Side.SHORT)
    assert big.radius == FULL_RADIUS
    assert small.radius == pytest.approx(0.5 * FULL_RADIUS)
    assert big.y < small.y


def test_prints_of_one_column_and_about_one_price_are_one_circle() -> None:
    told = prints(*[(START_MS + 1_000 * k, True, 95.0 + 0.001 * k, 1e5) for k in range(10)])
    (one,) = lay_circles(told, plane_of())
    assert one.usd == pytest.approx(1e6)


def test_prints_outside_the_picture_are_not_shown() -> None:
    told = prints(
        (START_MS - 1, True, 95.0, 1e6), (START_MS + 48 * HOUR_MS, True, 95.0, 1e6), (START_MS, True, 80.0, 1e6)
    )
    assert lay_circles(told, plane_of()) == ()
    assert lay_circles(None, plane_of()) == ()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 99), count=st.integers(1, 500))
def test_circles_lie_inside_and_the_biggest_are_kept(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    rows = zip(
        (START_MS + rng.integers(0, 48 * HOUR_MS, count)).tolist(),
        (rng.random(count) < 0.5).tolist(),
        rng.uniform(85.0, 115.0, count).tolist(),
        rng.gamma(0.3, 1e6, count).tolist(),
        strict=True,
    )
    plane = plane_of()
    circles = lay_circles(prints(*rows), plane)
    assert len(circles) <= MOST
    frame = plane.frame
    for circle in circles:
        assert LEAST_RADIUS <= circle.radius <= FULL_RADIUS
        reach = circle.radius - 1e-6
        about = Box(circle.x - reach, circle.y - reach, circle.x + reach, circle.y + reach)
        assert frame.contains(about)
    assert [circle.usd for circle in circles] == sorted((circle.usd for circle in circles), reverse=True)


def test_a_heatmap_says_what_circles_are_only_where_there_are_some() -> None:
    picture = a_heat_picture()
    assert lay_out_heat(picture).ring is None
    told = prints((int(picture.maps[3].time_ms), True, 100.0, 2.5e6))
    layout = lay_out_heat(replace(picture, prints=told))
    check_apart(layout)
    assert layout.ring is not None
    assert "liquidated ≤ $2.5M" in [caption.text for caption in layout.captions]
