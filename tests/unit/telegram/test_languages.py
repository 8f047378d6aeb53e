"""Every catalogue there is: complete, with the plurals its language has, and with labels that fit on a phone.

A new language needs its file alone: these tests find it.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from babel.numbers import get_decimal_symbol
from rich.cells import cell_len

from bot.delivery.messenger import Button, Message
from bot.telegram.callbacks import unpack
from bot.telegram.languages import language_name
from bot.telegram.limits import ENTITIES, bare, utf16_length
from bot.telegram.texts import Catalogue, Texts, fields
from tests.fakes.bot_api.html import parse
from tests.fakes.chat import Chat
from tests.fakes.desk import NOON_MS
from tests.fakes.several_desk import SeveralDesk

CATALOGUE = Catalogue.load()
ENGLISH = CATALOGUE.texts("en")
LANGUAGES = list(CATALOGUE.languages.values())
COUNTS = range(1001)
"""What is counted here: no text tells of a million rules."""

WIDEST = {1: 42, 2: 22, 3: 13, 4: 10, 5: 9, 6: 8, 7: 7, 8: 6}
"""The longest label in a row of so many keys that a phone 390 px wide shows whole; a wide character counts twice."""

COMMAND_UNITS, PROFILE_UNITS, SHORT_UNITS = 256, 512, 120
TYPED = (
    "/start",
    "/help",
    "/watch",
    "/watch BTC 1%",
    "/watch ETH grow 20% 4h 10M",
    "/watch ZRX 2%",
    "/watch digest daily",
    "/rules",
    "/map BTC",
    "/clusters BTC",
    "/unwatch",
    "/quiet 23-7 UTC+2",
    "/mute",
    "/why",
    "/stats",
    "/status",
    "/settings",
    "/mydata",
    "/forgetme",
    "/privacy",
    "/about",
    "/watch BTV 1%",
    "/watch BTC 900%",
    "hello there",
)
MOST_OF_A_VERB = 4
LONG_NAME = re.compile("1000PEPE|我踏马来了")
"""Long because an exchange calls its contract so."""

WORD = re.compile(r"[a-z]{3,}")
NO_WORDS = re.compile(r"<code>[^<]*</code>|<[^<>]*>|\{\w+\}|/\w+")
COMMAND = re.compile(r"(?<![<\w])/[a-z]{2,}")
every_language = pytest.mark.parametrize("texts", LANGUAGES, ids=lambda texts: texts.language)


def forms(texts: Texts) -> Iterator[tuple[str, str, str]]:
    """(key, plural category, template)."""
    for key, of_key in texts.entries.items():
        for category, template in of_key.items():
            yield key, category, template


async def screens(language: str) -> AsyncIterator[Message]:
    """What a person who types every command and taps about everything sees, in this language."""
    chat = Chat(SeveralDesk(), language=language)
    taps, tapped = list[tuple[int, Button]](), Counter[str]()
    shown: dict[int, Message] = {}
    for line in TYPED:
        await chat.type(line)
    while True:
        for message_id, message in chat.screen.items():
            if shown.get(message_id) is not message:
                yield message
                taps += [(message_id, button) for button in chat.keys(message_id) if button.data and _stays(button)]
        shown = dict(chat.screen)
        while taps and tapped[unpack(taps[-1][1].data or "").verb] >= MOST_OF_A_VERB:
            taps.pop()
        if not taps:
            return
        message_id, button = taps.pop()
        tapped[unpack(button.data or "").verb] += 1
        await chat.tap_key(message_id, button)


def _stays(button: Button) -> bool:
    """Whether this key leaves the language as it is."""
    return not (button.data or "").startswith("ss|language")


@every_language
def test_counted_texts_have_exactly_the_plurals_of_the_language(texts: Texts) -> None:
    rule = texts.locale.plural_form
    needed, known = {rule(n) for n in COUNTS} | {"other"}, {*rule.tags, "other"}
    for key, of_english in ENGLISH.entries.items():
        if set(of_english) == {"other"}:
            assert set(texts.entries[key]) == {"other"}, f"{key} counts nothing"
        else:
            assert needed <= set(texts.entries[key]) <= known, f"{key} needs {sorted(needed)}"


@every_language
def test_each_form_has_the_fields_of_the_english_ones(texts: Texts) -> None:
    for key, category, template in forms(texts):
        wanted = set[str]().union(*(fields(form) for form in ENGLISH.entries[key].values()))
        # "One alert" may leave its number out.
        spare = {"n"} if category in ("one", "two", "zero") else set()
        assert wanted - spare <= fields(template) <= wanted, f"{key} ({category})"


@every_language
def test_markup_is_that_of_the_english_text_and_sound(texts: Texts) -> None:
    for key, _, template in forms(texts):
        english = ENGLISH.entries[key]["other"]
        entities = parse(template.replace("{", "").replace("}", "")).entities
        assert len(entities) <= ENTITIES
        assert ("<" in template) == ("<" in english), key
        assert template.count("<code>") == english.count("<code>"), f"{key}: examples stay, they are typed as they are"


@every_language
def test_commands_in_a_text_are_those_of_the_english_one(texts: Texts) -> None:
    for key, _, template in forms(texts):
        english = " ".join(ENGLISH.entries[key].values())
        assert set(COMMAND.findall(template)) == set(COMMAND.findall(english)), key


@every_language
def test_a_language_says_something_of_its_own(texts: Texts) -> None:
    """A file that was copied and left in English is no translation."""
    if texts is ENGLISH:
        return
    same = [key for key, of_key in ENGLISH.entries.items() if texts.entries[key]["other"] == of_key["other"]]
    english = [key for key in same if len(WORD.findall(NO_WORDS.sub("", texts.entries[key]["other"]))) > 3]
    assert english[:5] == []


@every_language
def test_names_and_commands_fit_where_telegram_shows_them(texts: Texts) -> None:
    for key, _, template in forms(texts):
        if key.startswith("command."):
            assert 1 <= utf16_length(template) <= COMMAND_UNITS
            assert bare(template) == template
    assert utf16_length(texts.label("profile.description")) <= PROFILE_UNITS
    assert utf16_length(texts.label("profile.short")) <= SHORT_UNITS
    assert language_name(texts)[:1].isupper() or not language_name(texts)[:1].isascii()


@every_language
async def test_every_key_fits_its_row_and_every_screen_its_limits(texts: Texts) -> None:
    too_wide = {}
    async for message in screens(texts.language):
        assert ".." not in bare(message.text), "an abbreviation ends with the sentence's own full stop"
        for row in message.buttons:
            for button in row:
                units = cell_len(LONG_NAME.sub("BTC", button.text))
                if units > WIDEST[len(row)]:
                    too_wide[button.text] = f"{units} of {WIDEST[len(row)]} in a row of {len(row)}"
    assert too_wide == {}


FIGURES = {
    "en": ("$42.3M", "96,620.5", "0.84%", "−1.6%", "<1%", "12 min", "4 hr", "Dec 28 12:00 UTC"),
    "es": ("$42,3M", "96.620,5", "0,84 %", "−1,6 %", "<1 %", "12 min", "4 h", "28 dic 12:00 UTC"),
    "pt": ("$42,3M", "96.620,5", "0,84%", "−1,6%", "<1%", "12 min", "4 h", "28 de dez. 12:00 UTC"),
    "ru": ("$42,3M", "96 620,5", "0,84 %", "−1,6 %", "<1 %", "12 мин", "4 ч", "28 дек. 12:00 UTC"),
    "tr": ("$42,3M", "96.620,5", "%0,84", "−%1,6", "<%1", "12 dk.", "4 sa.", "28 Ara 12:00 UTC"),
    "zh": ("$42.3M", "96,620.5", "0.84%", "−1.6%", "<1%", "12分钟", "4小时", "12月28日 12:00 UTC"),
}
"""Money (its units are the catalogue's own), price, percentages, odds, lengths of time, and a moment."""


@every_language
def test_figures_are_written_as_the_language_writes_them(texts: Texts) -> None:
    figures = texts.figures
    written = (
        figures.money(42_340_000),
        figures.price(96_620.5, 0.1),
        figures.percent(0.84),
        figures.signed_percent(-1.6),
        figures.odds(0.001),
        figures.duration(12 * 60_000),
        figures.duration(4 * 3_600_000),
        bare(figures.clock(NOON_MS, now_ms=0)),
    )
    assert all(figure.strip() for figure in written)
    for one_word in (*written[:-1], figures.money(1_234.0), figures.money(7.5e9), figures.duration(40_000)):
        assert " " not in one_word, "a number must not be torn from its unit at a line's end"
    point = get_decimal_symbol(texts.locale)
    assert f"42{point}3" in written[0]
    assert written[1].endswith(f"{point}5")
    expected = FIGURES.get(texts.language)
    if expected is not None:
        assert [re.sub("[\xa0\u202f]", " ", figure) for figure in written[1:]] == list(expected[1:])


@every_language
async def test_numbers_are_understood_as_the_language_writes_them(texts: Texts) -> None:
    """What a message says may be typed back."""
    chat = Chat(SeveralDesk(), language=texts.language)
    await chat.type(f"/watch BTC {texts.figures.percent(2.5)}")
    await chat.type(f"/watch ETH {texts.figures.percent(2.5)} 1{get_decimal_symbol(texts.locale)}5M")
    rules = [view.rule for view in await chat.desk.rules(chat.chat_id)]
    assert [rule.threshold_pct for rule in rules] == [2.5, 2.5]
    assert rules[1].min_usd == 1_500_000
