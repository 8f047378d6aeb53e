"""The picture of a cascade: inside, apart, on one scale, and drawn."""

import struct
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.charts import CascadePicture, CascadeWords, ChainArrow, draw
from bot.charts.cascade_layout import LANES, CascadeLayout, lay_out_cascade
from bot.charts.page import LEAST_PX, PAGE
from bot.charts.themes import ThemeName
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from tests.unit.charts.maps import ENGLISH, NUMERALS, a_map, hills

LONG_TEXT = "Очень длинное название величины, которое никуда не помещается " * 3
WORDS = CascadeWords("Open", "20% of it", "Orders", "If 20% to 60% is forced")


def an_arrow(side: Side, away: float, *, wide: float = 0.004, way: float = 0.01, told: bool = False) -> ChainArrow:
    """A cluster's chain, by log distances from a price of 100."""
    sign = -1.0 if side is Side.LONG else 1.0
    near, far = 100.0 * np.exp(sign * away), 100.0 * np.exp(sign * (away + wide))
    likely, most = near * np.exp(sign * 0.3 * way), near * np.exp(sign * way)
    return ChainArrow(side, min(near, far), max(near, far), "1.9×", near, likely, most, told)


def a_cascade_picture(
    arrows: tuple[ChainArrow, ...] = (an_arrow(Side.LONG, 0.02, told=True), an_arrow(Side.SHORT, 0.03, told=True)),
    *,
    thickness: float = 1.0,
    words: str = "",
) -> CascadePicture:
    drawn = a_map(hills((90, 5.0, 6.0), (60, 2.0, 9.0)), hills((150, 4.0, 6.0)))
    return CascadePicture(
        map=drawn,
        orders_usd=np.full(len(drawn.low), thickness),
        known_low=99.0,
        known_high=101.0,
        forced_share=0.2,
        arrows=arrows,
        title=words or "BTC cascade",
        subtitle=words or "order book known 1% down and 1% up",
        words=CascadeWords(words, words, words, words) if words else WORDS,
        tick_size=0.01,
        numerals=ENGLISH,
        price=100.0,
        banner=words,
    )


def check_apart(layout: CascadeLayout) -> None:
    for box in layout.boxes:
        assert PAGE.contains(box)
    for one, other in combinations(layout.boxes, 2):
        assert not one.overlaps(other)


arrows = st.builds(
    an_arrow,
    st.sampled_from(list(Side)),
    st.floats(0.0, 0.115),
    wide=st.floats(0.0002, 0.03),
    way=st.floats(0.0, 0.2),
    told=st.booleans(),
)


@settings(deadline=None)
@given(
    chains=st.lists(arrows, max_size=14),
    thickness=st.sampled_from([0.0, 1e-6, 1.0, 1e9]),
    scale=st.sampled_from([1e-8, 0.002, 1.0, 970.0]),
    wordy=st.booleans(),
    language=st.sampled_from(sorted(NUMERALS)),
)
def test_nothing_overlaps_or_leaves_the_picture(
    chains: list[ChainArrow], thickness: float, scale: float, wordy: bool, language: str
) -> None:
    told: set[Side] = set()
    first = []
    for each in chains:  # at most one told chain a side, before the others of its side
        first.append(replace(each, told=each.told and each.side not in told))
        told.add(each.side)
    picture = a_cascade_picture(tuple(first), thickness=thickness, words=LONG_TEXT if wordy else "")
    layout = lay_out_cascade(replace(scaled(picture, scale), numerals=NUMERALS[language]))
    check_apart(layout)
    frame, rungs = layout.ladder.frame, layout.rungs
    assert all(PAGE.contains(box) and c.px >= LEAST_PX for box, lines, _ in layout.labels for c in lines)
    assert (rungs.bottom >= frame.bottom).all()
    assert (layout.spine - rungs.stands >= frame.left).all()
    assert (rungs.forced <= rungs.stands).all()
    assert (layout.spine + rungs.orders <= frame.right).all()
    for lane in layout.lanes:
        assert frame.left < lane.x < frame.right
        assert all(frame.bottom <= row <= frame.top for row in (lane.start, lane.likely, lane.most, *lane.body))


def scaled(picture: CascadePicture, scale: float) -> CascadePicture:
    """The same at another price."""
    drawn = replace(
        picture.map, price=picture.map.price * scale, low=picture.map.low * scale, high=picture.map.high * scale
    )
    prices = ("low", "high", "start", "likely", "most")
    moved = tuple(replace(each, **{name: getattr(each, name) * scale for name in prices}) for each in picture.arrows)
    return replace(
        picture,
        map=drawn,
        arrows=moved,
        price=picture.price * scale,
        tick_size=picture.tick_size * scale,
        known_low=picture.known_low * scale,
        known_high=picture.known_high * scale,
    )


def test_what_stands_and_the_orders_are_on_one_scale() -> None:
    layout = lay_out_cascade(a_cascade_picture(thickness=2.5))
    rungs = layout.rungs
    assert rungs.stands.max() == pytest.approx(2 * rungs.orders.max(), abs=2)  # 5 beside 2.5
    assert rungs.forced.max() == pytest.approx(0.2 * rungs.stands.max(), abs=1)


def test_orders_that_were_told_are_drawn_otherwise_than_those_taken_to_go_on() -> None:
    layout = lay_out_cascade(a_cascade_picture())
    rows = layout.ladder.rows(np.array([99.0, 101.0]))
    known = layout.rungs.known
    assert (layout.rungs.bottom[known] >= rows[0] - 1).all()
    assert (layout.rungs.top[known] <= rows[1] + 1).all()
    assert known.any()
    assert (~known).any()


def test_a_told_chain_has_its_middle_and_its_far_end_written_the_others_none() -> None:
    layout = lay_out_cascade(a_cascade_picture((an_arrow(Side.LONG, 0.02, way=0.05, told=True),)))
    assert [caption.bold for caption in layout.ends] == [True, False]
    assert lay_out_cascade(a_cascade_picture((an_arrow(Side.LONG, 0.02),))).ends == ()


def test_of_many_chains_a_side_shows_the_first() -> None:
    many = tuple(an_arrow(Side.LONG, 0.01 * number) for number in range(1, 9))
    layout = lay_out_cascade(a_cascade_picture(many))
    assert len(layout.lanes) == LANES
    assert len(layout.labels) == 8


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("chains", [(), (an_arrow(Side.SHORT, 0.0, way=0.0, told=True),)])
def test_it_is_drawn_in_both_themes_also_with_nothing_to_tell(theme: ThemeName, chains: tuple[ChainArrow, ...]) -> None:
    png = draw(a_cascade_picture(chains), theme=theme)
    assert struct.unpack(">II", png[16:24]) == (1280, 800)
