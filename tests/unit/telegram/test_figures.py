"""Numbers for people."""

import math
from decimal import Decimal

import numpy as np
import pytest
from babel import Locale
from babel.numbers import format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.preferences import Preferences
from bot.telegram.texts import Catalogue, Texts
from bot.telegram.texts.figures import Figures, copied_price, tick_decimals
from bot.telegram.texts.zones import zone_of

FIGURES = Catalogue.load().texts("en").figures
SPANISH = Figures(Locale("es"), money={"pattern": "${amount}{unit}", "thousand": "K", "million": "M", "billion": "B"})
NOON_MS = 1_766_923_200_000


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        (0, "$0"),
        (0.5, "$0.5"),
        (950, "$950"),
        (999.6, "$1K"),
        (1_234, "$1.23K"),
        (980_000, "$980K"),
        (999_600, "$1M"),
        (42_000_000, "$42M"),
        (42_340_000, "$42.3M"),
        (1_234_000_000, "$1.23B"),
        (2.5e12, "$2,500B"),
    ],
)
def test_money_has_three_significant_figures(usd: float, words: str) -> None:
    assert FIGURES.money(usd) == words


@pytest.mark.parametrize(
    ("price", "tick", "words"),
    [
        (96_620.5, 0.1, "96,620.5"),
        (97_500.0, 0.1, "97,500.0"),
        (0.2314, 0.0001, "0.2314"),
        (1.2e-7, 1e-8, "0.00000012"),
        (97_430.0, 10.0, "97,430"),
        (2.5, 0.05, "2.50"),
    ],
)
def test_a_price_has_the_decimals_of_its_tick(price: float, tick: float, words: str) -> None:
    assert FIGURES.price(price, tick) == words


@pytest.mark.parametrize(
    ("price", "tick", "words"),
    [
        (97_433.7, 0.1, "97,434"),
        (97_400.0, 0.1, "97,400"),
        (123_456.7, 0.1, "123,460"),
        (3_402.118, 0.01, "3,402.1"),
        (175.2, 0.01, "175.2"),
        (0.0218, 1e-6, "0.0218"),
        (0.23456, 0.0001, "0.2346"),
        (1.2345678e-5, 1e-8, "0.00001235"),
    ],
)
def test_an_estimated_level_has_five_figures_and_no_idle_zeros(price: float, tick: float, words: str) -> None:
    assert FIGURES.level(price, tick) == words


def test_a_wide_band_shows_no_digits_that_it_does_not_know() -> None:
    assert FIGURES.band(1_134.61, 1_234.02, 0.01) == "1,135–1,234"
    assert FIGURES.band(0.023075, 0.025707, 1e-6) == "0.0231–0.0257"
    assert FIGURES.within(0.024111, 0.023075, 0.025707, 1e-6) == "0.0241"


def test_the_ends_of_a_band_have_equally_many_decimals() -> None:
    assert FIGURES.band(175.2, 176.94, 0.01) == "175.20–176.94"
    assert FIGURES.band(100.0, 100.0, 0.1) == "100"


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        (0, "0%"),
        (0.004, "0%"),
        (0.024, "0.02%"),
        (0.8378, "0.84%"),
        (0.999, "1%"),
        (1.26, "1.3%"),
        (12.4, "12%"),
        (340, "340%"),
    ],
)
def test_a_measured_percentage_is_rounded_for_people(percent: float, words: str) -> None:
    assert FIGURES.percent(percent) == words


def test_a_set_percentage_is_shown_as_it_was_set() -> None:
    assert [FIGURES.exact_percent(value) for value in (1, 1.25, 2.5, 0.1, 30.0)] == [
        "1%",
        "1.25%",
        "2.5%",
        "0.1%",
        "30%",
    ]


def test_a_distance_carries_its_sign() -> None:
    assert FIGURES.signed_percent(0.84) == "+0.84%"
    assert FIGURES.signed_percent(-1.6) == "−1.6%"


@pytest.mark.parametrize(
    ("probability", "words"), [(0, "<1%"), (0.004, "<1%"), (0.34, "34%"), (0.994, "99%"), (0.999, ">99%"), (1, ">99%")]
)
def test_odds_are_never_certain(probability: float, words: str) -> None:
    assert FIGURES.odds(probability) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0\xa0sec"),
        (40_000, "40\xa0sec"),
        (61_000, "1\xa0min"),
        (720_000, "12\xa0min"),
        (3_600_000, "1\xa0hr"),
        (5_400_000, "90\xa0min"),
        (7_200_000, "2\xa0hr"),
        (14_400_000, "4\xa0hr"),
        (86_400_000, "24\xa0hr"),
        (604_800_000, "7\xa0days"),
    ],
)
def test_a_duration_is_in_its_largest_fitting_unit(ms: float, words: str) -> None:
    assert FIGURES.duration(ms) == words


def test_a_clock_time_names_the_day_only_when_it_is_another() -> None:
    assert FIGURES.clock(NOON_MS + 3_600_000, now_ms=NOON_MS) == "13:00 UTC"
    assert FIGURES.clock(NOON_MS + 86_400_000, now_ms=NOON_MS) == "Dec 29 12:00 UTC"


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "Dec 28 13:05"),
        ("zh", "12月28日 13:05"),
        ("ru", "28 дек. 13:05"),
        ("es", "28 dic 13:05"),
        ("tr", "28 Ara 13:05"),
        ("pt", "28 de dez. 13:05"),
    ],
)
def test_a_date_is_written_as_its_language_does(language: str, written: str) -> None:
    figures = Figures(Locale.parse(language), money={}, zone=zone_of("UTC+1"))
    assert figures.clock(NOON_MS + 5 * 60_000, now_ms=NOON_MS - 86_400_000) == written


