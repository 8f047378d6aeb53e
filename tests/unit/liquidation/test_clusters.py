"""Clusters: where they begin and end, which are kept, and that no map can break the search."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.bodies import BODY_HEIGHT, KERNEL_REACH, MIN_MASS_SHARE, VALLEY_DEPTH
from bot.liquidation.clusters import SMOOTHING_PER_DAY_VOLATILITY, find_clusters, find_zones
from bot.liquidation.maps import Maps
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side

STEP = 0.001
CALM = 0.01  # smoothing of 0.2 %, two bins


def a_map(long: Floats, short: Floats, *, price: float = 100.0, offset: float = 0.5) -> LiquidationMap:
    """Bins of 0.1 % in log price; `price` stands `offset` of a bin above the low edge of the middle bin."""
    n = len(long)
    edges = price * np.exp((np.arange(n + 1) - n // 2 - offset) * STEP)
    total_long, total_short = float(long.sum()), float(short.sum())
    return LiquidationMap(0, price, edges[:-1], edges[1:], long, short, 2.0 * total_long, 2.0 * total_short, "measured")


def hills(n: int, *specs: tuple[float, float, float]) -> Floats:
    """Sum of Gaussian hills, each (bin of the top, height, sd in bins)."""
    x = np.arange(n)
    return sum((h * np.exp(-0.5 * ((x - at) / sd) ** 2) for at, h, sd in specs), np.zeros(n))


def sides(clusters: tuple[Cluster, ...], side: Side) -> list[Cluster]:
    return [c for c in clusters if c.side is side]


def nearest(log_edges: Floats, price: float) -> int:
    return int(np.abs(log_edges - math.log(price)).argmin())


def distance_pct(m: LiquidationMap, price: float) -> float:
    return 100.0 * math.log(price / m.price)


def test_one_hill_is_one_cluster_with_its_top_and_edges_at_70_percent_of_it() -> None:
    m = a_map(hills(241, (60, 5.0, 6.0)), np.zeros(241))
    (cluster,) = find_clusters(m, day_volatility=CALM)
    assert cluster.side is Side.LONG
    assert distance_pct(m, cluster.peak) == pytest.approx(-6.0, abs=0.05)
    # Smoothing by 2 bins widens the hill to sqrt(6^2 + 2^2) bins; 70 % of its height lies 0.845 sd out.
    half = 0.845 * math.hypot(6.0, 2.0) * 0.1
    assert distance_pct(m, cluster.low) == pytest.approx(-6.0 - half, abs=0.06)
    assert distance_pct(m, cluster.high) == pytest.approx(-6.0 + half, abs=0.06)
    inside = (m.low >= cluster.low) & (m.high <= cluster.high)
    assert cluster.usd == pytest.approx(m.long_usd[inside].sum(), rel=1e-12)
    assert cluster.share == pytest.approx(cluster.usd / m.long_total_usd, rel=1e-12)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (9.0, 1),  # the valley is 13 % below the lower peak: one hill with two shoulders
        (16.0, 2),  # far apart
    ],
)
def test_hills_are_two_clusters_only_with_a_deep_valley_between(gap: float, expected: int) -> None:
    m = a_map(np.zeros(241), hills(241, (170, 5.0, 3.0), (170 + gap, 4.5, 3.0)))
    assert len(find_clusters(m, day_volatility=CALM)) == expected


def test_a_body_ends_at_a_cliff_though_the_ground_beyond_is_nearly_as_high() -> None:
    usd = np.zeros(241)
    usd[150:166] = 10.0  # dense from +2.95 % to +4.55 %
    usd[166:241] = np.linspace(8.0, 2.0, 75)  # at first more than 70 % of it, without a valley
    m = a_map(np.zeros(241), usd)
    (cluster,) = find_clusters(m, day_volatility=CALM)
    assert distance_pct(m, cluster.low) == pytest.approx(2.95, abs=0.01)
    assert distance_pct(m, cluster.high) == pytest.approx(4.55, abs=0.01)


@pytest.mark.parametrize("side", Side)
def test_the_peak_stands_at_the_cliff_that_density_climbs_to(side: Side) -> None:
    """Smoothed, the same ground is highest well before the cliff."""
    climb = np.zeros(241)
    climb[140:181] = np.linspace(2.0, 10.0, 41)
    usd, away = (climb, 1) if side is Side.SHORT else (climb[::-1].copy(), -1)
    (cluster,) = find_clusters(a_map(*((np.zeros(241), usd)[::away])), day_volatility=0.03)
    assert cluster.side is side
    assert distance_pct(a_map(usd, usd), cluster.peak) == pytest.approx(away * 6.0, abs=0.01)


def test_of_equally_dense_places_the_nearest_to_price_is_the_peak() -> None:
    usd = np.zeros(241)
    usd[150:166] = usd[75:91] = 10.0
    long, short = find_clusters(
        a_map(np.where(np.arange(241) < 120, usd, 0.0), usd * (np.arange(241) > 120)), day_volatility=CALM
    )
    assert 100.0 < short.low < short.peak < short.low * math.exp(STEP)
    assert 100.0 > long.high > long.peak > long.high * math.exp(-STEP)


def test_bodies_of_neighbours_stop_short_of_the_valley_between() -> None:
    # The valley lies above 70 % of the peaks, yet in neither body.
    m = a_map(np.zeros(241), hills(241, (170, 5.0, 4.0), (182, 5.0, 4.0)))
    near, far = find_clusters(m, day_volatility=CALM)
    assert near.high < far.low
    assert distance_pct(m, math.sqrt(near.high * far.low)) == pytest.approx(5.6, abs=0.06)


@pytest.mark.parametrize("moved", [2, 4, 6])
def test_the_end_of_the_window_moves_no_edge(moved: int) -> None:
    """A dense band with less dense ground behind it to the window's end; then the price comes nearer by some bins."""
    ground = np.repeat([1.0, 10.0, 7.5], [200, 26, 174])
    edges = []
    for at in (0, moved):
        m = a_map(np.zeros(241), np.where(np.arange(241) > 120, ground[at : at + 241], 0.0))
        (cluster,) = find_clusters(m, day_volatility=0.03)
        edges.append((nearest(np.log(m.low), cluster.low) + at, nearest(np.log(m.high), cluster.high) + at))
    assert edges[0] == edges[1]


