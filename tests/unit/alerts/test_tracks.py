"""Identity of clusters over recomputes."""

from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.alerts.tracks import GRACE, match, track_id
from bot.alerts.types import CloseReason, Track
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, NAN, SLOT, START, long, short


def follow(*maps: list[Cluster], low: float = NAN, high: float = NAN, version: str = "1") -> tuple[Track, ...]:
    """Tracks after a row of recomputes; price extremes count in the last of them."""
    tracks: tuple[Track, ...] = ()
    for i, clusters in enumerate(maps):
        last = i == len(maps) - 1
        tracks = match(
            [track for track in tracks if track.closed is None],
            clusters,
            market=BTC,
            slot_ms=START + i * SLOT,
            low=low if last else NAN,
            high=high if last else NAN,
            model_version=version,
            mapped_before=i > 0,
        )
    return tracks


def by_id(tracks: tuple[Track, ...]) -> dict[str, Track]:
    return {track.id: track for track in tracks}


def only(tracks: tuple[Track, ...]) -> Track:
    (track,) = tracks
    return track


FIRST = track_id(Side.LONG, START, 0)
SECOND = track_id(Side.LONG, START, 1)

# What the second recompute shows, what the first did, and the id that each body of the second must carry.
IDENTITIES = [
    # the same body
    ([long(90, 92)], [long(90, 92)], [FIRST]),
    # drifted and grown, still overlapping by more than a fifth
    ([long(90, 92)], [long(91, 94, 80e6)], [FIRST]),
    # an overlap of less than a fifth is another cluster
    ([long(90, 92)], [long(91.8, 94)], [None]),
    # the same place on the other side is another cluster
    ([long(90, 92)], [short(90, 92)], [None]),
    # a jump to a place without overlap is another cluster
    ([long(90, 92)], [long(80, 82)], [None]),
    # split: the heavier child keeps the id, though the lighter overlaps more
    ([long(90, 94, 90e6)], [long(90, 92.5, 30e6), long(92.5, 94, 60e6)], [None, FIRST]),
    # merge: the heavier parent's id, though the lighter overlaps more
    ([long(90, 92.5, 30e6), long(92.5, 94, 60e6)], [long(90, 94, 90e6)], [SECOND]),
    # two neighbours that move together keep their own ids
    ([long(90, 92, 90e6), long(92, 94, 30e6)], [long(90.8, 92.8, 90e6), long(92.8, 94.8, 30e6)], [FIRST, SECOND]),
    # a heavy neighbour that vanishes does not hand its id to the light one beside it
    ([long(90, 92, 90e6), long(92, 94, 30e6)], [long(91.5, 93.5, 30e6)], [SECOND]),
    # order of the clusters in the map means nothing
    ([long(80, 82), long(90, 92)], [long(90, 92), long(80, 82)], [SECOND, FIRST]),
]


@pytest.mark.parametrize(("before", "after", "ids"), IDENTITIES)
def test_a_body_keeps_its_identity(before: list[Cluster], after: list[Cluster], ids: list[str | None]) -> None:
    tracks = [track for track in follow(before, after) if track.missed == 0 and track.closed is None]
    carried = {track.cluster: track.id if track.born_ms == START else None for track in tracks}
    assert [carried[cluster] for cluster in after] == ids


def test_a_missing_body_is_kept_for_the_grace_and_then_fades() -> None:
    tracks = follow([long(90, 92)], *[[]] * (GRACE - 1))
    assert (only(tracks).missed, only(tracks).closed) == (GRACE - 1, None)
    tracks = follow([long(90, 92)], *[[]] * GRACE)
    assert only(tracks).closed is CloseReason.FADED


def test_a_body_that_returns_within_the_grace_is_the_same_cluster() -> None:
    track = only(follow([long(90, 92)], *[[]] * (GRACE - 1), [long(90.2, 92.2)]))
    assert (track.id, track.missed) == (FIRST, 0)


def test_a_body_that_price_passed_through_closes_at_once_as_swept() -> None:
    assert only(follow([long(90, 92)], [], low=90, high=99)).closed is CloseReason.SWEPT
    assert only(follow([short(110, 112)], [], low=99, high=112)).closed is CloseReason.SWEPT


def test_a_body_still_in_the_map_is_swept_by_price_beyond_its_far_edge_only() -> None:
    entered = only(follow([long(90, 92)], [long(90, 91)], low=91, high=99))
    assert (entered.id, entered.closed) == (FIRST, None)
    passed = by_id(follow([long(90, 92)], [long(90, 91)], low=89.9, high=99))
    assert passed[FIRST].closed is CloseReason.SWEPT
    assert len(passed) == 2, "what stands there now was opened after the sweep"