# Whose clock, and how a moment reads there: in a message, and where nothing but its letters arrives.
CLOCKS = [
    # nobody has said where the reader lives: each client writes its own time, an old one that of UTC
    (Preferences(), False, '<tg-time unix="1766926800" format="t">13:00 UTC</tg-time>', "13:00 UTC"),
    # a private chat that chose its zone reads its own clock, without a name
    (Preferences(zone="Europe/Istanbul"), False, "16:00", "16:00"),
    # one that chose UTC wants UTC, and is told that it is
    (Preferences(zone="UTC"), False, "13:00 UTC", "13:00 UTC"),
    # a group chose a zone, its members live where they live
    (
        Preferences(zone="Europe/Istanbul"),
        True,
        '<tg-time unix="1766926800" format="t">16:00 UTC+3</tg-time>',
        "16:00 UTC+3",
    ),
]


@pytest.mark.parametrize(("chosen", "shared", "shown", "plain"), CLOCKS)
def test_a_time_is_told_by_the_readers_clock(chosen: Preferences, shared: bool, shown: str, plain: str) -> None:
    texts = Catalogue.load().texts("en").read_by(chosen, shared=shared)
    time = texts.figures.clock(NOON_MS + 3_600_000, now_ms=NOON_MS)
    assert texts("mute.on", until=time) == f"<b>All alerts are muted until {shown}.</b>"
    assert texts.label("toast.snoozed_until", time=time) == f"Snoozed until {plain}"
    assert texts.label("button.delete_rule", number="1", rule=texts("rule.until", time=time)) == f"#1 until {plain}"


def test_chats_that_read_alike_share_their_texts() -> None:
    texts = Catalogue.load().texts("en")
    istanbul = Preferences(zone="Europe/Istanbul")
    assert texts.read_by(istanbul) is texts.read_by(istanbul)
    assert texts.read_by(istanbul) is not texts.read_by(istanbul, shared=True)
    assert texts.read_by(Preferences()) is texts


def test_another_day_is_told_with_its_date() -> None:
    texts = Catalogue.load().texts("en")
    shown = texts("rule.until", time=texts.figures.clock(NOON_MS + 86_400_000, now_ms=NOON_MS))
    assert shown == 'until <tg-time unix="1767009600" format="dt">Dec 29 12:00 UTC</tg-time>'


def test_another_language_writes_its_own_separators() -> None:
    assert SPANISH.money(42_340_000) == "$42,3M"
    assert SPANISH.price(96_620.5, 0.1) == "96.620,5"
    assert SPANISH.percent(0.84) == "0,84\N{NO-BREAK SPACE}%"


def test_numbers_from_arrays_read_as_plain_ones() -> None:
    value = np.float64(97_433.7)
    assert FIGURES.price(value, np.float64(0.1)) == "97,433.7"
    assert FIGURES.level(value, 0.1) == "97,434"
    assert FIGURES.money(value) == "$97.4K"
    assert FIGURES.exact_percent(np.float64(1.25)) == "1.25%"


def test_a_copied_price_is_what_an_order_form_takes() -> None:
    assert copied_price(97_430.0, 0.1) == "97430.0"
    assert copied_price(1.2e-7, 1e-8) == "0.00000012"


@given(st.floats(1e-9, 1e7), st.sampled_from([1e-8, 1e-6, 1e-4, 0.001, 0.05, 0.1, 0.5, 1.0, 10.0]))
def test_a_level_is_never_off_by_more_than_its_figures_or_its_tick(price: float, tick: float) -> None:
    read = float(FIGURES.level(price, tick).replace(",", ""))
    assert abs(read - price) <= max(price * 5.1e-5, 0.51 * 10.0 ** -tick_decimals(tick))


@given(st.floats(0, 1e13))
def test_money_is_never_off_by_more_than_its_figures(usd: float) -> None:
    words = FIGURES.money(usd)
    scale = {"K": 1e3, "M": 1e6, "B": 1e9}.get(words[-1], 1.0)
    read = float(words.strip("$KMB").replace(",", "")) * scale
    assert math.isclose(read, usd, rel_tol=5.1e-3, abs_tol=0.006)


@pytest.mark.parametrize("texts", Catalogue.load().languages.values(), ids=lambda texts: texts.language)
@given(value=st.floats(-1e13, 1e13), decimals=st.integers(0, 9))
def test_numbers_are_written_as_babel_writes_them(texts: Texts, value: float, decimals: int) -> None:
    figures, locale, number = texts.figures, texts.locale, Decimal(repr(value))
    pattern = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
    percents = locale.percent_formats[None].pattern.replace("#,##0", pattern)
    assert figures.plain(value) == format_decimal(number, locale=locale, decimal_quantization=False)
    assert figures.fixed(value, decimals) == format_decimal(number, format=pattern, locale=locale)
    assert figures.fixed_percent(value, decimals) == format_percent(number / 100, format=percents, locale=locale)
    exact = round(number, 4) / 100
    assert figures.exact_percent(value) == format_percent(exact, locale=locale, decimal_quantization=False)
