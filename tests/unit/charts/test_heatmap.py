"""The heatmap: columns of past maps, the candles over them, and where its texts stand."""

import io
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.charts import HeatPicture, HeatWords, draw_heatmap
from bot.charts.heat import MAX_COLUMNS, candles, intensities, thinned
from bot.charts.heat_layout import HeatLayout, lay_out_heat
from bot.charts.page import HEIGHT, LEAST_PX, PAGE, WIDTH
from bot.charts.themes import THEMES, ThemeName
from bot.liquidation.clusters import find_clusters
from bot.liquidation.types import Cluster, Floats, History, Ints, LiquidationMap
from bot.liquidation.values import replace
from tests.unit.charts.maps import ENGLISH, NUMERALS, a_map, hills

HOUR_MS = 3_600_000
START_MS = 1_764_547_200_000  # a midnight
WORDS = HeatWords(longs="Longs below", shorts="Shorts above", liquidated="liquidated", empty="Nothing yet")


def at(time_ms: int, one: LiquidationMap) -> LiquidationMap:
    return LiquidationMap(
        time_ms,
        one.price,
        one.low,
        one.high,
        one.long_usd,
        one.short_usd,
        one.long_total_usd,
        one.short_total_usd,
        one.open_interest,
    )


def history(open_ms: Ints, close: Floats) -> History:
    open_ = np.append(close[:1], close[:-1])
    unknown = np.full(len(close), math.nan)
    high, low = np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999
    return History(300_000, open_ms, open_, high, low, close, np.ones(len(close)), unknown, unknown)