def test_a_body_that_vanished_when_price_passed_its_peak_is_swept() -> None:
    assert only(follow([long(90, 92)], [], low=90.9, high=99)).closed is CloseReason.SWEPT
    assert only(follow([long(90, 92)], [], low=91.1, high=99)).closed is None


def test_a_parent_that_merged_away_closes_as_merged_after_its_grace() -> None:
    parents, child = [long(90, 92, 60e6), long(92, 94, 30e6)], [long(90, 94, 90e6)]
    assert by_id(follow(parents, *[child] * (GRACE - 1)))[SECOND].missed == GRACE - 1
    assert by_id(follow(parents, *[child] * GRACE))[SECOND].closed is CloseReason.MERGED


def test_a_merge_undone_within_the_grace_gives_both_their_ids_back() -> None:
    parents, child = [long(90, 92, 60e6), long(92, 94, 30e6)], [long(90, 94, 90e6)]
    tracks = by_id(follow(parents, child, parents))
    assert [tracks[FIRST].cluster, tracks[SECOND].cluster] == parents


def test_a_birth_is_new_only_where_nothing_stood_and_the_market_was_mapped() -> None:
    assert not only(follow([long(90, 92)])).appeared, "the first map sees, it does not witness"
    born = follow([long(90, 92)], [long(90, 92), long(80, 82)])[-1]
    assert born.appeared
    child = next(t for t in follow([long(90, 94)], [long(90, 92, 60e6), long(92, 94, 20e6)]) if t.born_ms > START)
    assert not child.appeared, "the lighter half of a split stood there before"


@pytest.mark.parametrize(("price", "appeared"), [(NAN, True), (100.0, True), (101.5, True), (101.6, False)])
def test_a_body_at_the_end_of_the_window_may_have_stood_there_unseen(price: float, appeared: bool) -> None:
    (born,) = match([], [long(90, 92)], market=BTC, slot_ms=START, low=NAN, high=NAN, price=price)
    assert born.appeared is appeared, "91 is 11 % below 101.58 in log price"


def test_ids_are_short_unique_and_need_no_counter() -> None:
    names = {track_id(side, START + i * SLOT, n) for side in Side for i in range(500) for n in range(5)}
    assert len(names) == 2 * 500 * 5
    assert max(map(len, names)) <= 9
    assert not any(":" in name for name in names), "a colon separates the parts of a dedupe key"


def test_another_model_version_starts_the_history_of_sizes_anew() -> None:
    old = follow([long(90, 92)], [long(90, 92)])
    new = match(old, [long(90, 92)], market=BTC, slot_ms=START + 2 * SLOT, low=NAN, high=NAN, model_version="2")
    assert len(only(old).sizes) == 2
    assert only(new).sizes == ((START + 2 * SLOT, 50e6),)


bodies = st.lists(
    st.builds(
        lambda side, low, width, usd: replace(long(low, low + width, usd), side=side),
        st.sampled_from(Side),
        st.integers(50, 150),
        st.integers(1, 20),
        st.integers(1, 100),
    ),
    max_size=6,
    unique_by=lambda cluster: (cluster.side, cluster.low),
)


@given(bodies, bodies)
def test_every_cluster_has_one_track_and_every_track_one_fate(before: list[Cluster], after: list[Cluster]) -> None:
    old = follow(before)
    new = match(old, after, market=BTC, slot_ms=START + SLOT, low=95.0, high=105.0, model_version="1")
    seen = [track for track in new if track.seen_ms == START + SLOT]
    assert sorted(map(repr, after)) == sorted(repr(track.cluster) for track in seen)
    assert len({track.id for track in new}) == len(new)
    assert {track.id for track in old} <= {track.id for track in new}
    for track in seen:
        assert track.closed is None
        assert track.sizes[-1] == (START + SLOT, track.cluster.usd)


@given(bodies, bodies, st.randoms(use_true_random=False))
def test_the_order_of_clusters_does_not_matter(before: list[Cluster], after: list[Cluster], dice: Random) -> None:
    def fates(first: list[Cluster], second: list[Cluster]) -> set[tuple[str, str]]:
        return {(track.id, repr(track.cluster)) for track in follow(first, second)}

    weights = [cluster.usd for cluster in (*before, *after)]
    assume(len(set(weights)) == len(weights))
    shuffled = list(after)
    dice.shuffle(shuffled)
    assert fates(before, after) == fates(before, shuffled)
