"""Tables as pictures: whatever the words and figures, nothing overlaps, leaves the page, or is told by colour alone."""

import struct
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.charts import Cell, Column, TablePicture, draw
from bot.charts.boxes import Box
from bot.charts.page import HEIGHT, LEAST_PX, WIDTH
from bot.charts.table_layout import FEW_ROWS, LOW_HEIGHT, MOST_ROWS, lay_out_table

WORDS = [
    "",
    "BTC",
    "$42M",
    "+3.1 pt",
    "longs 62%",
    "1000000MOGUSDT · Hyperliquid",
    "我踏马来了",
    "Очень длинное слово " * 6,
]
COLUMNS = (Column("Market", 1.4), Column("Wound up", sorts=True), Column("Heavier side", 1.3))


def a_table(rows: int, *, columns: tuple[Column, ...] = COLUMNS, words: str = "12%") -> TablePicture:
    made = tuple(
        (Cell(f"{words} {row}"), Cell(words, filled=row / 12, strong=row == 0), Cell(words, lean=row / 6 - 1))
        for row in range(rows)
    )
    return TablePicture(
        columns, made, "How wound up", "Binance, 12:05 UTC", ("What it means.", "And more."), "None yet"
    )


cells = st.builds(
    Cell,
    st.sampled_from(WORDS),
    filled=st.none() | st.floats(-1.0, 2.0),
    lean=st.none() | st.floats(-2.0, 2.0),
    strong=st.booleans(),
)


@settings(deadline=None, max_examples=40)
@given(
    widths=st.lists(st.floats(0.7, 1.6), min_size=1, max_size=6),
    data=st.data(),
    rows=st.integers(0, 14),
    notes=st.lists(st.sampled_from(WORDS), max_size=3),
    title=st.sampled_from(WORDS),
    banner=st.sampled_from(WORDS),
)
def test_nothing_overlaps_or_leaves_the_page(
    widths: list[float], data: st.DataObject, rows: int, notes: list[str], title: str, banner: str
) -> None:
    columns = tuple(Column(data.draw(st.sampled_from(WORDS)), width, sorts=width > 1.2) for width in widths)
    some = st.tuples(*[cells for _ in columns])
    made = tuple(data.draw(st.lists(some, min_size=rows, max_size=rows)))
    layout = lay_out_table(TablePicture(columns, made, title, title, tuple(notes), "nothing", banner))
    page = Box(0, 0, WIDTH, layout.height)
    for box in layout.boxes:
        assert page.contains(box)
    for one, other in combinations(layout.boxes, 2):
        assert not one.overlaps(other)
    assert all(each.px >= LEAST_PX for each in layout.captions)
    for bar in layout.bars:
        assert bar.track.contains(bar.body)


def test_more_rows_than_fit_are_left_out_and_few_make_a_low_page() -> None:
    whole = lay_out_table(a_table(MOST_ROWS + 3))
    assert len(whole.bars) == 2 * MOST_ROWS
    assert whole.height == HEIGHT
    assert lay_out_table(a_table(FEW_ROWS)).height == LOW_HEIGHT


def test_a_bar_grows_with_its_share_and_a_leaning_one_from_the_middle() -> None:
    layout = lay_out_table(a_table(7))
    plain = [bar.body.width for bar in layout.bars if bar.lean is None]
    assert plain == sorted(plain)
    for bar in layout.bars:
        if bar.lean is not None and bar.lean < 0.0:
            assert bar.body.right == round(bar.track.centre)
        elif bar.lean is not None:
            assert bar.body.left == round(bar.track.centre)


def test_every_bar_stands_under_a_text_that_says_the_same() -> None:
    layout = lay_out_table(a_table(5))
    for bar in layout.bars:
        above = [each for each in layout.captions if each.box.bottom >= bar.track.top]
        assert any(bar.track.left <= each.box.left and each.box.right <= bar.track.right for each in above)


def test_without_rows_the_picture_says_so() -> None:
    layout = lay_out_table(a_table(0))
    assert layout.notice is not None
    assert "None yet" in [each.text for each in layout.captions]
    assert layout.sorted_by is None


@pytest.mark.parametrize(("rows", "height"), [(0, LOW_HEIGHT), (2, LOW_HEIGHT), (10, HEIGHT)])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_is_drawn_at_its_size(rows: int, height: int, theme: str) -> None:
    png = draw(a_table(rows), theme="light" if theme == "light" else "dark")
    assert struct.unpack(">II", png[16:24]) == (WIDTH, height)