def test_the_shallowest_valley_goes_first() -> None:
    # Left to itself, the small middle peak joins the hill it is least apart from, and the deep valley stays.
    m = a_map(np.zeros(241), hills(241, (150, 5.0, 3.0), (158, 4.0, 2.0), (185, 5.0, 3.0)))
    near, far = find_clusters(m, day_volatility=CALM)
    assert distance_pct(m, near.peak) == pytest.approx(3.0, abs=0.15)
    assert distance_pct(m, far.peak) == pytest.approx(6.5, abs=0.15)


def test_a_body_under_3_percent_of_its_side_is_dropped() -> None:
    small, big = hills(241, (60, 5.0, 5.0), (20, 0.5, 1.0)), hills(241, (60, 5.0, 5.0), (20, 9.0, 1.0))
    assert small[10:31].sum() < MIN_MASS_SHARE * small.sum() < big[17:24].sum()
    assert len(find_clusters(a_map(small, np.zeros(241)), day_volatility=CALM)) == 1
    assert len(find_clusters(a_map(big, np.zeros(241)), day_volatility=CALM)) == 2


def test_a_volatile_day_smooths_more() -> None:
    m = a_map(np.zeros(241), hills(241, (150, 5.0, 2.0), (165, 5.0, 2.0)))
    assert len(find_clusters(m, day_volatility=0.01)) == 2
    assert len(find_clusters(m, day_volatility=0.10)) == 1


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.999])
def test_clusters_at_the_price_stop_short_of_it(offset: float) -> None:
    usd = hills(241, (120, 5.0, 8.0))
    clusters = find_clusters(a_map(usd, usd, offset=offset), day_volatility=CALM)
    long, short = clusters
    assert long.side is Side.LONG
    assert long.high < 100.0
    assert short.side is Side.SHORT
    assert short.low > 100.0


def test_the_callable_rates_by_side_distance_and_share() -> None:
    asked: list[tuple[Side, float, float]] = []

    def rate(side: Side, distance: float, share: float) -> int:
        asked.append((side, distance, share))
        return 77

    (cluster,) = find_clusters(a_map(hills(241, (60, 5.0, 6.0)), np.zeros(241)), day_volatility=CALM, strength=rate)
    assert cluster.strength == 77
    assert [(side, share) for side, _, share in asked] == [(Side.LONG, cluster.share)]
    assert asked[0][1] == pytest.approx(0.06, abs=5e-4)


