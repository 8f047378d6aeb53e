"""What the pictures can write, and what they write where they cannot."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import fontManager

from bot.charts.fonts import can_draw, fitted, legible, text_width

NEVER_DRAWN = "\N{HIRAGANA LETTER ARCHAIC YE}"  # in none of the families, on any machine
CODE_POINT = "1B001"


@pytest.mark.parametrize("text", ["BTCUSDT", "Ликвидации", "Şimdiki fiyat", "cotação · $1", "1000SHIB_USDT"])
def test_languages_of_the_bundled_font_are_drawn_as_they_are(text: str) -> None:
    assert can_draw(text)
    assert legible(text) == text


@pytest.mark.parametrize("text", ["币安人生USDT", "清算热力图 · 未平仓多头 $1", "비트코인", "ビットコイン"])
def test_chinese_japanese_and_korean_are_drawn_as_they_are(text: str) -> None:
    assert can_draw(text)
    assert legible(text) == text


def test_chinese_is_drawn_in_the_shapes_of_simplified_chinese() -> None:
    assert fontManager.findfont("Noto Sans CJK SC").face_index == 2


def test_letters_that_no_font_has_are_spelled_as_code_points() -> None:
    assert not can_draw(NEVER_DRAWN)
    assert legible(f"{NEVER_DRAWN}{NEVER_DRAWN}USDT") == f"{CODE_POINT}·{CODE_POINT} USDT"
    assert legible(f"A{NEVER_DRAWN}B") == f"A {CODE_POINT} B"


def test_line_breaks_and_pictographs_leave_no_trace() -> None:
    assert legible("A\nB\tC\u200b \N{COLLISION SYMBOL}D") == "A B C D"


@given(text=st.text(max_size=20))
def test_whatever_is_asked_for_can_be_drawn(text: str) -> None:
    told = legible(text)
    assert can_draw(told)
    assert legible(told) == told
    assert told == unicodedata.normalize("NFC", told)


@given(text=st.text(alphabet="abcЖЩ wm", min_size=1, max_size=60), width=st.integers(40, 900))
def test_fitted_texts_fit(text: str, width: int) -> None:
    text = legible(text)
    told, px = fitted(text, width, 40)
    assert 22 <= px <= 40
    assert text_width(told, px) <= width
    assert told == text or told.endswith("…")


def test_texts_shrink_before_they_are_shortened() -> None:
    text = "Long liquidations"
    width = text_width(text, 26) + 1
    assert fitted(text, width, 40) == (text, 26)
    assert fitted(text, width - 80, 40)[0].endswith("…")
