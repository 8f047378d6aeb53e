"""Sizes over time: thin enough to store, dense enough for every growth window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.history import HOUR_MS, KEPT_MS, MAX_SAMPLES, MINUTE_MS, baseline, least_before, overlap, with_sample
from bot.alerts.types import Track
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, SLOT, START, long

WINDOWS_MINUTES = [15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1000, 1440]


def grown(slots: int, *, skip: range = range(0)) -> Track:
    """A track whose size in USD is its age in slots plus one, sampled at each slot but those skipped."""
    track = Track("L1", BTC, long(90, 92), START, START)
    for i in range(slots):
        if i not in skip:
            cluster = long(90, 92, float(i + 1))
            sizes, spans = with_sample(track, cluster, START + i * SLOT)
            track = replace(track, cluster=cluster, seen_ms=START + i * SLOT, sizes=sizes, spans=spans)
    return track


def test_history_stays_short_however_long_the_track_lives() -> None:
    lengths = [len(grown(slots).sizes) for slots in (10, 100, 600)]
    assert lengths[0] == 10
    assert max(lengths) <= MAX_SAMPLES


def test_nothing_older_than_the_longest_window_needs_is_kept() -> None:
    track = grown(600)
    assert track.sizes[0][0] >= track.seen_ms - KEPT_MS - (MAX_SAMPLES - 34) * SLOT
    assert track.sizes[-1] == (track.seen_ms, 600.0)


@pytest.mark.parametrize("slots", [289, 300, 333, 400, 577])
@pytest.mark.parametrize("minutes", WINDOWS_MINUTES)
def test_every_window_finds_a_sample_near_its_start(slots: int, minutes: int) -> None:
    track = grown(slots)
    window_ms = minutes * MINUTE_MS
    usd = baseline(track, slot_ms=track.seen_ms, window_ms=window_ms)
    assert usd is not None
    assert abs((slots - usd) * SLOT - window_ms) <= max(window_ms / 8, MINUTE_MS)


def test_a_gap_in_the_recomputes_is_no_baseline() -> None:
    track = grown(60, skip=range(4, 20))
    assert baseline(track, slot_ms=track.seen_ms, window_ms=4 * HOUR_MS) is None
    assert baseline(track, slot_ms=track.seen_ms, window_ms=HOUR_MS) == 48.0


def test_a_track_younger_than_the_window_has_no_baseline() -> None:
    assert baseline(grown(40), slot_ms=START + 39 * SLOT, window_ms=4 * HOUR_MS) is None


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (90, 92, 2.0),  # the same body
        (90, 91, 2.0),  # half of it went: what is left must hold more than the whole did
        (90, 93, 3.0),  # half as wide again: so much stood there then, at the density of then
        (90, 94, 4.0),  # doubled in width: overlap is just a half
        (90, 94.1, None),  # more than doubled, as at a merge
        (91.5, 93.5, None),  # moved away by most of its width
    ],
)
def test_sizes_are_compared_at_one_width_and_only_between_bodies_that_overlap_by_half(
    low: float, high: float, expected: float | None
) -> None:
    track = grown(13)
    cluster = long(low, high, 99.0)
    sizes, spans = with_sample(track, cluster, START + 13 * SLOT)
    moved = replace(track, cluster=cluster, sizes=sizes, spans=spans)
    found = baseline(moved, slot_ms=START + 13 * SLOT, window_ms=HOUR_MS)
    assert found == expected


def test_samples_without_known_edges_are_taken_as_comparable() -> None:
    restored = replace(grown(13), spans=())
    assert baseline(restored, slot_ms=START + 12 * SLOT, window_ms=HOUR_MS) == 1.0
    sizes, spans = with_sample(restored, long(50, 92, 7.0), START + 13 * SLOT)
    assert (len(sizes), len(spans)) == (14, 1)


@given(
    usd=st.lists(st.none() | st.floats(1.0, 9.0), min_size=2, max_size=90),
    looked=st.integers(0, 89),
    minutes=st.sampled_from([1, 5, *WINDOWS_MINUTES]),
    lost=st.booleans(),
)
def test_what_stood_before_is_known_for_a_while_to_be_no_less(
    usd: list[float | None], looked: int, minutes: int, lost: bool
) -> None:
    """`usd` holds a size or None, where the body was not found, for each slot; `lost` forgets those before `looked`."""
    track, window_ms = Track("L1", BTC, long(90, 92, 5.0), START, START, sizes=((START, 5.0),)), minutes * MINUTE_MS
    least_usd, until_ms = 0.0, START
    for slot_ms, found in ((START + i * SLOT, one) for i, one in enumerate(usd, start=1)):
        if found is not None:
            if lost and slot_ms == START + (looked + 1) * SLOT:
                track = replace(track, sizes=())
            sizes, spans = with_sample(track, long(90, 92, found), slot_ms)
            track = replace(track, cluster=long(90, 92, found), sizes=sizes, spans=spans)
        if slot_ms == START + looked * SLOT:
            least_usd, until_ms = least_before(track, slot_ms=slot_ms, window_ms=window_ms)
        before = baseline(track, slot_ms=slot_ms, window_ms=window_ms)
        assert before is None or slot_ms >= until_ms or before >= least_usd


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(1, 3, 2, 4) == pytest.approx(1 / 3)
    assert overlap(1, 2, 2, 3) == 0.0
    assert overlap(1, 2, 3, 4) == 0.0