def test_sides_are_mirror_images() -> None:
    usd = np.random.default_rng(7).gamma(0.3, 1.0, 241)
    m = a_map(usd, usd[::-1].copy())
    clusters = find_clusters(m, day_volatility=0.03)
    longs, shorts = sides(clusters, Side.LONG), sides(clusters, Side.SHORT)
    assert len(longs) == len(shorts) > 1
    for long, short in zip(longs, shorts[::-1], strict=True):
        assert long.usd == pytest.approx(short.usd, rel=1e-9)
        assert math.log(long.low / 100.0) == pytest.approx(-math.log(short.high / 100.0), abs=1e-9)


@pytest.mark.parametrize("factor", [1e-10, 1e6])
def test_neither_the_unit_of_price_nor_of_money_matters(factor: float) -> None:
    usd = np.random.default_rng(3).gamma(0.3, 1.0, 241)
    plain = find_clusters(a_map(usd, usd), day_volatility=0.03)
    scaled = find_clusters(a_map(usd * factor, usd * factor, price=100.0 * factor), day_volatility=0.03)
    assert [(c.side, c.strength) for c in scaled] == [(c.side, c.strength) for c in plain]
    assert [c.peak for c in scaled] == pytest.approx([c.peak * factor for c in plain], rel=1e-9)


masses = st.lists(st.one_of(st.just(0.0), st.floats(0.0, 1e12), st.floats(0.0, 1e-300)), min_size=1, max_size=120).map(
    np.array
)


@given(
    long=masses,
    short_seed=st.integers(0, 99),
    offset=st.floats(0.0, 0.999),
    volatility=st.one_of(st.just(math.nan), st.floats(0.0, 10.0)),
)
def test_every_map_gives_well_formed_clusters(long: Floats, short_seed: int, offset: float, volatility: float) -> None:
    short = np.random.default_rng(short_seed).gamma(0.2, 1.0, len(long)) * (short_seed % 3)
    m = a_map(long, short, offset=offset)
    clusters = find_clusters(m, day_volatility=volatility)
    edges = {*m.low.tolist(), *m.high.tolist()}
    for cluster in clusters:
        usd = m.long_usd if cluster.side is Side.LONG else m.short_usd
        body = (m.low >= cluster.low) & (m.high <= cluster.high)
        assert usd[(m.low < cluster.peak) & (cluster.peak < m.high)] == usd[body].max()
        assert cluster.low < cluster.peak < cluster.high
        assert cluster.low in edges
        assert cluster.high in edges
        assert cluster.high < m.price if cluster.side is Side.LONG else cluster.low > m.price
        assert cluster.usd > 0.0
        assert 0.0 <= cluster.share <= 1.0
        assert 0 <= cluster.strength <= 100
    assert all(a.high <= b.low for a, b in pairwise(clusters))


@given(seeds=st.lists(st.integers(0, 99), min_size=1, max_size=8), bins=st.integers(1, 121))
@settings(max_examples=50, deadline=None)
def test_many_maps_at_once_have_the_clusters_that_each_has_alone(seeds: list[int], bins: int) -> None:
    maps, volatilities = [], []
    for seed in seeds:
        dice = np.random.default_rng(seed)
        long, short = dice.gamma(0.2, 1.0, (2, bins)) * dice.integers(0, 2, (2, 1))
        maps.append(a_map(long, short, price=float(dice.uniform(1.0, 9.0)), offset=(seed % 3) / 3.0))
        volatilities.append(float(dice.uniform(0.0, 0.2)))
    zones = find_zones(Maps.of(maps), day_volatility=np.array(volatilities))
    found = zones.rated(zones.strengths())
    assert found == [find_clusters(one, day_volatility=day) for one, day in zip(maps, volatilities, strict=True)]


@pytest.mark.parametrize("sd_bins", [2.0, 6.0, 10.0])
def test_smoothing_moves_no_edge_away_from_its_cliff(sd_bins: float) -> None:
    usd = np.zeros(241)
    usd[150:241] = np.linspace(10.0, 2.0, 91)
    m = a_map(np.zeros(241), usd)
    (cluster,) = find_clusters(m, day_volatility=sd_bins * STEP / SMOOTHING_PER_DAY_VOLATILITY)
    assert distance_pct(m, cluster.low) == pytest.approx(2.95, abs=0.01)


