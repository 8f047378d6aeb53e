"""Where things stand in a liquidation map's picture: inside, apart, legible, for any data."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.charts.bars import MAX_BARS
from bot.charts.boxes import rounded_up, spread, ticks
from bot.charts.map_frame import BARS_TOP, FRAME, LANE
from bot.charts.map_layout import MapLayout, lay_out
from bot.charts.numbers import price_text, signed_percent_text
from bot.charts.page import LEAST_PX, PAGE
from bot.charts.pictures import MapPicture, MapWords
from bot.liquidation.types import LiquidationMap, Side
from bot.liquidation.values import replace
from tests.unit.charts.maps import ENGLISH, LAYERS, NUMERALS, a_map, a_picture, hills, in_layers, usual

LONG_WORDS = MapWords(*("Очень длинное название величины, которое никуда не помещается",) * 6)


def check(picture: MapPicture) -> MapLayout:
    layout = lay_out(picture)
    for box in layout.boxes:
        assert PAGE.contains(box)
    for one, other in combinations(layout.boxes, 2):
        assert not one.overlaps(other)
    for label in layout.labels:
        assert LANE.contains(label.box)
        assert all(label.box.contains(line.box) for line in label.lines)
        assert FRAME.left <= label.foot[0] <= FRAME.right
        assert FRAME.bottom <= label.foot[1] <= BARS_TOP
    lines = [line for label in layout.labels for line in label.lines]
    assert all(caption.px >= LEAST_PX for caption in [*layout.captions, *lines])
    assert FRAME.left <= layout.price_x <= FRAME.right
    assert layout.pill.left <= layout.price_x <= layout.pill.right
    for laid in layout.sides:
        edges = np.concatenate((laid.bars.inner, laid.bars.outer))
        assert np.all(edges == np.round(edges))
        assert np.all((edges >= FRAME.left) & (edges <= FRAME.right))
        assert np.all((laid.tops >= FRAME.bottom) & (laid.tops <= BARS_TOP))
        assert np.all(np.diff(laid.curve.y) >= 0)
        assert np.all(laid.curve.y <= BARS_TOP)
        assert len(laid.bars.usd) <= MAX_BARS
    return layout


masses = st.builds(
    lambda seed, n, shape, scale, empty: np.random.default_rng(seed).gamma(shape, 1.0, n) * scale * (not empty),
    st.integers(0, 10_000),
    st.sampled_from([1, 2, 7, 50, 159, 161, 240, 241, 600]),
    st.sampled_from([0.02, 0.3, 5.0]),
    st.sampled_from([1e-3, 1.0, 1e5, 1e10]),
    st.booleans(),
)


@settings(deadline=None, max_examples=120)
@given(
    long=masses,
    seed=st.integers(0, 99),
    price=st.sampled_from([1.2345e-8, 4.2e-4, 0.2, 1.0, 9.999, 250.0, 91_234.5, 1e6]),
    tick_size=st.sampled_from([1e-10, 1e-4, 0.01, 0.5, 0.0]),
    moved=st.sampled_from([None, 0.5, 0.9, 0.99, 1.0, 1.02, 1.5]),
    offset=st.sampled_from([0.0, 0.3, 0.999]),
    estimated=st.booleans(),
    wordy=st.booleans(),
    layered=st.booleans(),
    language=st.sampled_from(sorted(NUMERALS)),
)
def test_nothing_overlaps_or_leaves_the_picture(
    long: np.ndarray,
    seed: int,
    price: float,
    tick_size: float,
    moved: float | None,
    offset: float,
    estimated: bool,
    wordy: bool,
    layered: bool,
    language: str,
) -> None:
    short = np.random.default_rng(seed).gamma(0.3, 1.0, len(long)) * (seed % 4) * float(long.max() or 1.0)
    liquidation_map = a_map(
        long, short, price=price, offset=offset, open_interest="estimated" if estimated else "measured"
    )
    long_text = "Ж" * 200
    if wordy:
        picture = a_picture(
            liquidation_map,
            tick_size=tick_size,
            words=LONG_WORDS,
            title=long_text,
            subtitle=long_text,
            banner=long_text,
        )
    else:
        picture = a_picture(liquidation_map, tick_size=tick_size, price=None if moved is None else price * moved)
    picture = replace(picture, numerals=NUMERALS[language])
    check(in_layers(picture) if layered else picture)


def test_a_map_without_bins_says_so() -> None:
    empty = np.array([])
    picture = a_picture(LiquidationMap(0, 91_234.5, empty, empty, empty, empty, 0.0, 0.0, "measured"))
    layout = check(picture)
    assert picture.words.empty in [caption.text for caption in layout.captions]
    assert layout.labels == ()


def test_a_map_of_zeros_says_so_and_a_full_one_does_not() -> None:
    zeros = a_picture(a_map(np.zeros(241), np.zeros(241)))
    assert zeros.words.empty in [caption.text for caption in check(zeros).captions]
    assert zeros.words.empty not in [caption.text for caption in check(usual()).captions]


def test_the_three_biggest_clusters_are_labelled_with_price_and_size() -> None:
    picture = usual()
    assert len(picture.clusters) == 4
    layout = check(picture)
    biggest = sorted(sorted(picture.clusters, key=lambda c: -c.usd)[:3], key=lambda c: c.peak)
    assert [label.side for label in layout.labels] == [c.side for c in biggest]
    for label, cluster in zip(layout.labels, biggest, strict=True):
        price, away, size = (line.text for line in label.lines)
        assert float(away.replace("\N{MINUS SIGN}", "-")[:-1]) == pytest.approx(cluster.peak - 100.0, abs=0.06)
        assert float(price) == pytest.approx(cluster.peak, abs=0.005)
        assert size.startswith("$")
        assert float(size[1:-1]) * 1e6 == pytest.approx(cluster.usd, rel=0.01)


@pytest.mark.parametrize("language", sorted(NUMERALS))
def test_labels_pill_and_axes_are_written_as_the_language_writes_numbers(language: str) -> None:
    """The very words that the message beside the picture has."""
    figures = NUMERALS[language]
    long, short = (1e8 * hills(at) for at in ((60, 3.0, 5.0), (150, 4.0, 4.0)))
    picture = replace(a_picture(a_map(long, short, price=91_234.5), tick_size=0.1), numerals=figures)
    layout = check(picture)
    for label, cluster in zip(layout.labels, picture.clusters, strict=True):
        price, away, size = (line.text for line in label.lines)
        assert price == figures.fixed(cluster.peak, 0)
        assert away == signed_percent_text(cluster.peak / 91_234.5 - 1.0, figures)
        assert size == figures.money(cluster.usd)
    texts = [each.text for each in layout.captions]
    assert {figures.price(91_234.5, 0.1), figures.money(long.sum()), figures.money(short.sum())} <= set(texts)
    assert figures.fixed(85_000.0, 0) in texts


def test_an_axis_puts_a_long_unit_below_its_amount() -> None:
    usd = 1e9 * hills((60, 3.0, 5.0))
    drawn = a_picture(a_map(usd, usd[::-1].copy()))
    texts = [each.text for each in check(replace(drawn, numerals=NUMERALS["ru"])).captions]
    assert {"$10", "$20", "$30", "$40"} <= set(texts)
    assert texts.count("млрд") == 4
    assert "$10B" in [each.text for each in check(drawn).captions]


def test_an_estimate_is_labelled_with_share_and_strength_and_no_dollars() -> None:
    usd = 1e6 * hills((60, 3.0, 5.0))
    layout = check(a_picture(a_map(usd, usd[::-1].copy(), open_interest="estimated")))
    texts = [line.text for label in layout.labels for line in label.lines] + [c.text for c in layout.captions]
    assert any("% · " in text and text.endswith("/100") for text in texts)
    assert not any("$" in text for text in texts)


def test_the_cluster_an_alert_tells_of_is_labelled_however_small() -> None:
    picture = usual()
    smallest = min(picture.clusters, key=lambda c: c.usd)
    told = a_picture(picture.map, highlight=smallest)
    (label,) = [label for label in check(told).labels if label.highlighted]
    assert label.lines[0].text == f"{smallest.peak:.2f}"


def test_a_highlight_that_is_gone_from_the_map_is_not_labelled() -> None:
    picture = usual()
    others = a_picture(a_map(1e6 * hills((30, 3.0, 5.0)), np.zeros(241)), highlight=picture.clusters[-1])
    assert not any(label.highlighted for label in check(others).labels)


def test_long_bars_stand_left_of_the_price_and_short_bars_right_of_it() -> None:
    layout = check(usual())
    long, short = layout.sides
    assert long.side is Side.LONG
    assert np.all(long.bars.outer <= long.bars.inner)
    assert np.all(long.bars.inner <= layout.price_x)
    assert np.all(short.bars.outer >= short.bars.inner)
    assert np.all(short.bars.inner >= layout.price_x)


def test_bars_have_one_width_and_keep_all_the_money() -> None:
    picture = usual()
    long, short = check(picture).sides
    for laid, usd in ((long, picture.map.long_usd), (short, picture.map.short_usd)):
        widths = np.abs(np.diff(laid.bars.outer))
        assert len(set(widths[:-1].tolist())) == 1
        assert laid.bars.usd.sum() == pytest.approx(usd.sum(), rel=1e-3)


def test_the_densest_bar_reaches_100_and_the_curve_its_side_total() -> None:
    picture = usual()
    layout = check(picture)
    assert max(float(laid.tops.max()) for laid in layout.sides) == BARS_TOP
    long, short = layout.sides
    ratio = (long.curve.y[-1] - FRAME.bottom) / (short.curve.y[-1] - FRAME.bottom)
    assert ratio == pytest.approx(long.bars.usd.sum() / short.bars.usd.sum())


def test_neighbouring_clusters_differ_in_tone() -> None:
    bodies = check(usual()).bodies
    for side in Side:
        mine = [body.odd for body in bodies if body.side is side]
        assert mine == [False, True]


def test_a_cluster_thinner_than_a_bar_still_has_a_body() -> None:
    usd = np.zeros(4_001)
    usd[3_000] = 1e6
    (body,) = check(a_picture(a_map(np.zeros(4_001), usd))).bodies
    assert body.right > body.left


def test_a_price_newer_than_the_map_moves_the_line_and_not_the_bars() -> None:
    picture = usual()
    old, new = check(picture), check(a_picture(picture.map, price=98.0))
    assert new.price_x < old.price_x
    assert [laid.bars.outer.tolist() for laid in new.sides] == [laid.bars.outer.tolist() for laid in old.sides]
    assert new.captions != old.captions


def test_ticks_carry_the_distance_from_the_price() -> None:
    texts = [caption.text for caption in check(usual()).captions]
    assert texts[texts.index("95") + 1] == "−5.0%"
    assert texts[texts.index("105") + 1] == "+5.0%"


widths = st.lists(st.tuples(st.floats(0.0, 1_000.0), st.floats(1.0, 200.0)), min_size=1, max_size=4)


@given(rows=widths)
def test_spread_intervals_stay_apart_and_within_bounds(rows: list[tuple[float, float]]) -> None:
    rows.sort()
    wanted, sizes = [at for at, _ in rows], [size for _, size in rows]
    lefts = spread(wanted, sizes, low=0.0, high=1_000.0, gap=10.0)
    assert lefts[0] >= -1e-9
    assert lefts[-1] + sizes[-1] <= 1_000.0 + 1e-9
    ends = [left + size for left, size in zip(lefts, sizes, strict=True)]
    assert all(after - end >= 10.0 - 1e-9 for end, after in zip(ends, lefts[1:], strict=False))


def test_intervals_with_room_stay_where_they_want_to_be() -> None:
    assert spread([100.0, 500.0], [50.0, 60.0], low=0.0, high=1_000.0, gap=10.0) == [75.0, 470.0]


@given(low=st.floats(1e-9, 1e6), ratio=st.floats(1.0001, 3.0))
def test_ticks_are_multiples_of_their_step_inside_the_range(low: float, ratio: float) -> None:
    at, step = ticks(low, low * ratio, lambda levels, _: len(levels) <= 8)
    assert 1 <= len(at) <= 8
    assert all(low < level < low * ratio for level in at)
    assert all(b - a == pytest.approx(step) for a, b in pairwise(at))


@given(value=st.floats(1e-12, 1e15))
def test_the_amount_axis_ends_little_above_the_data(value: float) -> None:
    assert value * (1 - 1e-9) <= rounded_up(value) <= 1.5 * value


def test_a_volume_model_counts_a_side_and_its_clusters_by_the_same_whole() -> None:
    long, short = hills((40, 6.0, 2.0)), hills((200, 6.0, 8.0))
    drawn = replace(
        a_map(long, short),
        long_total_usd=float(long.sum()) * 2,
        short_total_usd=float(short.sum()),
        open_interest="estimated",
    )
    texts = [each.text for each in lay_out(a_picture(drawn)).captions]
    assert "50%" in texts
    assert "100%" in texts


def test_the_layers_of_a_bar_lie_on_one_another_up_to_its_top() -> None:
    layout = check(in_layers(usual()))
    for laid in layout.sides:
        assert np.all(laid.levels[0] == FRAME.bottom)
        assert np.all(np.diff(laid.levels, axis=0) >= 0.0)
        assert np.all(laid.levels[-1][laid.tops > FRAME.bottom] == laid.tops[laid.tops > FRAME.bottom])
    assert len(layout.samples) == 5
    assert [c.text for c in layout.captions if c.text in LAYERS] == list(LAYERS)


def test_a_cluster_that_ends_with_the_window_has_its_label_inside() -> None:
    growing = np.zeros(241)
    growing[190:] = np.linspace(5.0, 9.0, 51)
    (label,) = check(a_picture(a_map(np.zeros(241), growing))).labels
    assert label.box.right <= FRAME.right - 8
    assert label.foot[0] <= FRAME.right - 16


def test_labels_stay_on_their_side_of_the_price_where_they_fit() -> None:
    layout = check(usual())
    for label in layout.labels:
        at_the_left = label.box.right < layout.price_x
        assert at_the_left == (label.side is Side.LONG)


def test_labels_give_up_their_distances_before_they_stand_over_the_price() -> None:
    one_side = 1e6 * hills((135, 4.0, 3.0), (160, 5.0, 3.0), (185, 6.0, 3.0))
    layout = check(a_picture(a_map(np.zeros(241), one_side, price=91_234.5), tick_size=0.1))
    assert len(layout.labels) == 3
    assert min(label.box.left for label in layout.labels) > layout.price_x
    assert all(len(label.lines) == 2 for label in layout.labels)


@pytest.mark.parametrize(
    ("price", "tick_size", "text"),
    [
        (88_910.93, 0.1, "88,910.9"),
        (0.14846, 0.0005, "0.1485"),
        (1.2345e-8, 1e-10, "0.0000000123"),
        (97.31, 0.25, "97.25"),
    ],
)
def test_prices_are_multiples_of_the_tick(price: float, tick_size: float, text: str) -> None:
    assert price_text(price, tick_size, ENGLISH) == text


def test_a_level_of_one_s_own_stands_at_its_price_and_beyond_the_map_nowhere() -> None:
    picture = usual()
    x = lay_out(replace(picture, level=picture.map.price)).level_x
    assert x == lay_out(picture).price_x
    below = lay_out(replace(picture, level=0.95 * picture.map.price)).level_x
    assert below is not None
    assert below < lay_out(picture).price_x
    assert lay_out(replace(picture, level=3.0 * picture.map.price)).level_x is None
    assert lay_out(picture).level_x is None
