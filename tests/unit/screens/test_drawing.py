"""The drawn phone breaks lines, cuts labels and fills screens as a phone does, and says so."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.delivery.messenger import Button, Message
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue
from tests.fakes.png import png
from tests.screens.drawing import BUBBLE, SCREEN, Artist
from tests.screens.faces import PLAIN, SCALE, has_chinese, lacking, shortened, width_of
from tests.screens.items import Noted, Said, Tapped, Toasted, Typed
from tests.screens.markup import Run, read_markup
from tests.screens.paragraph import set_lines
from tests.screens.sheet import PHONES, write_sheets
from tests.screens.skin import DARK, LIGHT


def said(text: str, *buttons: str, photo: bytes | None = None) -> Said:
    row = tuple(Button(label, data="x") for label in buttons)
    return Said(Message(text, (row,) if row else (), photo=photo), "12:00")


@given(
    st.text(alphabet=st.sampled_from("ab Ж清，/0123456789.%\n"), max_size=200), st.sampled_from([60.0, 150.0, 302.0])
)
def test_no_line_is_wider_than_its_room_and_no_character_is_lost(text: str, width: float) -> None:
    lines = set_lines([Run(text, PLAIN)], width, 14.0)
    assert all(line.width <= width + 0.01 for line in lines)
    assert "".join(piece.text for line in lines for piece in line.pieces) == text.replace("\n", "")


def test_a_number_is_not_broken_between_its_thousands() -> None:
    lines = set_lines([Run("at 89\u00a0607 now", PLAIN)], width_of("89\u00a0607", PLAIN, 14.0) + 2, 14.0)
    assert [line.pieces[0].text for line in lines] == ["at", "89\u00a0607", "now"]


@given(st.text(alphabet="abcdefgh WMil", max_size=60), st.floats(20, 300))
def test_a_shortened_label_fits_and_ends_in_an_ellipsis(text: str, width: float) -> None:
    label = shortened(text, width, PLAIN, 13.0)
    assert label == text or (label.endswith("…") and width_of(label, PLAIN, 13.0) <= width)


def test_styles_blocks_and_entities_are_read() -> None:
    blocks = read_markup("<b>BTC</b> &lt;1%\n<pre>a  b</pre>\nend <a href='https://x'>link</a>")
    assert [block.kind for block in blocks] == ["text", "pre", "text"]
    assert blocks[0].runs[0].style.bold
    assert "".join(run.text for run in blocks[0].runs) == "BTC <1%"
    assert blocks[1].runs[0].style.mono
    assert blocks[2].runs[-1].style.link


@pytest.mark.parametrize("markup", ["<h1>no</h1>", "<b>open</i>", "stray</b>"])
def test_what_telegram_would_refuse_is_refused(markup: str) -> None:
    with pytest.raises(ValueError, match=r"tag|closes"):
        read_markup(markup)


def test_what_a_phone_would_cut_is_noted() -> None:
    artist = Artist(DARK)
    artist.draw(said("text", "Map", "A label that is far too long for a third of it", "Why?"))
    artist.draw(said(f"<pre>{'0123456789' * 4}</pre>"))
    artist.draw(Said(Message("word " * 60 + "\nsecond line"), "12:00", rings=True))
    found = artist.findings
    assert found.cut_keys == ["A label that is far too long for a third of it"]
    assert len(found.wrapped_tables) == len(found.cut_headlines) == 1


def test_what_fits_is_not_noted() -> None:
    artist = Artist(LIGHT)
    artist.draw(said("text", "Map", "Copy 97,430", "Why?"))
    artist.draw(said(f"<pre>{'0123456789' * 3}</pre>"))
    artist.draw(Said(Message("BTC 0.83% below a $42M short cluster at 97,430\nmore"), "12:00", rings=True))
    found = artist.findings
    assert not found.cut_keys
    assert not found.wrapped_tables
    assert not found.cut_headlines


def test_every_item_is_a_strip_as_wide_as_the_screen() -> None:
    artist = Artist(DARK)
    shown = (
        said("x", photo=png(64, 40)),
        Typed("/map", "12:00", "Ada"),
        Tapped("Map"),
        Toasted("Muted"),
        Noted("later"),
    )
    assert {artist.draw(item).width for item in shown} == {SCREEN * SCALE}


def test_a_picture_keeps_its_shape() -> None:
    artist = Artist(DARK)
    higher = artist.draw(said("x", photo=png(100, 100))).height - artist.draw(said("x", photo=png(100, 50))).height
    assert higher == pytest.approx(BUBBLE / 2 * SCALE, abs=2)


def test_a_long_chat_goes_on_over_phones_and_sheets(tmp_path: Path) -> None:
    paths, _ = write_sheets(tmp_path, "long", [said("line\n" * 30)] * (2 * PHONES + 1), skin=DARK, chat="Liqwatch")
    assert [path.name for path in paths] == ["long-1.png", "long-2.png", "long-3.png"]
    with Image.open(paths[0]) as sheet:
        assert sheet.width <= 2_500


@pytest.mark.parametrize("language", sorted(Catalogue.load().languages))
def test_every_sign_of_a_catalogue_can_be_drawn(language: str) -> None:
    if language.startswith("zh") and not has_chinese():
        pytest.skip("no font with Chinese characters on this machine")
    entries = Catalogue.load().languages[language].entries
    assert lacking("".join(bare(text) for forms in entries.values() for text in forms.values())) == set()