def steepest_bodies(usd: Floats, sd: float) -> list[tuple[int, int, int]]:
    """The rule bin by bin: bodies (start, end, densest) of a short side, `usd` (n,) outwards from the price."""
    n, reach = len(usd), math.ceil(KERNEL_REACH * sd)
    blur = round(reach / KERNEL_REACH)
    smooth = []
    for i in range(n):
        weights = {j: math.exp(-0.5 * ((i - j) / sd) ** 2) for j in range(i - reach, i + reach + 1) if j < n}
        standing = sum(weight * float(usd[j]) for j, weight in weights.items() if j >= 0)
        smooth.append(standing / sum(weights.values()))
    peaks = [
        i for i in range(n) if (i == 0 or smooth[i] > smooth[i - 1]) and (i == n - 1 or smooth[i] >= smooth[i + 1])
    ]

    def share(pair: tuple[int, int]) -> float:
        return min(smooth[pair[0] : pair[1]]) / min(smooth[pair[0]], smooth[pair[1]])

    while len(peaks) > 1 and share(worst := max(pairwise(peaks), key=share)) > 1 - VALLEY_DEPTH:
        peaks.remove(min(worst, key=smooth.__getitem__))
    bodies = []
    for peak in peaks:
        left = max((p for p in peaks if p < peak), default=0)
        right = min((p for p in peaks if p > peak), default=n - 1)
        first = min(range(left, peak + 1), key=smooth.__getitem__) if peaks[0] < peak else 0
        last = min(range(peak, right + 1), key=smooth.__getitem__) if peaks[-1] > peak else n - 1
        inner, outer = peak, peak
        while inner > first and smooth[inner] >= BODY_HEIGHT * smooth[peak]:
            inner -= 1
        while outer < last and smooth[outer] >= BODY_HEIGHT * smooth[peak]:
            outer += 1
        start = max(range(inner + 1, peak + 1), key=lambda i: smooth[i] - smooth[i - 1], default=peak)
        end = min(range(peak + 1, outer + 1), key=lambda i: smooth[i] - smooth[i - 1], default=peak + 1)
        # Out to a cliff that smoothing has blurred: the nearest within its standard deviation, over dense ground only.
        dense = BODY_HEIGHT * usd[start:end].mean()
        for at in range(start, max(first, start - blur, 1) - 1, -1):
            if usd[at - 1] < BODY_HEIGHT * usd[at]:
                start = at
                break
            if usd[at - 1] < dense:
                break
        for at in range(end, min(last, end + blur) + 1):
            if at == n or usd[at] < BODY_HEIGHT * usd[at - 1]:
                end = at
                break
            if usd[at] < dense:
                break
        if usd[start:end].sum() > MIN_MASS_SHARE * usd.sum():
            bodies.append((start, end, max(range(start, end), key=usd.__getitem__)))
    return bodies


@given(seed=st.integers(0, 2_000))
@settings(max_examples=30)
def test_bodies_follow_the_rule_bin_by_bin(seed: int) -> None:
    dice = np.random.default_rng(seed)
    usd = dice.gamma(0.5, 1.0, 120) * np.repeat(dice.uniform(0.2, 1.0, 12), 10)
    m = a_map(np.zeros(241), np.concatenate((np.zeros(121), usd)))
    sd = dice.uniform(2.0, 9.0)
    found = find_clusters(m, day_volatility=sd * STEP / SMOOTHING_PER_DAY_VOLATILITY)
    low, high = np.log(m.low[121:]), np.log(m.high[121:])
    bodies = [(nearest(low, c.low), nearest(high, c.high) + 1, nearest(0.5 * (low + high), c.peak)) for c in found]
    assert bodies == steepest_bodies(usd, sd)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("usd", [0.0, 1.0])
def test_tiny_and_empty_maps_are_searched_without_complaint(n: int, usd: float) -> None:
    flat = np.full(n, usd)
    clusters = find_clusters(a_map(flat, np.zeros(n)), day_volatility=CALM)
    assert sides(clusters, Side.SHORT) == []
    assert len(clusters) <= 1


@pytest.mark.parametrize("price", [50.0, 200.0])
def test_a_price_outside_the_map_leaves_one_side(price: float) -> None:
    usd = hills(241, (60, 5.0, 6.0))
    edges = 100.0 * np.exp((np.arange(242) - 120) * STEP)
    m = LiquidationMap(0, price, edges[:-1], edges[1:], usd, usd, 100.0, 100.0, "measured")
    assert {c.side for c in find_clusters(m, day_volatility=CALM)} == {Side.LONG if price > 100.0 else Side.SHORT}
