"""Telegram's limits, held for any text."""

import html

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.messenger import Button, Message
from bot.telegram.bubbles import rich_text
from bot.telegram.callbacks import key, pack, unpack
from bot.telegram.limits import (
    CAPTION_UNITS,
    ELLIPSIS,
    TEXT_UNITS,
    bare,
    fit,
    fit_keyboard,
    plain,
    shorten,
    shorten_html,
    utf16_length,
    visible_length,
)

WORDS = st.text(st.sampled_from("ab c<>&\"'\n😀我é"), max_size=12)


def marked(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tags = st.sampled_from(["b", "i", "code", "u"])
    return st.builds(lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", tags, st.lists(inner, max_size=3))


MARKUP = st.lists(st.recursive(WORDS.map(html.escape), marked, max_leaves=8), max_size=6).map("".join)


def balanced(markup: str) -> bool:
    open_tags: list[str] = []
    for piece in markup.replace("<", "\0<").replace(">", ">\0").split("\0"):
        if piece.startswith("</"):
            if not open_tags or open_tags.pop() != piece[2:-1]:
                return False
        elif piece.startswith("<"):
            open_tags.append(piece[1:-1])
    return not open_tags


def test_a_character_beyond_the_first_plane_counts_twice() -> None:
    assert utf16_length("a😀我") == 4
    assert visible_length("<b>a&amp;😀</b>") == 4


@given(MARKUP, st.integers(1, 60))
def test_a_shortened_html_text_fits_keeps_its_tags_whole_and_begins_as_before(markup: str, limit: int) -> None:
    short = shorten_html(markup, limit)
    assert visible_length(short) <= limit
    assert balanced(short)
    if visible_length(markup) <= limit:
        assert bare(short) == bare(markup)
    else:
        assert bare(short).endswith(ELLIPSIS)
        assert bare(markup).startswith(bare(short)[:-1])


@given(MARKUP, st.integers(0, 4))
def test_too_many_tags_lose_their_style_and_keep_their_words(markup: str, entities: int) -> None:
    short = shorten_html(markup, 10_000, entities=entities)
    assert bare(short) == bare(markup)
    assert balanced(short)
    assert short.count("</") <= entities


@given(st.text(), st.integers(1, 50))
def test_a_shortened_plain_text_fits(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert utf16_length(short) <= limit
    assert short == text or short.endswith(ELLIPSIS)


@given(MARKUP, st.booleans())
def test_any_message_is_made_to_fit(part: str, pictured: bool) -> None:
    message = fit(Message(part * 400, photo=b"png" if pictured else None))
    assert visible_length(message.text) <= (CAPTION_UNITS if pictured else TEXT_UNITS)


def test_a_keyboard_is_cut_to_what_telegram_takes() -> None:
    wide = tuple(Button(str(number), data="d") for number in range(12))
    keyboard = fit_keyboard((*(wide for _ in range(20)), (Button("long", data="我" * 22),)))
    assert all(len(row) <= 8 for row in keyboard)
    assert sum(map(len, keyboard)) == 100


def test_a_key_with_over_long_data_is_left_out_and_its_row_stays() -> None:
    keyboard = fit_keyboard(((Button("long", data="x" * 65), Button("short", data="x" * 64)),))
    assert [button.text for row in keyboard for button in row] == ["short"]


def test_a_plain_message_has_the_same_words_and_no_markup_or_picture() -> None:
    message = plain(Message("<b>A &lt; B</b> <code>x</code>", photo=b"png", photo_name="map"))
    assert message == Message("A &lt; B x")


@given(st.text(st.characters(exclude_characters="|")), st.lists(st.text(st.characters(exclude_characters="|"))))
def test_what_a_button_carries_is_read_back(verb: str, args: list[str]) -> None:
    tap = unpack(pack(verb, *args))
    assert (tap.verb, list(tap.args)) == (verb, args)


@given(st.text())
def test_any_data_gives_a_tap_with_numbers_that_are_numbers(data: str) -> None:
    tap = unpack(data)
    assert tap.number(0) >= 0
    assert tap.arg(99) == ""


def test_a_key_with_the_longest_known_symbol_stays_within_64_bytes() -> None:
    button = key("Watch", "wp", "hyperliquid:我踏马来了USDT", "0.75")
    assert len((button.data or "").encode()) <= 64


@given(MARKUP)
def test_the_terminal_reads_the_same_words_as_telegram(markup: str) -> None:
    assert rich_text(markup).plain == bare(markup)