def a_heat_picture(
    n: int = 48,
    *,
    price: float = 100.0,
    volatility: float = 0.004,
    seed: int = 1,
    title: str = "BTCUSDT",
    words: HeatWords = WORDS,
    banner: str = "",
    highlight: Cluster | None = None,
) -> HeatPicture:
    """One map an hour with two hills to each side, and a random walk of bars that ends at about `price`."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, volatility, 12 * n).cumsum()
    close = price * np.exp(steps - steps[-1]) if n else np.empty(0)
    open_ms = START_MS + np.arange(12 * n, dtype=np.int64) * 300_000
    long, short = 1e6 * hills((60, 3.0, 5.0), (95, 5.0, 4.0)), 1e6 * hills((150, 4.0, 4.0), (190, 6.0, 6.0))
    maps = tuple(
        at(START_MS + i * HOUR_MS, a_map(long, short, price=float(close[12 * i] if i < n - 1 else price)))
        for i in range(n)
    )
    clusters = find_clusters(maps[-1], day_volatility=0.02) if maps else ()
    return HeatPicture(
        maps=maps,
        bars=history(open_ms, close),
        clusters=clusters,
        title=title,
        subtitle="Binance, 2 days",
        words=words,
        tick_size=0.0,
        numerals=ENGLISH,
        price=price,
        highlight=highlight,
        banner=banner,
    )


def check(picture: HeatPicture) -> HeatLayout:
    layout = lay_out_heat(picture)
    for box in layout.boxes:
        assert PAGE.contains(box)
    for one, other in combinations(layout.boxes, 2):
        assert not one.overlaps(other)
    for tag in layout.tags:
        assert layout.plane.frame.contains(tag.box)
        assert tag.box.contains(tag.line.box)
    assert all(caption.px >= LEAST_PX for caption in layout.captions)
    for left, bottom, right, top in [*layout.candles.wicks.tolist(), *layout.candles.bodies.tolist()]:
        assert layout.plane.frame.left <= left <= right <= layout.plane.frame.right
        assert layout.plane.frame.bottom <= bottom <= top <= layout.plane.frame.top
        assert {left, bottom, right, top} == {round(left), round(bottom), round(right), round(top)}
    for heat in (layout.long, layout.short):
        assert np.all((heat >= 0.0) & (heat <= 1.0))
    return layout


@settings(deadline=None, max_examples=60)
@given(
    n=st.sampled_from([0, 1, 2, 24, 160, 333]),
    price=st.sampled_from([1.2345e-8, 0.2, 9.999, 91_234.5, 1e6]),
    volatility=st.sampled_from([0.0, 0.001, 0.02, 0.1]),
    seed=st.integers(0, 50),
    wordy=st.booleans(),
    language=st.sampled_from(sorted(NUMERALS)),
)
def test_nothing_overlaps_or_leaves_the_picture(
    n: int, price: float, volatility: float, seed: int, wordy: bool, language: str
) -> None:
    long_text = "Очень длинное название величины, которое никуда не помещается " * 3
    if wordy:
        words = HeatWords(long_text, long_text, long_text, long_text)
        picture = a_heat_picture(
            n, price=price, volatility=volatility, seed=seed, title=long_text, words=words, banner=long_text
        )
    else:
        picture = a_heat_picture(n, price=price, volatility=volatility, seed=seed)
    check(replace(picture, numerals=NUMERALS[language]))


def test_no_maps_yet_is_said() -> None:
    layout = check(a_heat_picture(0))
    assert WORDS.empty in [caption.text for caption in layout.captions]


def test_the_highlighted_cluster_has_a_tag() -> None:
    smallest = min(a_heat_picture().clusters, key=lambda c: c.usd)
    (told,) = [tag for tag in check(a_heat_picture(highlight=smallest)).tags if tag.highlighted]
    assert told.line.text.startswith(f"{smallest.peak:.3f}")


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("es", "97,531 · $37,1M"),
        ("ru", "97,531 · $37,1\xa0млн"),
        ("tr", "97,531 · $37,1M"),
        ("zh", "97.531 · $37.1M"),
    ],
)
def test_tags_are_written_as_the_language_writes_numbers(language: str, written: str) -> None:
    tags = check(replace(a_heat_picture(), numerals=NUMERALS[language])).tags
    assert tags[0].line.text == written


def test_midnights_are_dates_and_a_zone_moves_them() -> None:
    texts = [caption.text for caption in check(a_heat_picture(60)).captions]
    assert "12-02" in texts
    assert "12:00" in texts


def test_at_most_160_maps_are_shown_and_the_newest_always_is() -> None:
    maps = a_heat_picture(333).maps
    kept = thinned(maps)
    assert len(kept) <= MAX_COLUMNS
    assert kept[-1] is maps[-1]
    assert thinned(maps[:5]) == list(maps[:5])


def test_mass_stays_in_its_price_rows() -> None:
    usd = np.zeros(241)
    usd[150] = 1e6
    one = a_map(np.zeros(241), usd)
    edges = np.array([one.low[0], one.low[150], one.high[150], one.high[-1]])
    long, short = intensities([one], edges)
    assert long[:, 0].tolist() == [0.0, 0.0, 0.0]
    assert short[:, 0] == pytest.approx([0.0, 1.0, 0.0], abs=1e-9)


def test_a_candle_holds_the_bars_up_to_the_next_map() -> None:
    open_ms = np.arange(6, dtype=np.int64) * 300_000
    bars = history(open_ms, np.array([100.0, 104.0, 101.0, 98.0, 97.0, 99.0]))
    drawn = candles(bars, np.array([0, 900_000, 5_000_000], dtype=np.int64))
    assert drawn.column.tolist() == [0, 1]
    assert drawn.open.tolist() == [100.0, 101.0]
    assert drawn.close.tolist() == [101.0, 99.0]
    assert drawn.high.tolist() == pytest.approx([104.104, 101.101])
    assert drawn.low.tolist() == pytest.approx([99.9, 96.903])


def test_bars_from_before_the_first_map_are_left_out() -> None:
    bars = history(np.arange(6, dtype=np.int64) * 300_000, np.array([100.0, 104.0, 101.0, 98.0, 97.0, 99.0]))
    drawn = candles(bars, np.array([1_200_000], dtype=np.int64))
    assert drawn.open.tolist() == [98.0]
    assert drawn.high.tolist() == pytest.approx([99.099])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_picture_is_hot_where_positions_stand(theme: ThemeName) -> None:
    picture = a_heat_picture(volatility=0.0)
    layout, colours = lay_out_heat(picture), THEMES[theme]
    png = draw_heatmap(picture, theme=theme)
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == (WIDTH, HEIGHT)
        pixels = np.asarray(image.convert("RGB"))[::-1].astype(np.float64)
    for heat, tone in ((layout.long, colours.long), (layout.short, colours.short)):
        hottest = int(heat[:, 0].argmax())
        seen = pixels[int(layout.plane.frame.bottom) + 4 * hottest + 2, int(layout.plane.frame.left) + 40]
        wanted = np.array([int(tone[i : i + 2], 16) for i in (1, 3, 5)])
        assert np.abs(seen - wanted).max() < 80
    assert draw_heatmap(picture, theme=theme) == png


def test_a_price_at_the_very_top_does_not_touch_the_legend() -> None:
    check(a_heat_picture(1, price=91_234.5, volatility=0.1, seed=17))
